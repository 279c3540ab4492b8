"""What is told of a dialog: as a row of a list, and as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import tickets
from domain.dialogs import Kind
from domain.errors import NotFoundError
from domain.permissions import Permission, Relation, Viewer, may_read
from domain.transfers import Offer, state_at
from store.tables.clocks import DEADLINE, PRESSING
from store.ticket_fields import FIELDS_OF, specs_of

EXCERPT = 160

_ROWS = text(f"""
SELECT d.*, c.kind AS channel_kind, c.name AS channel_name, p.name AS contact_name, i.address, i.name AS identity_name,
       t.name AS topic_name, g.name AS team_name, o.name AS operator_name, l.name AS last_operator_name,
       m.direction AS last_direction, m.created_at AS last_at,
       CASE WHEN :texts THEN left(m.text, :excerpt) END AS last_text,
       f.id AS offer_id, f.state AS offer_state, f.deadline AS offer_deadline, f.to_operator AS offer_to,
       a.name AS author_name,
       CASE WHEN d.kind = 'ticket' THEN {FIELDS_OF.format(topic="d.topic_key")} END AS topic_fields,
       u.name AS offer_to_name, f.from_operator AS offer_from, k.due_at, now() AS now
FROM dialogs d
JOIN channels c ON c.key = d.channel_key
JOIN contacts p ON p.id = d.contact_id
JOIN identities i ON i.id = d.identity_id
JOIN teams g ON g.key = d.team_key
LEFT JOIN topics t ON t.key = d.topic_key
LEFT JOIN users o ON o.id = d.operator_id
LEFT JOIN users l ON l.id = d.last_operator_id
LEFT JOIN users a ON a.id = d.author_id
LEFT JOIN messages m ON m.dialog_id = d.id AND m.seq = d.last_message_seq
LEFT JOIN transfers f ON f.dialog_id = d.id AND f.state = 'pending'
LEFT JOIN users u ON u.id = f.to_operator
LEFT JOIN LATERAL (SELECT min({DEADLINE}) AS due_at FROM clocks WHERE dialog_id = d.id AND {PRESSING}) AS k
    ON d.keeps_time
WHERE d.id = ANY(:ids)
""")
_MORE = text("""
SELECT p.phone, p.email, p.tags, p.banned_at, p.external_id, p.consent, p.fields AS contact_fields,
       d.description, d.fields, d.revision, d.bot_run, b.name AS closed_by_name,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', x.user_id, 'name', u.name, 'role', x.role,
                                                     'added_at', x.added_at) ORDER BY x.added_at, x.user_id), '[]')
        FROM participants x JOIN users u ON u.id = x.user_id WHERE x.dialog_id = d.id) AS people
FROM dialogs d JOIN contacts p ON p.id = d.contact_id
LEFT JOIN users b ON b.id = d.closed_by
WHERE d.id = :id
""")
_RELATIONS = text("""
SELECT d.id, d.team_key, d.operator_id, d.author_id,
       ARRAY(SELECT user_id FROM participants p WHERE p.dialog_id = d.id AND role = 'participant') AS participants,
       ARRAY(SELECT user_id FROM participants p WHERE p.dialog_id = d.id AND role = 'watcher') AS watchers,
       (SELECT to_operator FROM transfers t
        WHERE t.dialog_id = d.id AND t.state = 'pending' AND t.deadline > now()) AS offered_to
FROM dialogs d WHERE d.id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class Page:
    """`next` and `previous` are cursors for `after=` and `before=`; `next` is None on the last page."""

    items: list[dict[str, Any]]
    next: str | None
    previous: str | None


async def relations_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Relation]:
    """How dialogs relate to people now; an offer whose deadline has passed relates nobody."""
    if not ids:
        return {}
    rows = await session.execute(_RELATIONS, {"ids": list(ids)})
    return {
        r.id: Relation(
            r.team_key, r.operator_id, r.author_id, frozenset(r.participants), frozenset(r.watchers), r.offered_to
        )
        for r in rows
    }


async def require_readable(session: AsyncSession, viewer: Viewer, dialog_id: UUID) -> Relation:
    """Raises NotFoundError also for a dialog the viewer may not read: they are not told that it exists."""
    relation = (await relations_of(session, [dialog_id])).get(dialog_id)
    if relation is None or not may_read(viewer, relation):
        raise NotFoundError("There is no such dialog.")
    return relation


async def rows_of(session: AsyncSession, ids: Sequence[UUID], *, with_texts: bool) -> list[dict[str, Any]]:
    """The dialogs in the order of `ids`. Who may read them has been checked."""
    if not ids:
        return []
    rows = await session.execute(_ROWS, {"ids": list(ids), "texts": with_texts, "excerpt": EXCERPT})
    found = {r.id: _row(r, with_texts=with_texts) for r in rows}
    return [found[i] for i in ids if i in found]


