"""What was said in a dialog, in its order; and the decisions about who got it."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.decisions import explain
from domain.permissions import Permission, Viewer
from store.dialog_rows import Page, require_readable
from store.tables import Message, User

_DECISIONS = text("""
SELECT x.id, x.at, x.team_key, x.method, x.outcome, x.winner_id, x.reason, x.cause, x.actor_id, x.candidates,
       x.excluded, x.took
FROM decisions x WHERE x.dialog_id = :id AND (:after < 0 OR x.id < :after) ORDER BY x.id DESC LIMIT :limit
""")


async def list_messages(
    session: AsyncSession,
    viewer: Viewer,
    dialog_id: UUID,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Page:
    """Messages and notes in the order of `seq`: those after one, those before one, or the newest ones.

    Without the right to read texts the messages come without them. Raises NotFoundError.
    """
    await require_readable(session, viewer, dialog_id)
    with_texts = viewer.may(Permission.DIALOG_READ_TEXTS)
    query = (
        select(Message, User.name.label("author_name"))
        .outerjoin(User, User.id == Message.author_id)
        .where(Message.dialog_id == dialog_id)
        .limit(limit + 1)
    )
    is_forwards = after is not None
    if after is not None:
        query = query.where(Message.seq > after)
    if before is not None:
        query = query.where(Message.seq < before)
    rows = (await session.execute(query.order_by(Message.seq if is_forwards else Message.seq.desc()))).all()
    has_more = len(rows) > limit
    rows = rows[:limit] if is_forwards else rows[:limit][::-1]
    items = [message_of(r.Message, r.author_name, with_texts=with_texts) for r in rows]
    has_next, has_previous = (has_more, True) if is_forwards else (before is not None, has_more)
    return Page(
        items,
        str(rows[-1].Message.seq) if rows and has_next else None,
        str(rows[0].Message.seq) if rows and has_previous else None,
    )


def message_of(m: Message, author: str | None, *, with_texts: bool) -> dict[str, Any]:
    return {
        "id": m.id,
        "seq": m.seq,
        "direction": m.direction,
        "mode": "note" if m.direction == "note" else "message" if m.direction == "in" else "reply",
        "author": {"kind": m.author_kind, "id": m.author_id, "name": author},
        "text": m.text if with_texts else None,
        "attachments": m.attachments if with_texts else [],
        "channel": m.channel_key,
        "pinned": m.is_pinned,
        "moved_from": m.moved_from,
        "created_at": m.created_at,
        "delivery": m.delivery,
        "delivery_error": m.delivery_error,
        "attempts": m.attempts,
        "sent_at": m.sent_at,
    }


async def list_decisions(
    session: AsyncSession, viewer: Viewer, dialog_id: UUID, *, after: int | None = None, limit: int = 50
) -> Page:
    """Why the dialog went to whom, newest first, with names (B1). Raises NotFoundError."""
    await require_readable(session, viewer, dialog_id)
    given = {"id": dialog_id, "after": -1 if after is None else after, "limit": limit + 1}
    rows = (await session.execute(_DECISIONS, given)).all()
    has_more, rows = len(rows) > limit, rows[:limit]
    people = {UUID(c["operator_id"]) for r in rows for c in r.candidates}
    people |= {i for r in rows for i in (r.winner_id, r.actor_id) if i}
    names = await names_of(session, people)
    items = [_decision(r, names) for r in rows]
    return Page(items, str(rows[-1].id) if has_more else None, None)


async def names_of(session: AsyncSession, ids: "set[UUID]") -> dict[UUID, str]:
    if not ids:
        return {}
    rows = await session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {r.id: r.name for r in rows}


def _decision(r: Any, names: dict[UUID, str]) -> dict[str, Any]:
    def person(id_: UUID | None) -> dict[str, Any] | None:
        return {"id": id_, "name": names.get(id_)} if id_ else None

    candidates = [{**c, "name": names.get(UUID(c["operator_id"]))} for c in r.candidates]
    told = explain(r.method, r.outcome, r.reason, r.cause, candidates, r.excluded)
    return {
        "id": r.id,
        "at": r.at,
        "team": r.team_key,
        "method": r.method,
        "outcome": r.outcome,
        "winner": person(r.winner_id),
        "reason": r.reason,
        "cause": r.cause,
        "by": person(r.actor_id),
        "candidates": candidates,
        "excluded": r.excluded,
        "took_ms": r.took,
        "rule": told.rule,
        "tie_break": told.tie_break,
        "says": told.says,
    }
