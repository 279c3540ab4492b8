"""Reports about promised time, counted from the clocks as they stand; the dialogs behind each number."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Text, and_, cast, func, literal, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from domain.clock_reports import Counted, Group, Result, share
from domain.errors import InvalidError
from domain.permissions import Viewer
from domain.tickets import spoken
from store.dialog_rows import Page
from store.tables import Clock, Dialog, Priority, Team, Topic, User

Conditions = list[ColumnElement[bool]]

#: who holds the dialog, or held it last
_HANDLER = func.coalesce(Dialog.operator_id, Dialog.last_operator_id)
#: a deadline that has passed counts as passed, carried out or not (DECISIONS 6)
_OVERDUE = and_(
    Clock.state != "ended",
    or_(Clock.breached_at.is_not(None), and_(Clock.state == "running", Clock.due_at <= func.now())),
)
_RESULTS = (Result.MET, Result.BREACHED, Result.DROPPED)


async def report(session: AsyncSession, viewer: Viewer, counted: Counted, group: Group, *, zone: str) -> dict[str, Any]:
    """`rows`: one per group and metric; `totals`: one per metric. Days are those of `zone`. Only the viewer's teams.

    What is overdue now belongs to no day: there it is None.
    """
    key = _key(group, zone)
    rows = await _ended(session, viewer, counted, key)
    late = await _late(session, viewer, counted, literal("") if group == Group.DAY else key)
    found: dict[tuple[Any, str], dict[str, int]] = {}
    for told in rows:
        found[told.key, told.metric] = {r: getattr(told, r) for r in _RESULTS} | {"overdue": 0}
    totals: dict[str, dict[str, int]] = {}
    for told in late:
        if group != Group.DAY:
            found.setdefault((told.key, told.metric), _nothing())["overdue"] = told.overdue
        totals.setdefault(told.metric, _nothing())["overdue"] += told.overdue
    for (_, metric), numbers in found.items():
        total = totals.setdefault(metric, _nothing())
        for result in _RESULTS:
            total[result] += numbers[result]
    names = await _names(session, group, {k for k, _ in found})
    ordered = sorted(found.items(), key=lambda one: (one[0][0] is None, str(one[0][0]), one[0][1]))
    return {
        "rows": [
            {"group": _shown(group, k), "name": names.get(k)} | _numbers(metric, n, is_day=group == Group.DAY)
            for (k, metric), n in ordered
        ],
        "totals": [_numbers(metric, n) for metric, n in sorted(totals.items())],
    }


async def behind(
    session: AsyncSession, viewer: Viewer, counted: Counted, result: Result, *, limit: int, after: str | None
) -> Page:
    """The clocks a number counts with their dialogs, the latest first: of overdue ones by their deadline."""
    moment = func.coalesce(Clock.breached_at, Clock.due_at) if result == Result.OVERDUE else Clock.ended_at
    conditions = _where(viewer, counted)
    conditions += [_OVERDUE] if result == Result.OVERDUE else [*_in_period(counted), Clock.result == result.value]
    if after is not None:
        at, id_ = _read_cursor(after)
        conditions.append(tuple_(moment, Clock.id) < tuple_(literal(at), literal(id_)))
    query = (
        select(
            Clock, Dialog.number, Dialog.ticket_number, Dialog.kind, Dialog.status.label("dialog_status"),
            _HANDLER.label("operator"), User.name.label("operator_name"), moment.label("moment"),
        )
        .join(Dialog, Dialog.id == Clock.dialog_id)
        .outerjoin(User, User.id == _HANDLER)
        .where(*conditions)
        .order_by(moment.desc(), Clock.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    rows = (await session.execute(query)).all()
    has_more, rows = len(rows) > limit, rows[:limit]
    return Page([_told(r) for r in rows], _cursor(rows[-1]) if has_more else None, None)


async def _ended(session: AsyncSession, viewer: Viewer, counted: Counted, key: ColumnElement[Any]) -> list[Any]:
    numbers = [func.count().filter(Clock.result == r.value).label(r.value) for r in _RESULTS]
    query = (
        select(key.label("key"), Clock.metric, *numbers)
        .join(Dialog, Dialog.id == Clock.dialog_id)
        .where(*_in_period(counted), *_where(viewer, counted))
        .group_by(key, Clock.metric)
    )
    return list((await session.execute(query)).all())


async def _late(session: AsyncSession, viewer: Viewer, counted: Counted, key: ColumnElement[Any]) -> list[Any]:
    query = (
        select(key.label("key"), Clock.metric, func.count().label("overdue"))
        .join(Dialog, Dialog.id == Clock.dialog_id)
        .where(_OVERDUE, *_where(viewer, counted))
        .group_by(key, Clock.metric)
    )
    return list((await session.execute(query)).all())


def _key(group: Group, zone: str) -> ColumnElement[Any]:
    columns: Mapping[Group, Any] = {
        Group.METRIC: Clock.metric, Group.TOPIC: Clock.topic_key, Group.TEAM: Clock.team_key,
        Group.PRIORITY: Clock.priority, Group.OPERATOR: _HANDLER,
    }  # fmt: skip
    if group == Group.DAY:
        return cast(cast(func.timezone(zone, Clock.ended_at), Date), Text)
    found: ColumnElement[Any] = columns[group]
    return found


def _in_period(counted: Counted) -> Conditions:
    return [Clock.state == "ended", Clock.ended_at >= counted.begin, Clock.ended_at < counted.end]


def _where(viewer: Viewer, c: Counted) -> Conditions:
    """What is asked for, as far as it is of the viewer's teams (I8)."""
    conditions: Conditions = [true()] if viewer.sees_all else [Clock.team_key.in_(sorted(viewer.teams))]
    asked: tuple[tuple[Any, frozenset[Any]], ...] = (
        (Clock.metric, c.metrics), (Clock.topic_key, c.topics), (Clock.team_key, c.teams),
        (Clock.priority, c.priorities), (_HANDLER, c.operators),
    )  # fmt: skip
    for column, values in asked:
        some = sorted((v for v in values if v is not None), key=str)
        if values:
            conditions.append(or_(column.in_(some), column.is_(None)) if None in values else column.in_(some))
    return conditions


