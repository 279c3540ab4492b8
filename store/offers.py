"""Offers as they must be told now: a passed deadline is passed, carried out or not (I3)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.permissions import Permission, Viewer, may_read
from domain.transfers import Offer, state_at
from store.dialog_rows import Page, relations_of

_OFFERS = """
SELECT t.*, d.number, d.team_key, d.operator_id AS holder_id, c.name AS contact_name, d.channel_key, d.topic_key,
       f.name AS from_name, o.name AS to_name, b.name AS by_name, h.name AS holder_name, now() AS now
FROM transfers t JOIN dialogs d ON d.id = t.dialog_id JOIN contacts c ON c.id = d.contact_id
LEFT JOIN users f ON f.id = t.from_operator LEFT JOIN users o ON o.id = t.to_operator
LEFT JOIN users b ON b.id = t.offered_by LEFT JOIN users h ON h.id = d.operator_id
"""
_ONE = text(f"{_OFFERS} WHERE t.id = :id")
_STATES = {
    Offer.PENDING: "t.state = 'pending' AND t.deadline > now()",
    Offer.EXPIRED: "(t.state = 'expired' OR t.state = 'pending' AND t.deadline <= now())",
}


@dataclass(frozen=True, slots=True)
class AskedOffers:
    """`to`, `from_` and `dialog` narrow the list; `after` is the id of the last one seen."""

    to: UUID | None = None
    from_: UUID | None = None
    dialog: UUID | None = None
    state: Offer | None = None
    after: UUID | None = None
    limit: int = 50


async def get_offer(session: AsyncSession, viewer: Viewer, transfer_id: UUID) -> dict[str, Any]:
    """For those it concerns and those who may read its dialog. Raises NotFoundError."""
    row = (await session.execute(_ONE, {"id": transfer_id})).one_or_none()
    if row is not None:
        if viewer.user_id in (row.to_operator, row.from_operator, row.offered_by):
            return _offer(row, viewer)
        relation = (await relations_of(session, [row.dialog_id])).get(row.dialog_id)
        if relation is not None and may_read(viewer, relation):
            return _offer(row, viewer)
    raise NotFoundError("There is no such transfer.")


async def list_offers(session: AsyncSession, viewer: Viewer, asked: AskedOffers) -> Page:
    """Newest first: offers that concern the viewer or are of dialogs of their teams."""
    conditions: list[str] = []
    given: dict[str, Any] = {"limit": asked.limit + 1}
    narrowed = {"to": ("t.to_operator", asked.to), "from_": ("t.from_operator", asked.from_)}
    narrowed["dialog"] = ("t.dialog_id", asked.dialog)
    for name, (column, value) in narrowed.items():
        if value is not None:
            conditions.append(f"{column} = :{name}")
            given[name] = value
    if asked.state is not None:
        conditions.append(_STATES.get(asked.state, f"t.state = '{asked.state.value}'"))
    if asked.after is not None:
        conditions.append("t.id < :after")
        given["after"] = asked.after
    if not viewer.sees_all:
        conditions.append(
            "(d.team_key = ANY(:teams) OR d.operator_id = :me OR :me IN (t.to_operator, t.from_operator, t.offered_by))"
        )
        given |= {"teams": sorted(viewer.teams), "me": viewer.user_id}
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = (await session.execute(text(f"{_OFFERS} {where} ORDER BY t.id DESC LIMIT :limit"), given)).all()
    has_more, rows = len(rows) > asked.limit, rows[: asked.limit]
    return Page([_offer(r, viewer) for r in rows], str(rows[-1].id) if has_more else None, None)


def _offer(r: Any, viewer: Viewer) -> dict[str, Any]:
    state = state_at(r.state, r.deadline, r.now)
    is_late = state != r.state
    may_read_why = r.state != Offer.DECLINED or viewer.may(Permission.DIALOG_READ_TEXTS)
    left = (r.deadline - r.now).total_seconds() if state == Offer.PENDING else 0.0
    return {
        "transfer_id": r.id,
        "dialog_id": r.dialog_id,
        "dialog": {"number": r.number, "contact": r.contact_name, "channel": r.channel_key, "topic": r.topic_key,
                   "team": r.team_key},
        "state": state,
        "from_operator": r.from_operator,
        "from_operator_name": r.from_name,
        "to_operator": r.to_operator,
        "to_operator_name": r.to_name,
        "to_team": r.to_team,
        "offered_by": r.offered_by,
        "offered_by_name": r.by_name,
        "fallback": r.fallback,
        "window": r.window,
        "offered_at": r.offered_at,
        "deadline": r.deadline,
        "seconds_left": round(left, 1),
        "ended_at": r.deadline if is_late else r.ended_at,
        "ended_by": r.ended_by,
        "reason": r.reason if may_read_why else None,
        "note_id": r.note_id,
        "operator_id": r.holder_id if state == Offer.PENDING or is_late else r.holder_after,
        "holder": {"id": r.holder_id, "name": r.holder_name} if r.holder_id else None,
    }  # fmt: skip
