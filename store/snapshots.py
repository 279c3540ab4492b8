"""What is true of an item's dialog, contact and operator, read in one statement (domain/walks/contexts.py)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.walks.ports import Snapshot
from domain.windows import is_open
from store.tables.clocks import DEADLINE, PRESSING

_SNAPSHOT = text(f"""
WITH found AS (
    SELECT d.*, c.kind AS channel_kind, c.reply_window FROM dialogs d JOIN channels c ON c.key = d.channel_key
    WHERE d.id = CAST(:dialog AS uuid)
)
SELECT clock_timestamp() AS now, to_jsonb(d) AS dialog,
       to_jsonb(p) - 'sought' AS contact,
       CASE WHEN o.id IS NOT NULL THEN jsonb_build_object(
           'id', o.id, 'name', o.name, 'email', o.email,
           'status', (SELECT status FROM operators WHERE user_id = o.id),
           'teams', (SELECT coalesce(jsonb_agg(team_key ORDER BY team_key), '[]') FROM team_members
                     WHERE user_id = o.id)) END AS operator,
       CASE WHEN d.keeps_time THEN (
           SELECT min({DEADLINE}) FROM clocks WHERE dialog_id = d.id AND {PRESSING}) END AS due_at,
       (SELECT CASE WHEN m.direction = 'in' THEN 'client' ELSE m.author_kind END FROM messages m
        WHERE m.dialog_id = d.id AND m.direction <> 'note' ORDER BY m.seq DESC LIMIT 1) AS last_from,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'key', h.key, 'kind', h.kind, 'reply_window', h.reply_window, 'address', i.address,
                   'heard_at', u.heard_at, 'used_at', u.used_at) ORDER BY u.used_at DESC NULLS LAST, i.id), '[]')
        FROM identities i JOIN channels h ON h.key = i.channel_key
        LEFT JOIN LATERAL (SELECT max(last_client_message_at) AS heard_at, max(last_message_at) AS used_at
                           FROM dialogs x WHERE x.identity_id = i.id) AS u ON true
        WHERE i.contact_id = p.id) AS channels,
       CASE WHEN :messages > 0 THEN (
           SELECT coalesce(jsonb_agg(jsonb_build_object(
                      'from', CASE WHEN n.direction = 'in' THEN 'client' ELSE n.author_kind END,
                      'text', n.text, 'at', n.created_at, 'note', n.direction = 'note') ORDER BY n.seq), '[]')
           FROM (SELECT * FROM messages WHERE dialog_id = d.id ORDER BY seq DESC LIMIT :messages) AS n) END AS messages
FROM (SELECT CAST(:contact AS uuid) AS contact_id) AS asked
LEFT JOIN found d ON true
LEFT JOIN contacts p ON p.id = coalesce(d.contact_id, asked.contact_id)
LEFT JOIN users o ON o.id = d.operator_id
""")
_MOMENTS = (
    "opened_at", "closed_at", "waiting_since", "assigned_at", "awaiting_reply_since", "last_message_at",
    "last_client_message_at", "pending_until",
)  # fmt: skip


async def snapshot_of(
    session: AsyncSession, dialog_id: UUID | None, contact_id: UUID | None, *, messages: int = 0
) -> Snapshot:
    """The dialog with its contact, or the contact alone. `messages`: so many of the newest, with their texts.

    What does not exist is None. The caller has flushed what it changed.
    """
    given = {"dialog": dialog_id, "contact": contact_id, "messages": messages}
    row = (await session.execute(_SNAPSHOT, given)).one()
    dialog = _dialog(row) if row.dialog is not None else None
    contact = _contact(row) if row.contact is not None else None
    return Snapshot(dialog, contact, row.operator, row.dialog["revision"] if row.dialog is not None else 0)


def _dialog(row: Any) -> dict[str, Any]:
    d = row.dialog
    heard = _read(d["last_client_message_at"])
    told = {name: moment(_read(d[name])) for name in _MOMENTS}
    is_closed = d["status"] == "closed"
    return {
        "id": d["id"], "number": d["number"], "url": f"/dialogs/{d['id']}", "kind": d["kind"], "status": d["status"],
        "place": d["place"], "channel": d["channel_key"], "channel_kind": d["channel_kind"], "team": d["team_key"],
        "topic": d["topic_key"], "priority": d["priority"], "subject": d["subject"],
        "ticket_type": d["ticket_type"], "tags": d["tags"], "fields": d["fields"], "weight": d["weight"],
        "operator_id": d["operator_id"], "operator_name": row.operator["name"] if row.operator else None,
        "author_id": d["author_id"], "csat": d["rating"], "cycle": d["cycle"], **told,
        "closed_by": (d["closed_by"] or "system") if is_closed else None, "last_message_from": row.last_from,
        "window_open": is_open(d["channel_kind"], d["reply_window"], heard, row.now),
        "messages": [_message(m) for m in row.messages or []], "revision": d["revision"],
        "ticket_number": d["ticket_number"], "description": d["description"], "due_at": moment(row.due_at),
        "is_overdue": row.due_at is not None and row.due_at <= row.now,
    }  # fmt: skip


def _contact(row: Any) -> dict[str, Any]:
    c = row.contact
    words = (c["name"] or "").split()
    own = c["fields"] or {}
    return {
        "id": c["id"], "name": c["name"], "first_name": own.get("first_name") or (words[0] if words else None),
        "last_name": own.get("last_name") or (" ".join(words[1:]) or None), "phone": c["phone"], "email": c["email"],
        "external_id": c["external_id"], "consent": c["consent"], "blocked": c["banned_at"] is not None,
        "tags": c["tags"], "fields": own, "created_at": moment(_read(c["created_at"])),
        "channels": [
            {
                "key": h["key"], "kind": h["kind"], "address": h["address"],
                "window_open": is_open(h["kind"], h["reply_window"], _read(h["heard_at"]), row.now),
                "last_used_at": moment(_read(h["used_at"])),
            }
            for h in row.channels
        ],
    }  # fmt: skip


def _message(m: dict[str, Any]) -> dict[str, Any]:
    return {"from": m["from"], "text": m["text"], "at": moment(_read(m["at"])), "note": m["note"]}


def _read(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def moment(at: datetime | None) -> str | None:
    """RFC 3339, UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
