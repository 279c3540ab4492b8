"""A run as its workflow finds it in the rows: its beginning, its phases, its end.

Rows decide, workflows drive: whatever a person decides about a run stands in its row before the workflow is woken, and
a workflow that begins anew goes on from `runs.phase` and the states of the items.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import workflow_ids
from domain.errors import NotFoundError
from domain.events import Fact
from domain.run_messages import AFTER, BEFORE, RunSeen
from domain.runs import AFTER_LEFT_OUT, ENDED, MASS_FROM, STOP_REASONS, Totals, lanes_of, verdict
from domain.walks.ports import Brief, Outcome, StepRecord
from store import settings, traces
from store.json_values import storable, storable_text
from store.redactions import redacted_names
from store.run_wakes import close_reactions, take_waking, wake, workflow_of, workflow_of_item
from store.tables import Run, RunItem
from store.transactions import Work
from store.workflow_runs import note_run

_COUNTS = text("SELECT state, count(*) AS n FROM run_items WHERE run_id = :run GROUP BY state")
_DEADLINE = text("SELECT min(deadline) FROM approvals WHERE run_id = :run AND seq <= 0 AND state = 'open'")
_AT_WORK = text("""
SELECT count(*) AS runs, count(*) FILTER (WHERE total > :mass) AS mass
FROM runs WHERE status = 'running' AND total > 1 AND id <> :run
""")
_WAITING = text("""
SELECT id FROM runs WHERE status = 'queued' AND total > 1 AND (start_at IS NULL OR start_at <= :now)
ORDER BY number LIMIT 10
""")
#: what still waited for the run: questions, subscriptions, reactions
_CLOSE = text("""
WITH questions AS (
    UPDATE approvals SET state = 'withdrawn', decided_at = :now WHERE run_id = :run AND state = 'open'
), ears AS (
    DELETE FROM subscriptions WHERE run_id = :run
)
UPDATE reactions SET done_at = clock_timestamp()
WHERE workflow_id = :workflow AND done_at IS NULL AND not_before <= clock_timestamp()
""")
#: whoever admits runs or makes room for one
_ADMISSION = text("SELECT pg_advisory_xact_lock(6, 1)")


async def get_run(session: AsyncSession, run_id: UUID) -> Run:
    """Raises NotFoundError."""
    run = await session.get(Run, run_id)
    if run is None:
        raise NotFoundError("There is no such run.")
    return run


async def lock_run(work: Work, run_id: UUID) -> Run:
    """The run's row under its lock; reads the clock. Raises NotFoundError."""
    await work.session.flush()  # or what this transaction has changed would be read over
    run = await work.session.scalar(
        select(Run).where(Run.id == run_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if run is None:
        raise NotFoundError("There is no such run.")
    work.run_id = run_id
    await work.read_clock()
    return run


async def totals_of(session: AsyncSession, run_id: UUID) -> Totals:
    return Totals.of({r.state: r.n for r in await session.execute(_COUNTS, {"run": run_id})})


async def begin(work: Work, run_id: UUID, temporal_run_id: str) -> RunSeen:
    """The first look of a Temporal run."""
    return await look(work, run_id, temporal_run_id)


async def look(work: Work, run_id: UUID, temporal_run_id: str | None = None) -> RunSeen:
    """What stands now, after whatever is due has been moved on: the beginning (`queued` to `running`, unless too many
    runs are at work: then it is rung once there is room), and the phase once its items are through.

    Takes the reactions that only wake. Raises NotFoundError.
    """
    run = await lock_run(work, run_id)
    if temporal_run_id is not None:
        await note_run(work.session, workflow_of(run), temporal_run_id)
    if run.status in ENDED:
        await close_reactions(work.session, workflow_of(run))
        return RunSeen(run.status, run.phase, run.topology, run.cancel_mode)
    await take_waking(work.session, workflow_of(run))
    if run.status == "queued":
        await _start(work, run)
    totals = await totals_of(work.session, run_id)
    if run.phase == "items" and totals.ended == totals.total:
        _leave_items(run)
    return RunSeen(
        run.status, run.phase, run.topology, run.cancel_mode, await _wait_of(work, run), lanes_of(run.concurrency),
        totals.pending, totals.live, run.started_at is not None,
    )  # fmt: skip


def _leave_items(run: Run) -> None:
    has_after = run.kind == "process" and bool(run.canonical.get("after"))
    run.phase = "after" if has_after and run.cancel_mode is None else "done"
    if has_after and run.phase == "done":
        run.reason = run.reason or AFTER_LEFT_OUT


async def _start(work: Work, run: Run) -> None:
    if run.start_at is not None and run.start_at > work.now:
        return
    if run.total > 1 and not await _is_admitted(work, run):
        return
    run.status, run.started_at = "running", work.now
    work.record(Fact.RUN_STARTED, **told_of(run))


async def _is_admitted(work: Work, run: Run) -> bool:
    await work.session.execute(_ADMISSION)
    found = (await work.session.execute(_AT_WORK, {"mass": MASS_FROM, "run": run.id})).one()
    if found.runs >= await settings.value_of(work.session, "runs_at_once"):
        return False
    is_mass = run.total > MASS_FROM
    return not is_mass or found.mass < await settings.value_of(work.session, "mass_runs_at_once")


async def ring_waiting(work: Work, run: Run) -> None:
    """Room was made by this run: those that wait for room look again."""
    if run.total <= 1:
        return
    await work.session.execute(_ADMISSION)
    for waiting in await work.session.scalars(_WAITING, {"now": work.now}):
        await wake(work, workflow_ids.of_mass(waiting), "run_queued")


async def _wait_of(work: Work, run: Run) -> float | None:
    if run.status == "queued":
        moment = run.start_at if run.start_at is not None and run.start_at > work.now else None
    else:
        moment = await work.session.scalar(_DEADLINE, {"run": run.id})
    return None if moment is None else max(0.0, (moment - work.now).total_seconds())


def told_of(run: Run) -> dict[str, Any]:
    """What events tell of a run."""
    return {
        "run_id": str(run.id), "number": run.number, "definition": run.definition_key, "version": run.version,
        "kind": run.kind, "is_dry": run.is_dry, "launched_by": str(run.launched_by) if run.launched_by else None,
    }  # fmt: skip


def names_of(run: Run, item: int | None = None) -> dict[str, Any]:
    """The names of `run.*`."""
    return {
        "id": str(run.id), "number": run.number, "url": f"/runs/{run.id}",
        "launched_by": str(run.launched_by) if run.launched_by else None,
        "launched_at": run.created_at.isoformat(), "dry_run": run.is_dry, "definition": run.definition_key,
        "version": run.version, "item_number": item,
    }  # fmt: skip


async def phase_brief(session: AsyncSession, run_id: UUID, phase: str) -> Brief:
    """What the walk of `before` or `after` starts from. Effects of `before` are those of the run it resumes."""
    run = await get_run(session, run_id)
    totals = await totals_of(session, run_id)
    is_before = phase == "before"
    return Brief(
        canonical=run.canonical, inputs=run.inputs,
        item_key=f"{run.effects_run}:{BEFORE}" if is_before else f"{run.id}:{AFTER}",
        run=names_of(run), trigger=run.trigger, items=counts_of(totals), before={} if is_before else run.before,
        locks=run.locks, is_dry=run.is_dry, sha256=run.sha256, redact=await redacted_names(session, run.canonical),
    )  # fmt: skip


def counts_of(totals: Totals) -> dict[str, int]:
    """The names of `items.*`."""
    return {
        "total": totals.total, "succeeded": totals.succeeded, "failed": totals.failed, "skipped": totals.skipped,
        "cancelled": totals.cancelled,
    }  # fmt: skip


async def end_phase(
    work: Work, run_id: UUID, phase: str, outcome: Outcome, records: tuple[StepRecord, ...] = ()
) -> str:
    """Write down how `before` or `after` ended; answers the phase that follows. A second time changes nothing.

    When `before` fails, is refused, stopped or cancelled, no item begins: all of them end with that reason. A failure
    of `after` is told, the verdict stays that of the items.
    """
    run = await lock_run(work, run_id)
    if run.phase != phase or run.status in ENDED:
        return run.phase
    await traces.write(work, run_id, BEFORE if phase == "before" else AFTER, records)
    if run.status == "awaiting_approval":
        run.status = "running"
    if outcome.error_type is not None:
        run.error = storable(
            {"phase": phase, "type": outcome.error_type, "step": outcome.error_step, "message": outcome.error_message}
        )
    if phase == "after":
        run.phase = "done"
        if outcome.state == "cancelled":
            run.reason = run.reason or AFTER_LEFT_OUT
        return run.phase
    run.before = storable(outcome.names)
    if outcome.state == "succeeded" and outcome.reason is None:
        run.phase = "items"
        return run.phase
    run.phase = "done"
    run.message = storable_text(outcome.message)
    ending = _BEFORE_ENDED.get(outcome.state, ("skipped", "stopped"))
    if outcome.error_type == "approval_rejected":
        ending = ("cancelled", "rejected")
    run.reason = ending[1] if run.cancel_mode is None else run.reason
    await end_pending(work, run_id, *ending)
    return run.phase


#: how `before` ended → what that makes of the items, and why
_BEFORE_ENDED = {"failed": ("cancelled", "before_failed"), "cancelled": ("cancelled", "cancelled")}


async def end_pending(work: Work, run_id: UUID, state: str, reason: str) -> None:
    """End all items that have not begun."""
    await work.session.execute(
        update(RunItem)
        .where(RunItem.run_id == run_id, RunItem.state == "pending")
        .values(state=state, reason=reason, finished_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


async def finish(work: Work, run_id: UUID) -> str:
    """Settle the run once all its items have ended, and tell whoever waits for it; answers its status.

    While items are at work it changes nothing and answers the status as it is.
    """
    run = await lock_run(work, run_id)
    if run.status in ENDED:
        return run.status
    totals = await totals_of(work.session, run_id)
    if totals.ended != totals.total:
        return run.status
    await settle(work, run, totals)
    return run.status


async def settle(work: Work, run: Run, totals: Totals) -> None:
    """The end of a run whose items have all ended: verdict, event, what waited for it."""
    run.status = verdict_of(run, totals)
    run.phase, run.finished_at = "done", work.now
    if run.started_at is None:
        run.started_at = work.now
    await work.session.flush()
    await work.session.execute(_CLOSE, {"run": run.id, "now": work.now, "workflow": workflow_of(run)})
    tell_finished(work, run, run.status, totals)
    await _tell_parent(work, run, totals)
    if run.trigger_kind == "schedule" and "workflow_id" in run.trigger:
        work.rings.add(run.trigger["workflow_id"])
    await ring_waiting(work, run)


def tell_finished(work: Work, run: Run, status: str, totals: Totals) -> None:
    work.record(Fact.RUN_FINISHED, **told_of(run), status=status, items=counts_of(totals))


def verdict_of(run: Run, totals: Totals) -> str:
    """A cancellation that came too late to leave anything out is not what became of the run."""
    if run.cancel_mode is not None and (totals.cancelled or run.reason == AFTER_LEFT_OUT):
        return "cancelled"
    if run.reason == "before_failed":
        return "failed"
    if run.reason == "rejected":
        return "rejected"
    return verdict(totals, stop_reason=run.reason if run.reason in STOP_REASONS else None)


async def _tell_parent(work: Work, run: Run, totals: Totals) -> None:
    """A parent that waits is told; one that let its child go (`mode: detach`) is not."""
    if run.parent_run is None or run.parent_seq is None or run.trigger.get("mode") == "detach":
        return
    parent = await get_run(work.session, run.parent_run)
    if parent.status in ENDED:
        return
    work.react(
        workflow_of_item(parent, run.parent_seq), "sub_ended", run_id=str(run.id), status=run.status,
        outputs=await outputs_of(work.session, run, totals), error=run.error,
    )  # fmt: skip


async def outputs_of(session: AsyncSession, run: Run, totals: Totals) -> dict[str, Any]:
    """What a run hands to its parent: the outputs of its only item by name, or how many items ended how."""
    if totals.total != 1:
        return counts_of(totals)
    outputs = await session.scalar(select(RunItem.outputs).where(RunItem.run_id == run.id, RunItem.seq == 1))
    return {o["id"]: o.get("value") for o in outputs or () if "id" in o}
