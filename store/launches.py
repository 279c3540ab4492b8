"""A launch: one transaction from the order to a queued run with its items frozen. The same for people, events,
schedules, webhooks, retries, undoing and sub-processes.
"""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import topologies
from domain.errors import (
    InvalidError,
    NotFoundError,
    SelectionTooLargeError,
)
from domain.expressions import ExpressionError, render, to_json
from domain.launches import LaunchOrder, Selected
from domain.permissions import Viewer
from domain.selections import read
from store import run_modes, settings
from store.ids import new_id
from store.json_values import storable
from store.launch_gates import ask, needs_approval, require_confirmed
from store.launch_inputs import check_inputs
from store.launchables import Launchable, find_launchable, launchable_of
from store.macro_items import take_only_item
from store.readable_dialogs import contact_of_readable
from store.run_wakes import workflow_of
from store.runs import settle, totals_of
from store.selections import EVERYTHING, Wanted, freeze, is_empty, missing_ids
from store.selections import count as count_selected
from store.tables import Run, RunItem
from store.transactions import Work

DEEPEST_SUBS = 3
LARGEST_SELECTION_IDS = 100_000
_DEPTH = text("""
WITH RECURSIVE up AS (SELECT id, parent_run, 1 AS depth FROM runs WHERE id = :run
                      UNION ALL SELECT r.id, r.parent_run, up.depth + 1 FROM runs r JOIN up ON r.id = up.parent_run)
SELECT max(depth) FROM up
""")


@dataclass(frozen=True, slots=True)
class Origin:
    """The run a new one goes back to, and which of its items. `mode`: resume (its ledger answers for what is done),
    restart (everything anew), undo (what is done is taken back).
    """

    run: Run
    mode: str
    seqs: tuple[int, ...]


async def launch(
    work: Work, order: LaunchOrder, *, origin: Origin | None = None, viewer: Viewer | None = None
) -> dict[str, Any]:
    """Start a run; answers {run_id, number, total, status, workflow_id, left_out}. `viewer`: the launcher, where the
    caller has just read who it is.

    Raises NotFoundError, NotActiveError, ArchivedError, ForbiddenError, InvalidInputsError (errors[] by field),
    InvalidError (the selection), SelectionTooLargeError {limit, found}, ConfirmationNeededError {total},
    QueueFullError. Nothing is left of a refused launch.
    """
    if origin is not None and origin.mode == "undo":
        await work.read_clock()
        found, inputs = await launchable_of(work.session, origin.run, order), origin.run.inputs
    else:
        found, work.moment = await find_launchable(work.session, order, viewer)
        await _require_depth(work.session, order)
        inputs = await check_inputs(work, found, order)
    wanted = None
    if origin is None and order.dialog_id is None and order.kind != "macro":
        wanted = await wanted_of(work, found, order, inputs)
    run = _run_of(work, order, found, inputs, origin)
    if order.kind == "macro" and origin is None and not order.is_dry and run.canonical.get("mode") != "restart":
        return await _launch_macro(work, run, order, found.viewer)
    work.session.add(run)
    await run_modes.one_launch_at_a_time(work, run)
    await work.session.flush()
    left_out = await _take_items(work, run, found, order, origin, wanted)
    await run_modes.settle(work, run)
    totals = await totals_of(work.session, run.id)
    run.total = totals.total
    require_confirmed(order, found.canonical, totals.pending)
    if totals.pending == 0:
        await _end_at_once(work, run)
    elif run.kind == "macro" and not run.is_dry:
        _begin_macro(work, run)
    elif needs_approval(run, order, totals.pending):
        await ask(work, run)
    else:
        work.react(workflow_of(run), "run_queued", not_before=run.start_at)
    await work.session.flush()
    return _told_launch(run, left_out)


def _told_launch(run: Run, left_out: int = 0) -> dict[str, Any]:
    return {
        "run_id": str(run.id), "number": run.number, "total": run.total, "status": run.status,
        "workflow_id": workflow_of(run), "left_out": left_out,
    }  # fmt: skip