async def _names(session: AsyncSession, group: Group, keys: set[Any]) -> dict[Any, str]:
    sources: Mapping[Group, tuple[Any, Any]] = {
        Group.TOPIC: (Topic.key, Topic.name), Group.TEAM: (Team.key, Team.name),
        Group.PRIORITY: (Priority.key, Priority.name_uk), Group.OPERATOR: (User.id, User.name),
    }  # fmt: skip
    if group not in sources:
        return {}
    id_, name = sources[group]
    rows = await session.execute(select(id_, name).where(id_.in_([k for k in keys if k is not None])))
    return {r[0]: r[1] for r in rows}


def _nothing() -> dict[str, int]:
    return dict.fromkeys([*_RESULTS, "overdue"], 0)


def _numbers(metric: str, n: Mapping[str, int], *, is_day: bool = False) -> dict[str, Any]:
    return {
        "metric": metric, "met": n["met"], "breached": n["breached"], "dropped": n["dropped"],
        "share_met": share(n["met"], n["breached"]), "running_overdue": None if is_day else n["overdue"],
    }  # fmt: skip


def _shown(group: Group, key: Any) -> str | None:
    return None if key is None else str(key)


def _told(r: Any) -> dict[str, Any]:
    c: Clock = r.Clock
    late = (c.ended_at - c.breached_at if c.breached_at else timedelta()) if c.ended_at else None
    return {
        "dialog_id": c.dialog_id, "number": r.number, "kind": r.kind, "dialog_status": r.dialog_status,
        "ticket_number": r.ticket_number, "spoken": spoken(r.ticket_number) if r.ticket_number is not None else None,
        "clock_id": c.id, "metric": c.metric, "alias": c.alias, "status": c.status or None, "cycle": c.cycle,
        "target": c.target, "started_at": c.started_at, "due_at": c.due_at, "breached_at": c.breached_at,
        "ended_at": c.ended_at, "result": c.result, "late_by": late.total_seconds() if late is not None else None,
        "topic": c.topic_key, "team": c.team_key, "priority": c.priority, "operator_id": r.operator,
        "operator_name": r.operator_name,
    }  # fmt: skip


def _cursor(row: Any) -> str:
    told = json.dumps([row.moment.isoformat(), str(row.Clock.id)])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, id_ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError
        return moment, UUID(id_)
    except (ValueError, TypeError, AttributeError):
        raise InvalidError("This cursor is not one of ours.", field="after") from None
