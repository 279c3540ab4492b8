"""Who a run works over: resolved once, in one statement, and frozen into the run's items in their order."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    case,
    cast,
    column,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidError, NotFoundError
from domain.launches import Selected
from domain.permissions import Permission, Viewer
from domain.selections import FIELDS, ORDERABLE, Both, Tree
from store.conditions import column_of, compile_tree
from store.criteria import compile_criteria
from store.dialog_lists import visible
from store.folders import criteria_of
from store.tables import Contact, Dialog, Operator, Run, RunItem, Team, TeamMember, Topic, User

_COUNT = text("SELECT count(*) FROM run_items WHERE run_id = :run")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is selected: what the launch chose AND what the definition's own condition holds. `limit` of items."""

    target: str
    chosen: Selected
    own: Tree
    order_by: str | None
    limit: int
    per_contact: bool = False


async def freeze(session: AsyncSession, run: Run, viewer: Viewer, wanted: Wanted) -> int:
    """Insert the run's items, the target `none` one without a target; answers how many, at most `limit` + 1.

    Of dialogs of one contact all but the first are skipped where the definition wants one per contact.
    Raises InvalidError for a selection that makes no sense, NotFoundError for an unknown folder, filter, operator,
    team or topic.
    """
    if wanted.target == "none":
        session.add(RunItem(run_id=run.id, seq=1, origin_seq=1, target_key="none"))
        await session.flush()
        return 1
    chosen = (await _query(session, viewer, wanted)).limit(wanted.limit + 1).subquery()
    place = chosen.c.place
    is_double = case(
        (and_(chosen.c.contact_id.is_not(None), chosen.c.nth > 1), true()), else_=false()
    ) if wanted.per_contact else false()  # fmt: skip
    rows = select(
        literal(run.id), place, place, cast(chosen.c.target, String), chosen.c.dialog_id, chosen.c.contact_id,
        chosen.c.operator_id,
        case((is_double, literal("skipped")), else_=literal("pending")),
        case((is_double, literal("duplicate_contact")), else_=null()),
        case((is_double, func.clock_timestamp()), else_=null()),
    )  # fmt: skip
    names = [
        "run_id", "seq", "origin_seq", "target_key", "dialog_id", "contact_id", "operator_id", "state", "reason",
        "finished_at",
    ]  # fmt: skip
    await session.execute(insert(RunItem).from_select(names, rows))
    return int(await session.scalar(_COUNT, {"run": run.id}) or 0)


async def count(session: AsyncSession, viewer: Viewer, wanted: Wanted) -> int:
    """How many items there would be without a limit."""
    if wanted.target == "none":
        return 1
    query = await _query(session, viewer, wanted)
    return int(await session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0)


async def _query(session: AsyncSession, viewer: Viewer, wanted: Wanted) -> Select[Any]:
    """Rows (place, target, dialog_id, contact_id, operator_id, nth of its contact) in their order."""
    source, target, columns = _SOURCES[wanted.target]
    conditions: list[ColumnElement[bool]] = [compile_tree(wanted.own), _seen(viewer, wanted.target)]
    conditions += await _chosen(session, viewer, wanted)
    order: list[ColumnElement[Any]] = []
    ids = wanted.chosen.ids
    if ids is not None:
        given = (
            func.unnest(literal(list(ids), ARRAY(Uuid)))
            .table_valued(column("id", Uuid), with_ordinality="at", name="given")
            .render_derived()
        )
        first = select(given.c.id, func.min(given.c.at).label("at")).group_by(given.c.id).subquery()
        source = source.join(first, first.c.id == target)
        order.append(first.c.at)
    if wanted.order_by is not None:
        order.insert(0, _ordered(wanted))
    order.append(target)
    place = func.row_number().over(order_by=order).label("place")
    contact = columns["contact_id"]
    nth = func.row_number().over(partition_by=contact, order_by=order).label("nth") if wanted.per_contact else null()
    return (
        select(
            place, target.label("target"), columns["dialog_id"].label("dialog_id"), contact.label("contact_id"),
            columns["operator_id"].label("operator_id"), nth.label("nth"),
        )
        .select_from(source)
        .where(*conditions)
        .order_by(place)
    )  # fmt: skip


_NONE = cast(null(), Uuid)
_SOURCES: dict[str, tuple[Any, ColumnElement[Any], dict[str, ColumnElement[Any]]]] = {
    "dialog": (
        Dialog.__table__.join(Contact.__table__, Contact.id == Dialog.contact_id),
        Dialog.id.expression,
        {"dialog_id": Dialog.id.expression, "contact_id": Dialog.contact_id.expression, "operator_id": _NONE},
    ),
    "contact": (
        Contact.__table__,
        Contact.id.expression,
        {"dialog_id": _NONE, "contact_id": Contact.id.expression, "operator_id": _NONE},
    ),
    "operator": (
        User.__table__.join(Operator.__table__, Operator.user_id == User.id),
        User.id.expression,
        {"dialog_id": _NONE, "contact_id": _NONE, "operator_id": User.id.expression},
    ),
}