async def _launch_macro(work: Work, run: Run, order: LaunchOrder, viewer: Viewer) -> dict[str, Any]:
    """The same in fewer statements: somebody waits for it. Its workflow is started by whoever launched it; the reaction
    rings it should they die before.
    """
    dialog_id, contact_id = await _readable_dialog(work.session, viewer, order.dialog_id)
    run.status, run.started_at, run.total = "running", work.now, 1
    work.session.add(run)
    await run_modes.one_launch_at_a_time(work, run)
    await work.session.flush()
    totals = await take_only_item(work, run, dialog_id, contact_id, beside=run_modes.is_parallel(run))
    if totals.pending == 0:
        await _end_at_once(work, run)
        await work.session.flush()
    return _told_launch(run)


async def _require_depth(session: AsyncSession, order: LaunchOrder) -> None:
    if order.parent_run is None:
        return
    depth = await session.scalar(_DEPTH, {"run": order.parent_run})
    if (depth or 0) > DEEPEST_SUBS:
        raise InvalidError(f"Processes start one another at most {DEEPEST_SUBS} deep.", field="run")


def _run_of(
    work: Work, order: LaunchOrder, found: Launchable, inputs: dict[str, Any], origin: Origin | None
) -> Run:  # fmt: skip
    canonical = found.canonical
    mass = canonical.get("mass") or {}
    run_id = new_id()
    is_undo = origin is not None and origin.mode == "undo"
    kind = "undo" if is_undo else order.kind
    topology = "batch" if order.is_dry or is_undo else topologies.topology_of(canonical, inputs)
    has_before = bool(canonical.get("before")) and kind == "process"
    is_whole_system = order.launched_by is None or (canonical.get("permissions") or {}).get("run_as") == "system"
    return Run(
        id=run_id, kind=kind, definition_key=order.key, version=found.version, title=found.title,
        canonical=canonical, sha256=found.sha256, locks=found.locks, inputs=inputs,
        target="dialog" if kind == "macro" else canonical.get("target", "dialog"), topology=topology,
        phase="before" if has_before else "items", status="queued", is_dry=order.is_dry,
        trigger_kind=order.trigger_kind, trigger=storable(to_json(dict(order.trigger))), cause=list(order.cause),
        launched_by=order.launched_by, run_as="system" if is_whole_system else "launcher",
        granted=found.granted, selection=_told(order.selected),
        concurrency=min(order.concurrency or 50, int(mass.get("concurrency", 20))), canary=order.canary,
        origin_run=origin.run.id if origin else None, origin_mode=origin.mode if origin else None,
        effects_run=origin.run.effects_run if origin and origin.mode == "resume" else run_id,
        parent_run=order.parent_run, parent_seq=order.parent_seq, parent_step=order.parent_step,
        created_at=work.now, start_at=order.start_at,
    )  # fmt: skip


