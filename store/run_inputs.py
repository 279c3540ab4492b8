"""Whether what the inputs of a launch name exists here, and is seen by whoever names it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, or_, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from domain.permissions import Viewer
from store.dialog_lists import visible
from store.tables import Dialog

_KEYS = {
    "team": text("SELECT key FROM teams WHERE key = ANY(:keys) AND active"),
    "channel": text("SELECT key FROM channels WHERE key = ANY(:keys) AND active"),
    "topic": text("SELECT key FROM topics WHERE key = ANY(:keys) AND active"),
    "tag": text("SELECT key FROM tags WHERE key = ANY(:keys)"),
    "quick_reply": text("SELECT key FROM quick_replies WHERE key = ANY(:keys) AND active"),
    "priority": text("SELECT key FROM priorities WHERE key = ANY(:keys)"),
    "template": text("SELECT key FROM message_templates WHERE key = ANY(:keys) AND active"),
}
_IDS = {
    "operator": text("SELECT user_id::text FROM operators WHERE user_id = ANY(:keys)"),
    "contact": text("SELECT id::text FROM contacts WHERE id = ANY(:keys)"),
}


async def missing(
    session: AsyncSession, viewer: Viewer, references: Iterable[tuple[str, str, str]]
) -> list[dict[str, str]]:
    """Errors of the fields that name what is not there; one statement a kind."""
    by_kind: dict[str, dict[str, list[str]]] = {}
    for field, kind, key in references:
        by_kind.setdefault(kind, {}).setdefault(key, []).append(field)
    errors = []
    for kind, wanted in by_kind.items():
        there = await _there(session, viewer, kind, list(wanted))
        for key, fields in wanted.items():
            if key not in there:
                errors += [_error(field, kind, key) for field in fields]
    return errors


async def _there(session: AsyncSession, viewer: Viewer, kind: str, keys: list[str]) -> set[str]:
    if kind == "dialog":
        readable = or_(*(_all(branch) for branch in visible(viewer)))
        rows = await session.scalars(select(Dialog.id).where(Dialog.id.in_([UUID(k) for k in keys]), readable))
        return {str(found) for found in rows}
    if kind in _IDS:
        asked = _IDS[kind].bindparams(bindparam("keys", type_=ARRAY(Uuid)))
        return set(await session.scalars(asked, {"keys": [UUID(k) for k in keys]}))
    asked = _KEYS[kind].bindparams(bindparam("keys", type_=ARRAY(Text)))
    return set(await session.scalars(asked, {"keys": keys}))


def _all(branch: list[Any]) -> Any:
    condition: Any = true()
    for one in branch:
        condition = condition & one
    return condition


def _error(field: str, kind: str, key: str) -> dict[str, str]:
    return {
        "field": field, "pointer": f"/inputs/{field}", "code": f"unknown_{kind}",
        "message": f"There is no {kind.replace('_', ' ')} {key!r}.",
    }  # fmt: skip