async def get_dialog(session: AsyncSession, viewer: Viewer, dialog_id: UUID) -> dict[str, Any]:
    """One dialog with everything known of it but its messages. Raises NotFoundError."""
    await require_readable(session, viewer, dialog_id)
    with_texts = viewer.may(Permission.DIALOG_READ_TEXTS)
    [row] = await rows_of(session, [dialog_id], with_texts=with_texts)
    more = (await session.execute(_MORE, {"id": dialog_id})).one()
    row["contact"] |= {
        "phone": more.phone, "email": more.email, "tags": more.tags, "banned": more.banned_at is not None,
        "external_id": more.external_id, "consent": more.consent, "fields": more.contact_fields,
    }  # fmt: skip
    people = {"participants": "participant", "watchers": "watcher"}
    return row | {
        "description": more.description if with_texts else None,
        "fields": more.fields if with_texts else {},
        "left": _left(row, more.fields) if with_texts else {},
        "revision": more.revision,
        "bot_run": more.bot_run,
        "author": _person(row.pop("author_id"), row["author_name"]),
        "closed_by": _person(row.pop("closed_by_id"), more.closed_by_name),
        **{
            name: [{k: p[k] for k in ("id", "name", "added_at")} for p in more.people if p["role"] == role]
            for name, role in people.items()
        },
    }


def _person(id_: UUID | None, name: str | None) -> dict[str, Any] | None:
    return {"id": id_, "name": name} if id_ else None


def _left(row: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """Values of a ticket that are none of its topic's fields: another topic's, or a chat's."""
    shown = {f["key"] for f in row["topic_fields"] if f["value"] is not None}
    return {key: value for key, value in stored.items() if key not in shown} if row["kind"] == Kind.TICKET else {}


def _row(r: Any, *, with_texts: bool) -> dict[str, Any]:
    """Who may not read texts is told no subject, no description and no values of own fields."""
    specs = specs_of(r.topic_fields or ())
    return {
        "id": r.id,
        "number": r.number,
        "kind": r.kind,
        "status": r.status,
        "place": r.place,
        "channel": {"key": r.channel_key, "kind": r.channel_kind, "name": r.channel_name},
        "contact": {"id": r.contact_id, "name": r.contact_name or r.identity_name, "address": r.address},
        "topic": r.topic_key,
        "topic_name": r.topic_name,
        "team": r.team_key,
        "team_name": r.team_name,
        "tags": r.tags,
        "priority": r.priority,
        "weight": r.weight,
        "forced": r.is_forced,
        "operator_id": r.operator_id,
        "operator_name": r.operator_name,
        "last_operator_id": r.last_operator_id,
        "last_operator_name": r.last_operator_name,
        "author_id": r.author_id,
        "author_name": r.author_name,
        "ticket_number": r.ticket_number,
        "spoken": tickets.spoken(r.ticket_number) if r.ticket_number is not None else None,
        "ticket_type": r.ticket_type,
        "subject": r.subject if with_texts else None,
        "description": r.description[:EXCERPT] if with_texts and r.description else None,
        "topic_fields": tickets.described(specs, r.fields if with_texts else {}),
        "rating": r.rating,
        "cycle": r.cycle,
        "pending_until": r.pending_until,
        "merged_into": r.merged_into,
        "thread": r.thread,
        "opened_at": r.opened_at,
        "waiting_since": r.waiting_since if r.place in ("queued", "unassigned") else None,
        "assigned_at": r.assigned_at,
        "first_assigned_at": r.first_assigned_at,
        "awaiting_reply_since": r.awaiting_reply_since,
        "last_client_message_at": r.last_client_message_at,
        "last_message_at": r.last_message_at,
        "last_message_seq": r.last_message_seq,
        "last_message": _last_message(r),
        "due_at": r.due_at,
        "is_overdue": r.due_at is not None and r.due_at <= r.now,
        "closed_at": r.closed_at,
        "closed_by_id": r.closed_by,
        "offer": _offer(r),
    }


def _last_message(r: Any) -> dict[str, Any] | None:
    if r.last_direction is None:
        return None
    return {"direction": r.last_direction, "at": r.last_at, "excerpt": r.last_text}


def _offer(r: Any) -> dict[str, Any] | None:
    """The pending offer; one whose deadline has passed is shown as expired until that is carried out (I3)."""
    if r.offer_id is None:
        return None
    state = state_at(r.offer_state, r.offer_deadline, r.now)
    left = (r.offer_deadline - r.now).total_seconds() if state == Offer.PENDING else 0.0
    return {
        "transfer_id": r.offer_id,
        "state": state,
        "from_operator": r.offer_from,
        "to_operator": r.offer_to,
        "to_operator_name": r.offer_to_name,
        "deadline": r.offer_deadline,
        "seconds_left": round(left, 1),
    }
