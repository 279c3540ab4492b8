"""Runs as people read them: the list, one with its live totals, its items page by page, the rows of its report."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.permissions import Permission, Viewer
from domain.runs import Totals
from store.approvals import seen_facts
from store.dialog_rows import require_readable
from store.engines import Sessions
from store.run_views import Sight, seen_in_part, seen_item, seen_whole
from store.tables import Approval, Contact, Dialog, Run, RunItem, User

MASK = "•••"
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class SoughtRuns:
    """`launched_by`: whose launches. `operator`: whose dialogs were chosen. `after`: number of the last run before."""

    kind: frozenset[str] = frozenset()
    definition: frozenset[str] = frozenset()
    status: frozenset[str] = frozenset()
    trigger: frozenset[str] = frozenset()
    dialog: UUID | None = None
    operator: UUID | None = None
    launched_by: UUID | None = None
    origin: UUID | None = None
    parent: UUID | None = None
    dry: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None
    limit: int = 50


async def list_runs(
    session: AsyncSession, viewer: Viewer, sought: SoughtRuns
) -> tuple[list[dict[str, Any]], int | None]:
    """Newest first, and the number to go on after. Raises NotFoundError for a dialog the viewer may not read."""
    if sought.dialog is not None:
        await require_readable(session, viewer, sought.dialog)
    query = select(Run, User.name).outerjoin(User, User.id == Run.launched_by).where(*_conditions(viewer, sought))
    rows = (await session.execute(query.order_by(Run.number.desc()).limit(sought.limit + 1))).all()
    shown = rows[: sought.limit]
    totals = await _totals(session, [r.Run.id for r in shown])
    items = [_row(r.Run, r.name, *totals[r.Run.id]) for r in shown]
    if not viewer.may(Permission.DIALOG_READ_TEXTS):
        items = [item | {"message": None} for item in items]
    return items, shown[-1].Run.number if len(rows) > sought.limit else None


def _conditions(viewer: Viewer, s: SoughtRuns) -> list[ColumnElement[bool]]:
    of_dialog = exists().where(RunItem.run_id == Run.id, RunItem.dialog_id == s.dialog)
    # a big run that touched one dialog of somebody's is found by that dialog, or by its id
    part = seen_in_part(viewer) if s.dialog is not None else and_(Run.total == 1, seen_in_part(viewer))
    found: list[ColumnElement[bool]] = [or_(seen_whole(viewer), part)]
    for text, wanted in (
        (Run.kind, s.kind), (Run.definition_key, s.definition), (Run.status, s.status), (Run.trigger_kind, s.trigger),
    ):  # fmt: skip
        if wanted:
            found.append(text.in_(sorted(wanted)))
    for column, value in ((Run.launched_by, s.launched_by), (Run.origin_run, s.origin), (Run.parent_run, s.parent)):
        if value is not None:
            found.append(column == value)
    if s.dialog is not None:
        found.append(of_dialog)
    if s.operator is not None:
        its = exists().where(RunItem.run_id == Run.id, RunItem.operator_id == s.operator)
        found.append(or_(Run.selection["operator"].astext == str(s.operator), and_(Run.total == 1, its)))
    if s.dry is not None:
        found.append(Run.is_dry.is_(s.dry))
    if s.since is not None:
        found.append(Run.created_at >= s.since)
    if s.until is not None:
        found.append(Run.created_at < s.until)
    if s.after is not None:
        found.append(Run.number < s.after)
    return found


async def _totals(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, tuple[Totals, int]]:
    wanted = list(ids)
    counts: dict[UUID, dict[str, int]] = {i: {} for i in wanted}
    attention = dict.fromkeys(wanted, 0)
    rows = await session.execute(
        select(RunItem.run_id, RunItem.state, func.count().label("n"))
        .where(RunItem.run_id.in_(wanted))
        .group_by(RunItem.run_id, RunItem.state)
    )
    for r in rows:
        counts[r.run_id][r.state] = r.n
    doubtful = await session.execute(
        select(RunItem.run_id, func.count().label("n"))
        .where(RunItem.run_id.in_(wanted), RunItem.needs_attention)
        .group_by(RunItem.run_id)
    )
    attention |= {d.run_id: d.n for d in doubtful}
    return {i: (Totals.of(counts[i]), attention[i]) for i in wanted}


async def report_of(session: AsyncSession, sight: Sight) -> dict[str, Any]:
    """One run with its live totals, inputs (sensitive ones masked), why it stopped, what it waits for, its links.

    A run with one item carries that item, too, as far as the viewer may see it.
    """
    run = sight.run
    name = await session.scalar(select(User.name).where(User.id == run.launched_by))
    totals = (await _totals(session, [run.id]))[run.id]
    approvals = await session.scalars(
        select(Approval)
        .where(Approval.run_id == run.id, Approval.state == "open")
        .order_by(Approval.created_at)
        .limit(20)
    )
    retried_by = await session.scalars(select(Run.id).where(Run.origin_run == run.id).order_by(Run.number).limit(50))
    told = _row(run, name, *totals) | {
        "inputs": masked(run, all_of_them=not sight.shows_texts),
        "selection": run.selection, "concurrency": run.concurrency, "canary": run.canary,
        "cancel_mode": run.cancel_mode, "run_as": run.run_as, "sha256": run.sha256, "locks": run.locks,
        "trigger": run.trigger if sight.is_whole else {}, "cause": run.cause, "parent_seq": run.parent_seq,
        "approvals": [
            {
                "id": a.id, "seq": a.seq, "message": a.message if sight.shows_texts else None, "deadline": a.deadline,
                "facts": seen_facts(a, with_texts=sight.shows_texts),
            }
            for a in approvals
        ],
        "followed_by": list(retried_by),
    }  # fmt: skip
    if run.total == 1:
        only = await items_of(session, [RunItem.run_id == run.id], limit=1, with_texts=sight.shows_texts)
        told["item"] = next(iter(only), None)
    return told if sight.shows_texts else told | {"message": None}


def _row(run: Run, launched_by: str | None, totals: Totals, attention: int) -> dict[str, Any]:
    place = f"/api/v1/runs/{run.id}"
    return {
        "id": run.id, "number": run.number, "kind": run.kind, "definition": run.definition_key,
        "version": run.version, "title": run.title, "status": run.status, "phase": run.phase, "reason": run.reason,
        "error": run.error, "message": run.message, "dry_run": run.is_dry, "target": run.target,
        "topology": run.topology, "total": run.total, "needs_attention": attention,
        "totals": {
            "pending": totals.pending, "running": totals.running, "waiting": totals.waiting,
            "succeeded": totals.succeeded, "skipped": totals.skipped, "failed": totals.failed,
            "cancelled": totals.cancelled,
        },
        "triggered_by": run.trigger_kind,
        "launched_by": {"id": run.launched_by, "name": launched_by} if run.launched_by else None,
        "origin_run": run.origin_run, "origin_mode": run.origin_mode, "parent_run": run.parent_run,
        "created_at": run.created_at, "start_at": run.start_at, "started_at": run.started_at,
        "finished_at": run.finished_at,
        "links": {"self": place, "items": f"{place}/items", "history": f"{place}/history",
                  "report": f"{place}/report.csv"},
    }  # fmt: skip


def masked(run: Run, *, all_of_them: bool = False) -> dict[str, Any]:
    """The inputs, without the values of sensitive ones; `all_of_them`: without any value."""
    fields = run.canonical.get("inputs") or {}
    return {
        name: MASK if value is not None and (all_of_them or (fields.get(name) or {}).get("sensitive")) else value
        for name, value in run.inputs.items()
    }


async def list_items(
    session: AsyncSession,
    viewer: Viewer,
    sight: Sight,
    *,
    states: frozenset[str],
    attention: bool | None,
    after: int,
    limit: int,
) -> tuple[list[dict[str, Any]], int | None]:
    """The items in their order, and the number to go on after. Who sees the run in part sees their dialogs' only."""
    conditions = [RunItem.run_id == sight.run.id, RunItem.seq > after]
    if states:
        conditions.append(RunItem.state.in_(sorted(states)))
    if attention is not None:
        conditions.append(RunItem.needs_attention.is_(attention))
    if not sight.is_whole:
        conditions.append(seen_item(viewer))
    rows = await items_of(session, conditions, limit=limit + 1, with_texts=sight.shows_texts)
    shown = rows[:limit]
    return shown, shown[-1]["seq"] if len(rows) > limit else None


