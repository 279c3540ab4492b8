"""A dialog, its contact and its operator as tests and previews suppose them where nothing else is said."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.expressions.values import format_moment
from domain.walks.ports import Snapshot

#: a Monday morning: when every test begins
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def _ago(**span: float) -> str:
    return format_moment(START - timedelta(**span))


def sample_dialog() -> dict[str, Any]:
    return {
        "id": "dialog-1", "number": 1, "url": "/dialogs/dialog-1", "kind": "chat", "status": "open", "place": "owned",
        "channel": "telegram", "channel_kind": "telegram", "team": "support", "topic": None, "priority": "normal",
        "subject": "Запитання", "ticket_type": None, "tags": [], "fields": {}, "weight": 10,
        "operator_id": "operator-1", "operator_name": "Ірина", "author_id": None, "csat": None, "cycle": 1,
        "opened_at": _ago(hours=1), "closed_at": None, "closed_by": None, "waiting_since": None,
        "assigned_at": _ago(minutes=50), "awaiting_reply_since": None, "last_message_at": _ago(minutes=10),
        "last_message_from": "operator", "last_client_message_at": _ago(minutes=20), "window_open": True,
        "messages": [], "revision": 1, "ticket_number": None, "description": None, "pending_until": None,
        "due_at": None, "is_overdue": False,
    }  # fmt: skip


def sample_contact() -> dict[str, Any]:
    return {
        "id": "contact-1", "name": "Олена Петренко", "first_name": "Олена", "last_name": "Петренко", "phone": None,
        "email": None, "external_id": None, "consent": True, "blocked": False, "tags": [], "fields": {}, "channels": [],
        "created_at": _ago(days=30),
    }  # fmt: skip


def sample_operator() -> dict[str, Any]:
    return {
        "id": "operator-1", "name": "Ірина", "email": "iryna@example.org", "status": "online", "teams": ["support"],
    }  # fmt: skip


def sample_snapshot(
    target: str,
    dialog: Mapping[str, Any] | None = None,
    contact: Mapping[str, Any] | None = None,
    operator: Mapping[str, Any] | None = None,
) -> Snapshot:
    """What an item of this target has, with a test's own words laid over it."""
    has_dialog, has_contact = target == "dialog" or bool(dialog), target in ("dialog", "contact") or bool(contact)
    has_operator = target in ("dialog", "operator") or bool(operator)
    return Snapshot(
        dialog={**sample_dialog(), **(dialog or {})} if has_dialog else None,
        contact={**sample_contact(), **(contact or {})} if has_contact else None,
        operator={**sample_operator(), **(operator or {})} if has_operator else None,
        revision=1,
    )


def sample_run(name: str) -> dict[str, Any]:
    return {
        "id": "run-1", "number": 1, "url": "/runs/run-1", "launched_by": "operator-1",
        "launched_at": format_moment(START), "dry_run": False, "definition": name, "version": 1, "item_number": 1,
    }  # fmt: skip
