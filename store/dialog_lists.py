"""Lists of dialogs as somebody may see them, page by page, and the one dialog somebody opens."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    and_,
    cast,
    func,
    join,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession

from domain.criteria import Criteria
from domain.errors import InvalidError
from domain.permissions import Permission, Viewer
from store.criteria import Conditions, alternatives, compile_criteria, dialogs_saying
from store.deadlines import deadline, is_pressed, presses_earlier, pressing
from store.dialog_rows import Page, rows_of
from store.tables import Clock, Dialog, Participant, Transfer
from store.tables.dialogs import LAST_MESSAGE, WAITING_LONGEST

Sort = Literal["newest", "oldest", "waiting", "last_message", "due"]
_MOMENT = DateTime(timezone=True)
#: a viewer in more teams than this has them asked for together
_MOST_TEAM_BRANCHES = 12


@dataclass(frozen=True, slots=True)
class Order:
    """`key` before the id decides; None = the id alone, which is made at the opening and sorts by it.

    `source`: what the dialogs are read from, `where`: which of them this order is about.
    """

    name: str
    key: ColumnElement[Any] | None
    descends: bool
    source: Any = Dialog
    where: tuple[ColumnElement[bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of a list. `after` and `before` are cursors of an earlier page. `also`: criteria (of a folder, of a
    filter) that must fit besides.
    """

    criteria: Criteria
    sort: Sort = "newest"
    limit: int = 50
    after: str | None = None
    before: str | None = None
    also: tuple[Criteria, ...] = ()


_NEVER = literal_column("'infinity'::timestamptz", _MOMENT)
#: the earliest deadline of each dialog, walked along its index; then those that nothing presses
_PRESSED = Order("due", deadline, descends=False, source=join(Dialog, Clock), where=(pressing, ~presses_earlier))
_LATE = replace(_PRESSED, where=(*_PRESSED.where, deadline <= func.now()))
_UNPRESSED = Order("due", _NEVER, descends=False, where=(~is_pressed,))


def orders_of(asked: Asked) -> tuple[Order, ...]:
    """More than one: each of its own dialogs, sorted by the same key."""
    c = asked.criteria
    if asked.sort == "due":
        return _by_deadline(asked)
    if asked.sort == "waiting":
        return (Order("waiting", literal_column(WAITING_LONGEST, _MOMENT), descends=False),)
    if asked.sort == "last_message":
        return (Order("last_message", literal_column(LAST_MESSAGE, _MOMENT), descends=True),)
    by_opening = c.opened_from or c.opened_to or c.operator
    name = f"{asked.sort}_opened" if by_opening else asked.sort
    return (Order(name, Dialog.opened_at.expression if by_opening else None, descends=asked.sort == "newest"),)


def _by_deadline(asked: Asked) -> tuple[Order, ...]:
    """Those of the two halves where there can be any."""
    every = (asked.criteria, *asked.also)
    if any(c.overdue for c in every):
        return (_LATE,)
    if any(c.status == {"closed"} for c in every):
        return (_UNPRESSED,)
    return _PRESSED, _UNPRESSED


def _without_late(criteria: Criteria) -> Criteria:
    """Where the order itself holds no others."""
    return replace(criteria, overdue=None) if criteria.overdue else criteria


async def list_dialogs(session: AsyncSession, viewer: Viewer, asked: Asked) -> Page:
    """The dialogs of `criteria` that the viewer may read. Raises InvalidError for a cursor of another list."""
    if asked.after is not None and asked.before is not None:
        raise InvalidError("Give after or before, not both.", field="before")
    order, *_ = orders = orders_of(asked)
    with_texts = viewer.may(Permission.DIALOG_READ_TEXTS)
    words = asked.criteria.words
    said_in = await dialogs_saying(session, words) if words and with_texts else None
    rows = (await session.execute(_page_of_ids(viewer, asked, orders, said_in))).all()
    is_backwards = asked.before is not None
    has_more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    if is_backwards:
        rows = rows[::-1]
    items = await rows_of(session, [r.id for r in rows], with_texts=with_texts)
    after = _cursor(order, rows[-1]) if rows and (has_more or is_backwards) else None
    before = _cursor(order, rows[0]) if rows else None
    return Page(items, after, before)