def _told(selected: Selected) -> dict[str, Any]:
    told = {
        "ids": None if selected.ids is None else len(selected.ids), "folder": selected.folder,
        "filter": selected.filter, "where": selected.where,
        "operator": str(selected.operator) if selected.operator else None, "team": selected.team,
        "topic": selected.topic,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


_TAKE_OVER = text("""
INSERT INTO run_items (run_id, seq, origin_seq, target_key, dialog_id, contact_id, operator_id)
SELECT :run, row_number() OVER (ORDER BY seq),
       CASE CAST(:mode AS text) WHEN 'resume' THEN origin_seq WHEN 'undo' THEN seq
       ELSE row_number() OVER (ORDER BY seq) END, target_key, dialog_id, contact_id, operator_id
FROM run_items WHERE run_id = :origin AND seq = ANY(:seqs)
""")


async def _take_items(
    work: Work, run: Run, found: Launchable, order: LaunchOrder, origin: Origin | None, wanted: Wanted | None
) -> int:  # fmt: skip
    """Insert the items; answers how many of the ids given are not among them."""
    if origin is not None:
        given = {"run": run.id, "origin": origin.run.id, "seqs": list(origin.seqs), "mode": origin.mode}
        await work.session.execute(_TAKE_OVER, given)
        return 0
    if wanted is None:
        await _take_dialog(work.session, run, found.viewer, order.dialog_id)
        return 0
    total = await freeze(work.session, run, found.viewer, wanted)
    if total > wanted.limit:
        total = await count_selected(work.session, found.viewer, wanted)
        raise SelectionTooLargeError(
            f"{total} items are selected; one run has at most {wanted.limit}.", limit=wanted.limit, found=total
        )
    return missing_ids(total, order.selected.ids)


async def _take_dialog(session: AsyncSession, run: Run, viewer: Viewer, wanted: UUID | None) -> None:
    """The one dialog of a macro. Raises as `_readable_dialog`."""
    dialog_id, contact_id = await _readable_dialog(session, viewer, wanted)
    session.add(
        RunItem(
            run_id=run.id, seq=1, origin_seq=1, target_key=str(dialog_id), dialog_id=dialog_id, contact_id=contact_id
        )
    )
    await session.flush()


async def _readable_dialog(session: AsyncSession, viewer: Viewer, dialog_id: UUID | None) -> tuple[UUID, UUID]:
    """The dialog and its contact. Raises NotFoundError for one the launcher may not read, InvalidError for none."""
    if dialog_id is None:
        raise InvalidError("A macro runs on a dialog.", field="dialog_id")
    contact_id = await contact_of_readable(session, viewer, dialog_id)
    if contact_id is None:
        raise NotFoundError("There is no such dialog.")
    return dialog_id, contact_id


async def wanted_of(work: Work, found: Launchable, order: LaunchOrder, inputs: dict[str, Any]) -> Wanted:
    """The launch's choice AND-ed with the definition's own. Raises InvalidError."""
    target = found.canonical.get("target", "dialog")
    own = found.canonical.get("selection") or {}
    if target != "none" and is_empty(order.selected) and not own.get("where"):
        raise InvalidError("Choose what to run over: ids, a folder, a filter, where, an operator, a team, a topic.",
                           field="selection")  # fmt: skip
    if order.selected.ids is not None and len(order.selected.ids) > LARGEST_SELECTION_IDS:
        raise InvalidError(f"At most {LARGEST_SELECTION_IDS} ids.", field="selection")
    conditions = [_rendered(own.get("where"), inputs, order, work, target, "/selection/where")]
    if order.selected.where is not None:
        conditions.append(read(order.selected.where, target, pointer="/selection/where"))
    most = int(await settings.value_of(work.session, "run_items"))
    return Wanted(
        target, order.selected, replace(EVERYTHING, tests=tuple(conditions)), own.get("order_by"),
        min(most, int(own.get("limit") or most)), (found.canonical.get("mass") or {}).get("unique_per") == "contact",
    )  # fmt: skip


def _rendered(where: Any, inputs: dict[str, Any], order: LaunchOrder, work: Work, target: str, pointer: str) -> Any:
    if where is None:
        return EVERYTHING
    try:
        rendered = render(where, {"inputs": inputs, "trigger": dict(order.trigger)}, now=work.now)
    except ExpressionError as error:
        raise InvalidError(f"The definition's selection cannot be read: {error.message}", field="selection") from error
    return read(rendered, target, pointer=pointer)


async def _end_at_once(work: Work, run: Run) -> None:
    """Nothing to do: the run has ended before anything began."""
    outer = work.run_id
    work.run_id = run.id
    await settle(work, run, await totals_of(work.session, run.id))
    work.run_id = outer


def _begin_macro(work: Work, run: Run) -> None:
    """One that takes up an older one, or replaces others."""
    run.status, run.started_at = "running", work.now
    work.react(workflow_of(run), "run_queued")
