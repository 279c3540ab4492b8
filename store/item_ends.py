"""How an item waits, and how it ends: exactly once, its run told, whoever waits for its target let in."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from domain import workflow_ids
from domain.errors import NotFoundError
from domain.runs import ITEM_ENDED
from domain.walks.ports import Outcome, StepRecord
from store import traces
from store.bots import leave_bot
from store.json_values import storable, storable_text
from store.run_wakes import wake, workflow_of, workflow_of_item
from store.runs import get_run, lock_run, settle, totals_of
from store.tables import Run, RunItem
from store.transactions import Work

_AFTER_ME = text("""
SELECT DISTINCT r.id FROM run_items o JOIN runs r ON r.id = o.run_id
WHERE o.target_key = :target AND o.state = 'pending' AND r.definition_key = :key AND r.number > :number
""")
#: nobody waits under this id any more
_LEAVE = text("""
WITH ears AS (DELETE FROM subscriptions WHERE workflow_id = :workflow)
UPDATE reactions SET done_at = clock_timestamp()
WHERE workflow_id = :workflow AND done_at IS NULL AND not_before <= clock_timestamp()
""")


def takes_turns(run: Run) -> bool:
    """`mode: queued`: nobody overtakes an older item of the same definition on the same target."""
    return run.canonical.get("mode") == "queued" and not run.is_dry


async def lock_item(work: Work, run_id: UUID, seq: int) -> RunItem:
    """Raises NotFoundError."""
    item = await work.session.scalar(
        select(RunItem)
        .where(RunItem.run_id == run_id, RunItem.seq == seq)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if item is None:
        raise NotFoundError("There is no such item.")
    return item


async def park(work: Work, run_id: UUID, seq: int, waits_for: dict[str, Any] | None) -> None:
    """The item waits for `waits_for` and gives its place at work to another; None: it goes on."""
    item = await lock_item(work, run_id, seq)
    if item.state not in ("running", "waiting"):
        return
    was_parked = item.is_parked
    item.is_parked = waits_for is not None
    item.state = "waiting" if item.is_parked else "running"
    item.waits_for = storable(waits_for)
    if item.is_parked and not was_parked:
        await _tell_run(work, await get_run(work.session, run_id), "item_parked")


async def tell_parked(work: Work, run_id: UUID, kind: str) -> None:
    """An item has given its place at work to another: for a run that has more of them."""
    if kind != "macro":
        await wake(work, workflow_ids.of_mass(run_id), "item_parked")


async def end(
    work: Work, run_id: UUID, seq: int, outcome: Outcome, records: tuple[StepRecord, ...] = ()
) -> bool:  # fmt: skip
    """Write down how an item ended; a macro's run ends with it. False when it had ended before: nothing changes."""
    await work.session.flush()  # reading anew forgets what is not written
    found = await work.session.execute(
        select(RunItem, Run)
        .join(Run, Run.id == RunItem.run_id)
        .where(RunItem.run_id == run_id, RunItem.seq == seq)
        .with_for_update(of=RunItem)
        .execution_options(populate_existing=True)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFoundError("There is no such item.")
    item, run = row
    if item.state in ITEM_ENDED:
        return False
    work.run_id = run_id
    await work.read_clock()
    await end_claimed(work, run, item, outcome, records)
    return True


async def end_claimed(
    work: Work, run: Run, item: RunItem, outcome: Outcome, records: tuple[StepRecord, ...] = ()
) -> None:
    """The same for an item that this transaction has locked, once its clock is read."""
    await traces.write(work, run.id, item.seq, records)
    _settle_row(item, outcome)
    await _settle_times(work, item, records)
    if run.topology == "batch" and run.kind != "macro":
        await _let_next(work, run, item)
        return
    if run.topology != "batch":
        await leave_bot(work, run.id)
    await _let_next(work, run, item)
    await work.session.flush()
    if run.kind == "macro" and not run.is_dry:
        whole = await lock_run(work, run.id)
        whole.message = item.message
        await settle(work, whole, await totals_of(work.session, run.id))
        return
    await work.session.execute(_LEAVE, {"workflow": workflow_of_item(run, item.seq)})
    await _tell_run(work, run, "item_ended")


def _settle_row(item: RunItem, outcome: Outcome) -> None:
    replaced_by = item.reason
    item.state, item.reason = outcome.state, storable_text(outcome.reason)
    if outcome.state == "cancelled":
        item.reason = item.reason or replaced_by or "cancelled"
    item.error_type, item.error_step = outcome.error_type, outcome.error_step
    item.error_message = storable_text(outcome.error_message)
    item.needs_attention = outcome.needs_attention
    item.message = storable_text(outcome.message)
    item.outputs = storable(outcome.outputs) or None
    item.is_parked, item.waits_for = False, None


async def _settle_times(work: Work, item: RunItem, records: tuple[StepRecord, ...]) -> None:
    """An item whose beginning nobody noted was walked in this transaction, or (a dry one) just before it."""
    item.finished_at = work.now
    if item.started_at is None:
        ended = await work.session.scalar(select(func.clock_timestamp()))
        assert ended is not None
        item.started_at, item.finished_at = min(work.now, ended - _took(records)), ended


def _took(records: tuple[StepRecord, ...]) -> timedelta:
    """How long its steps took."""
    if not records or records[-1].finished_at is None:
        return timedelta(0)
    took = datetime.fromisoformat(records[-1].finished_at) - datetime.fromisoformat(records[0].started_at)
    return max(took, timedelta(0))


async def _tell_run(work: Work, run: Run, kind: str) -> None:
    if run.kind != "macro":
        await wake(work, workflow_of(run), kind)


async def _let_next(work: Work, run: Run, item: RunItem) -> None:
    """`mode: queued`: whoever waits for this target may have its turn."""
    if not takes_turns(run):
        return
    await work.session.flush()
    given = {"target": item.target_key, "key": run.definition_key, "number": run.number}
    for waiting in list(await work.session.scalars(_AFTER_ME, given)):
        await wake(work, workflow_of(await get_run(work.session, waiting)), "item_ended")