def _page_of_ids(viewer: Viewer, asked: Asked, orders: Sequence[Order], said_in: Sequence[UUID] | None) -> Select[Any]:
    """One row more than a page. Every branch stops at a page of its own, so that no branch reads all there is."""
    order = orders[0]
    if order is _LATE:
        asked = replace(asked, criteria=_without_late(asked.criteria), also=tuple(map(_without_late, asked.also)))
    descends = order.descends != (asked.before is not None)
    with_texts = viewer.may(Permission.DIALOG_READ_TEXTS)
    besides = [compile_criteria(c, with_texts=with_texts) for c in asked.also]
    branches = [
        _ordered(select(Dialog.id, (_text(one.key)).label("k")).select_from(one.source), one, descends)
        .where(*one.where, *seen, *conditions, *besides)
        .where(*_beyond(one, asked.after or asked.before, descends, "after" if asked.after else "before"))
        .limit(asked.limit + 1)
        for one in orders
        for seen, conditions in _walks(
            one,
            visible(viewer, asked.criteria.team),
            alternatives(asked.criteria, with_texts=with_texts, said_in=said_in),
        )
    ]
    if len(branches) == 1:
        return branches[0]
    together = union(*(select(b.subquery()) for b in branches)).subquery()
    key = cast(together.c.k, _MOMENT)
    columns = [together.c.id] if order.key is None else [key, together.c.id]
    return select(together).order_by(*(c.desc() if descends else c.asc() for c in columns)).limit(asked.limit + 1)


def _walks(order: Order, seen: list[Conditions], asked: list[Conditions]) -> list[tuple[Conditions, Conditions]]:
    """Each pair by an index of its own; but the few that have a deadline are walked once, whoever may see them."""
    if order.source is Dialog:
        return list(product(seen, asked))
    return [([_any(seen)], [_any(asked)])]


def _any(branches: list[Conditions]) -> ColumnElement[bool]:
    return or_(*(and_(true(), *branch) for branch in branches))


def visible(viewer: Viewer, asked_teams: frozenset[str] = frozenset()) -> list[Conditions]:
    """Lists of conditions whose union is what the viewer may read (domain.permissions.may_read, DECISIONS 20)."""
    if not viewer.may(Permission.DIALOG_READ):
        return [[literal(False)]]
    if viewer.sees_all:
        return [[]]
    teams = sorted(viewer.teams & asked_teams if asked_teams else viewer.teams)
    of_teams: list[Conditions] = [[Dialog.team_key == team] for team in teams]
    if len(teams) > _MOST_TEAM_BRANCHES:
        of_teams = [[Dialog.team_key.in_(teams)]]
    me = viewer.user_id
    mine = select(Participant.dialog_id).where(Participant.user_id == me)
    offered = select(Transfer.dialog_id).where(
        Transfer.to_operator == me, Transfer.state == "pending", Transfer.deadline > func.now()
    )
    return [
        *of_teams,
        [Dialog.operator_id == me],
        [Dialog.author_id == me],
        [Dialog.id.in_(mine)],
        [Dialog.id.in_(offered)],
    ]


def _ordered(query: Select[Any], order: Order, descends: bool) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [Dialog.id.expression]
    if order.key is not None:
        columns.insert(0, order.key)
    return query.order_by(*(c.desc() if descends else c.asc() for c in columns))


def _text(key: ColumnElement[Any] | None) -> ColumnElement[Any]:
    return literal_column("NULL::text") if key is None else literal_column(f"({key})::text")


def _beyond(order: Order, cursor: str | None, descends: bool, field: str) -> Conditions:
    if cursor is None:
        return []
    name, key, id_ = _read_cursor(cursor, field)
    if name != order.name or (key is None) != (order.key is None):
        raise InvalidError("This cursor belongs to another list: repeat the list's sort and filters.", field=field)
    if order.key is None:
        return [Dialog.id < id_ if descends else Dialog.id > id_]
    if order.key is _NEVER:
        if key != "infinity":
            return [literal(False)] if descends else []
        return [Dialog.id < id_ if descends else Dialog.id > id_]
    here = tuple_(order.key, Dialog.id)
    there = tuple_(cast(literal(key), _MOMENT), literal(id_))
    return [here < there if descends else here > there]


def _cursor(order: Order, row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([order.name, row.k, str(row.id)]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, field: str) -> tuple[str, str | None, UUID]:
    try:
        name, key, id_ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if key is not None and key != "infinity":
            datetime.fromisoformat(key)
        return str(name), key, UUID(id_)
    except (ValueError, TypeError, AttributeError):
        raise InvalidError("This cursor is not one of ours.", field=field) from None