async def items_of(
    session: AsyncSession, conditions: Sequence[ColumnElement[bool]], *, limit: int, with_texts: bool = True
) -> list[dict[str, Any]]:
    rows = await session.execute(_items().where(*conditions).order_by(RunItem.seq).limit(limit))
    items = [_item(r) for r in rows]
    return items if with_texts else [item | {"message": None, "outputs": []} for item in items]


def _items() -> Any:
    operator = aliased(User)
    return (
        select(RunItem, Dialog.number, Contact.name.label("contact_name"), operator.name.label("operator_name"))
        .outerjoin(Dialog, Dialog.id == RunItem.dialog_id)
        .outerjoin(Contact, Contact.id == func.coalesce(RunItem.contact_id, Dialog.contact_id))
        .outerjoin(operator, operator.id == RunItem.operator_id)
    )


def _item(r: Any) -> dict[str, Any]:
    item: RunItem = r.RunItem
    error = {"type": item.error_type, "step": item.error_step, "message": item.error_message}
    took = (item.finished_at - item.started_at).total_seconds() * 1000 if item.finished_at and item.started_at else None
    return {
        "seq": item.seq, "state": item.state, "target": item.target_key, "dialog_id": item.dialog_id,
        "dialog_number": r.number, "contact_id": item.contact_id, "contact_name": r.contact_name,
        "operator_id": item.operator_id, "operator_name": r.operator_name, "reason": item.reason,
        "error": error if item.error_type else None, "needs_attention": item.needs_attention,
        "waits_for": item.waits_for, "message": item.message, "outputs": item.outputs or [],
        "started_at": item.started_at, "finished_at": item.finished_at,
        "ms": None if took is None else round(took, 1),
    }  # fmt: skip


COLUMNS = (
    "seq", "state", "reason", "dialog_number", "dialog_id", "contact_name", "contact_id", "operator_name",
    "operator_id", "error_type", "error_step", "error_message", "needs_attention", "message", "started_at",
    "finished_at",
)  # fmt: skip


def output_columns(run: Run) -> list[tuple[str, str]]:
    """(id, label) of what the definition shows of each item."""
    return [(name, (field or {}).get("label") or name) for name, field in (run.canonical.get("outputs") or {}).items()]


async def report_rows(sessions: Sessions, viewer: Viewer, sight: Sight) -> AsyncIterator[list[Any]]:
    """The rows of the report, a thousand a query: COLUMNS, then one cell for each of `output_columns`."""
    outputs = [name for name, _ in output_columns(sight.run)]
    after: int | None = 0
    while after is not None:
        async with sessions() as session:
            items, after = await list_items(
                session, viewer, sight, states=frozenset(), attention=None, after=after, limit=_AT_ONCE
            )
        for item in items:
            error = item["error"] or {}
            flat = item | {f"error_{name}": error.get(name) for name in ("type", "step", "message")}
            values = {output.get("id"): output.get("value") for output in item["outputs"]}
            yield [*(flat[name] for name in COLUMNS), *(values.get(name) for name in outputs)]
