"""The audit (B10): every event, numbered or about to be, with who, when, from where, before and after."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.permissions import Permission, Viewer
from domain.streams import told_without_texts
from store.dialog_rows import Page
from store.tables import Event, TeamMember, User


@dataclass(frozen=True, slots=True)
class AskedLog:
    """`at_from` counts itself, `at_to` does not. `before_id`: only what is older than this entry."""

    kinds: frozenset[str] = frozenset()
    actor: UUID | None = None
    operator: UUID | None = None
    dialog: UUID | None = None
    contact: UUID | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None
    before_id: int | None = None
    limit: int = 50


async def list_log(session: AsyncSession, viewer: Viewer, asked: AskedLog) -> Page:
    """Newest first; `next` is the id to go on from."""
    rows = (await session.execute(_query(viewer, asked))).all()
    has_more, rows = len(rows) > asked.limit, rows[: asked.limit]
    with_texts = viewer.may(Permission.DIALOG_READ_TEXTS)
    return Page([_entry(r, with_texts=with_texts) for r in rows], str(rows[-1].Event.id) if has_more else None, None)


def _query(viewer: Viewer, a: AskedLog) -> Select[Event, str, str]:
    actor, operator = aliased(User), aliased(User)
    query: Select[Event, str, str] = (
        select(Event, actor.name.label("actor_name"), operator.name.label("operator_name"))
        .outerjoin(actor, actor.id == Event.actor_id)
        .outerjoin(operator, operator.id == Event.operator_id)
        .order_by(Event.id.desc())
        .limit(a.limit + 1)
    )
    conditions: list[ColumnElement[bool]] = []
    if a.kinds:
        exact = [k for k in a.kinds if not k.endswith(".*")]
        groups = [Event.kind.startswith(k[:-1], autoescape=True) for k in a.kinds if k.endswith(".*")]
        conditions.append(or_(Event.kind.in_(exact), *groups))
    equal = ((Event.actor_id, a.actor), (Event.operator_id, a.operator), (Event.dialog_id, a.dialog),
             (Event.contact_id, a.contact))  # fmt: skip
    conditions += [column == value for column, value in equal if value is not None]
    if a.at_from is not None:
        conditions.append(Event.at >= a.at_from)
    if a.at_to is not None:
        conditions.append(Event.at < a.at_to)
    if a.before_id is not None:
        conditions.append(Event.id < a.before_id)
    if not viewer.sees_all:
        conditions.append(_seen_by(viewer))
    return query.where(and_(*conditions)) if conditions else query


def _seen_by(viewer: Viewer) -> ColumnElement[bool]:
    """Of those who do not see everything: their teams' dialogs and people, changes of settings, their own acts."""
    teams = sorted(viewer.teams)
    near = exists().where(TeamMember.user_id == Event.operator_id, TeamMember.team_key.in_(teams))
    return or_(
        Event.team_key.in_(teams),
        Event.actor_id == viewer.user_id,
        and_(Event.dialog_id.is_(None), Event.kind.startswith("operator."), near),
        and_(Event.dialog_id.is_(None), func.split_part(Event.kind, ".", 1).in_(("settings", "contact"))),
    )


def _entry(r: Any, *, with_texts: bool) -> dict[str, Any]:
    e: Event = r.Event
    return {
        "id": e.id,
        "seq": e.seq,
        "kind": e.kind,
        "at": e.at,
        "dialog_id": e.dialog_id,
        "contact_id": e.contact_id,
        "team": e.team_key,
        "operator_id": e.operator_id,
        "operator_name": r.operator_name,
        "actor": {"kind": e.actor_kind, "id": e.actor_id, "name": r.actor_name, "address": e.address},
        "run_id": e.run_id,
        "data": e.data if with_texts else told_without_texts(e.kind, e.data),
    }
