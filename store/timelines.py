"""The timeline of a dialog: messages, notes and facts, merged in the order of time."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.clocks.sentences import SENTENCES
from domain.errors import InvalidError
from domain.permissions import Permission, Viewer
from domain.streams import told_without_texts
from domain.timelines import ACTORS, TOLD_BY_MESSAGES, Entry, sentence
from store import settings
from store.dialog_rows import Page, require_readable
from store.tables import Message
from store.threads import message_of, names_of


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is told, and in which zone moments are."""

    language: str
    zone: str
    with_texts: bool


#: at equal moments a fact's own event comes before the message that follows from it
_MERGED = """
SELECT at, rank, n, row FROM (
    (SELECT at, 0 AS rank, id AS n, to_jsonb(e) AS row FROM events e
     WHERE dialog_id = :id AND kind <> ALL(:left_out) AND {events} ORDER BY at {order}, id {order} LIMIT :limit)
    UNION ALL
    (SELECT created_at, 1, seq, to_jsonb(m) - 'words' FROM messages m
     WHERE dialog_id = :id AND {messages} ORDER BY created_at {order}, seq {order} LIMIT :limit)
) AS merged ORDER BY at {order}, rank {order}, n {order} LIMIT :limit
"""
_BEFORE = ("(at, 0, id) < (:at, :rank, :n)", "(created_at, 1, seq) < (:at, :rank, :n)")
_AFTER = ("(at, 0, id) > (:at, :rank, :n)", "(created_at, 1, seq) > (:at, :rank, :n)")
_EVERYTHING = ("true", "true")


async def timeline(
    session: AsyncSession,
    viewer: Viewer,
    dialog_id: UUID,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = 50,
    language: str = "en",
) -> Page:
    """Entries in the order of time: those after a cursor, those before one, or the newest. Raises NotFoundError.

    Those without the right to read texts are told that something was said, not what.
    """
    await require_readable(session, viewer, dialog_id)
    if after is not None and before is not None:
        raise InvalidError("Give after or before, not both.", field="before")
    is_forwards = after is not None
    events, messages = _AFTER if is_forwards else _BEFORE if before else _EVERYTHING
    query = text(_MERGED.format(events=events, messages=messages, order="ASC" if is_forwards else "DESC"))
    given: dict[str, Any] = {"id": dialog_id, "limit": limit + 1, "left_out": sorted(TOLD_BY_MESSAGES)}
    if cursor := after or before:
        given |= _read_cursor(cursor, "after" if is_forwards else "before")
    rows = (await session.execute(query, given)).all()
    has_more = len(rows) > limit
    rows = rows[:limit] if is_forwards else rows[:limit][::-1]
    has_next, has_previous = (has_more, True) if is_forwards else (before is not None, has_more)
    return Page(
        await _told(session, rows, language, with_texts=viewer.may(Permission.DIALOG_READ_TEXTS)),
        _cursor(rows[-1]) if rows and has_next else None,
        _cursor(rows[0]) if rows and has_previous else None,
    )


async def _told(session: AsyncSession, rows: Any, language: str, *, with_texts: bool) -> list[dict[str, Any]]:
    people = {UUID(v) for r in rows for k in ("actor_id", "operator_id", "author_id") if (v := r.row.get(k))}
    names = await names_of(session, people)
    of_clocks = any(r.row.get("kind") in SENTENCES for r in rows)
    zone = await settings.value_of(session, "time_zone") if of_clocks else "UTC"
    reader = Reader(language, zone, with_texts)
    return [
        _message(r, names, with_texts=with_texts) if r.rank else _event(r.row, names, r.at, reader) | {"at": r.at}
        for r in rows
    ]


def _message(r: Any, names: dict[UUID, str], *, with_texts: bool) -> dict[str, Any]:
    known = {c.key for c in Message.__table__.columns} - {"words"}
    message = Message(**{k: v for k, v in r.row.items() if k in known})
    author = names.get(UUID(message.author_id)) if isinstance(message.author_id, str) else None
    told = message_of(message, author, with_texts=with_texts)
    who = author or ACTORS.get(message.author_kind, message.author_kind)
    does = {"in": "wrote.", "out": "replied.", "note": "left a note."}[message.direction]
    return {
        "type": "note" if message.direction == "note" else "message",
        "at": r.at,
        "actor": told["author"],
        "says": f"{who} {does}",
        "message": told,
    }


def _event(row: dict[str, Any], names: dict[UUID, str], at: datetime, reader: Reader) -> dict[str, Any]:
    def name(key: str) -> str | None:
        return names.get(UUID(row[key])) if row[key] else None

    actor = name("actor_id") or ACTORS.get(row["actor_kind"], row["actor_kind"])
    operator, team = name("operator_id") or "nobody", row["team_key"] or "no team"
    entry = Entry(row["kind"], actor, operator, team, row["data"], at, reader.language, reader.zone)
    return {
        "type": "event",
        "kind": row["kind"],
        "seq": row["seq"],
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": name("actor_id")},
        "operator_id": row["operator_id"],
        "operator_name": name("operator_id"),
        "says": sentence(entry),
        "data": row["data"] if reader.with_texts else told_without_texts(row["kind"], row["data"]),
    }


def _cursor(row: Any) -> str:
    told = json.dumps([row.at.isoformat(), row.rank, row.n])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, field: str) -> dict[str, Any]:
    try:
        at, rank, n = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or rank not in (0, 1) or not isinstance(n, int) or not 0 <= n < 2**63:
            raise ValueError
        return {"at": moment, "rank": int(rank), "n": n}
    except (ValueError, TypeError, AttributeError):
        raise InvalidError("This cursor is not one of ours.", field=field) from None