def _seen(viewer: Viewer, target: str) -> ColumnElement[bool]:
    """Only what the launcher may read is ever selected (DECISIONS 20)."""
    readable = or_(*(and_(true(), *branch) for branch in visible(viewer)))
    if target == "dialog":
        return readable
    if target == "contact":
        if viewer.sees_all:
            return true()
        return select(Dialog.id).where(Dialog.contact_id == Contact.id, readable).exists()
    if not viewer.may(Permission.OPERATORS_READ):
        return false()
    if viewer.sees_all:
        return User.is_active.expression
    mates = select(TeamMember.user_id).where(TeamMember.team_key.in_(sorted(viewer.teams)))
    return and_(User.is_active, or_(User.id == viewer.user_id, User.id.in_(mates)))


async def _chosen(session: AsyncSession, viewer: Viewer, wanted: Wanted) -> list[ColumnElement[bool]]:
    chosen = wanted.chosen
    if wanted.target == "operator":
        return await _operators(session, chosen)
    if wanted.target == "contact":
        _require_none(chosen, "folder", "filter", "operator", "team", "topic", target="contact")
        return []
    conditions: list[ColumnElement[bool]] = []
    with_texts = viewer.may(Permission.DIALOG_READ_TEXTS)
    for kind, named in (("folder", chosen.folder), ("filter", chosen.filter)):
        if named is not None:
            criteria = await criteria_of(session, viewer, kind, named)  # type: ignore[arg-type]
            conditions.append(compile_criteria(criteria, with_texts=with_texts))
    if chosen.operator is not None:
        await _require_known(session, "operator", select(User.id).where(User.id == chosen.operator), chosen.operator)
        conditions += [Dialog.operator_id == chosen.operator, Dialog.status != "closed"]
    if chosen.team is not None:
        conditions.append(Dialog.team_key == await _known_team(session, chosen.team))
    if chosen.topic is not None:
        await _require_known(session, "topic", select(Topic.key).where(Topic.key == chosen.topic), chosen.topic)
        conditions.append(Dialog.topic_key == chosen.topic)
    return conditions


async def _known_team(session: AsyncSession, team: str) -> str:
    await _require_known(session, "team", select(Team.key).where(Team.key == team), team)
    return team


async def _require_known(session: AsyncSession, what: str, found: Select[Any], wanted: object) -> None:
    """A misspelt name must not pass for a run over nothing."""
    if await session.scalar(found) is None:
        raise NotFoundError(f"There is no {what} '{wanted}'.")


async def _operators(session: AsyncSession, chosen: Selected) -> list[ColumnElement[bool]]:
    _require_none(chosen, "folder", "filter", "topic", target="operator")
    conditions: list[ColumnElement[bool]] = []
    if chosen.operator is not None:
        await _require_known(session, "operator", select(User.id).where(User.id == chosen.operator), chosen.operator)
        conditions.append(User.id == chosen.operator)
    if chosen.team is not None:
        team = await _known_team(session, chosen.team)
        conditions.append(User.id.in_(select(TeamMember.user_id).where(TeamMember.team_key == team)))
    return conditions


def _require_none(chosen: Selected, *names: str, target: str) -> None:
    for name in names:
        if getattr(chosen, name) is not None:
            raise InvalidError(f"{name} chooses dialogs; an item of this process is one {target}.", field="selection")


def require_order(target: str, order_by: str) -> tuple[str, bool]:
    """The field and whether it descends (`-dialog.opened_at`). Raises InvalidError."""
    field, descends = order_by.removeprefix("-"), order_by.startswith("-")
    kind = FIELDS.get(target, {}).get(field)
    if kind not in ORDERABLE:
        raise InvalidError(f"Items cannot be ordered by {field!r}: a moment or a number of theirs.", field="order_by")
    return field, descends


def _ordered(wanted: Wanted) -> ColumnElement[Any]:
    assert wanted.order_by is not None
    field, descends = require_order(wanted.target, wanted.order_by)
    found = column_of(field)
    ordered: ColumnElement[Any] = (found.desc() if descends else found.asc()).nulls_last()
    return ordered


def is_empty(chosen: Selected) -> bool:
    """Whether a launch chose nothing at all."""
    return chosen == Selected()


EVERYTHING = Both(())


def missing_ids(found: int, ids: tuple[UUID, ...] | None) -> int:
    """How many of the ids given are not among the items: not readable, not there, or not what the definition takes."""
    return 0 if ids is None else max(0, len(set(ids)) - found)
