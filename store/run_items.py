"""The items of a run: handed out within its window, claimed, begun. How they wait and end stands in item_ends."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import workflow_ids
from domain.errors import NotFoundError
from domain.run_messages import Advance
from domain.runs import CANARY, failures_of, room_for, too_many_failed
from store.item_beginnings import begin, begin_at_once, brief_of, snapshot_of_item
from store.item_ends import end, end_claimed, lock_item, park, takes_turns, tell_parked
from store.run_wakes import take_waking, workflow_of
from store.runs import end_pending, get_run, lock_run, totals_of
from store.statements import Statement
from store.tables import Run, RunItem
from store.transactions import Work

__all__ = [
    "advance", "begin", "begin_at_once", "brief_of", "claim", "claim_with_run", "end", "end_claimed", "judge",
    "lock_item", "must_stop", "next_seqs", "note_started", "park", "snapshot_of_item", "standing", "standing_in_hand",
    "stop", "stop_for", "tell_parked", "too_many",
]  # fmt: skip

#: pending items are counted up to here: whoever asks wants to know whether there are more
_MANY = 1_000
_WINDOW = text("""
SELECT (SELECT count(*) FROM run_items WHERE run_id = :run AND state = 'running') AS running,
       (SELECT count(*) FROM run_items WHERE run_id = :run AND state = 'waiting') AS waiting,
       (SELECT count(*) FROM (SELECT FROM run_items WHERE run_id = :run AND state = 'pending' LIMIT :many) AS p)
       AS pending
""")
#: `mode: queued`: nobody overtakes an older item of the same definition on the same target
_TURN = """
 AND NOT EXISTS (SELECT FROM run_items o JOIN runs r ON r.id = o.run_id
                 WHERE o.target_key = i.target_key AND o.state IN ('pending','running','waiting')
                   AND r.definition_key = :key AND r.number < :number AND NOT r.is_dry)
"""
#: picked in a CTE: as a subquery of IN it may be carried out once more for each row, beyond its LIMIT
_CLAIM = """
WITH picked AS MATERIALIZED (
    SELECT seq FROM run_items i WHERE run_id = :run AND state = 'pending' AND seq <= :last{turn}
    ORDER BY seq LIMIT :room FOR UPDATE
)
UPDATE run_items t SET state = 'running', started_at = clock_timestamp() FROM picked
WHERE t.run_id = :run AND t.seq = picked.seq RETURNING t.seq
"""
_NEXT = """
SELECT seq FROM run_items i WHERE run_id = :run AND state = 'pending' AND seq <= :last AND seq % :lanes = :lane{turn}
ORDER BY seq LIMIT :room
"""
#: claimed, but whoever was to start their workflows may have died before
_NOT_STARTED = text("""
SELECT seq FROM run_items i WHERE run_id = :run AND state = 'running'
  AND NOT EXISTS (SELECT FROM workflow_runs w WHERE w.workflow_id = :prefix || i.seq) ORDER BY seq
""")
_NOTE_STARTED = text("""
INSERT INTO workflow_runs (workflow_id, run_id, kind, dialog_id)
SELECT :prefix || i.seq, started.temporal, :kind, i.dialog_id
FROM unnest(CAST(:seqs AS bigint[]), CAST(:temporal AS text[])) AS started (seq, temporal)
JOIN run_items i ON i.run_id = :run AND i.seq = started.seq ON CONFLICT DO NOTHING
""")
_LAST = 2**62
_CLAIM_AT_ONCE = Statement("""
SELECT i.seq FROM run_items i JOIN runs r ON r.id = i.run_id
WHERE i.run_id = :run AND i.seq = :seq AND i.state IN ('pending','running') AND r.status = 'running'
  AND r.cancel_mode IS NULL FOR UPDATE OF i
""")
_STANDING = text("""
SELECT r.status, coalesce(r.cancel_mode, CASE WHEN i.reason LIKE 'restarted_by:%' THEN 'finish_step' END) AS cancel_mode
FROM runs r LEFT JOIN run_items i ON i.run_id = r.id AND i.seq = :seq WHERE r.id = :run
""")


async def advance(work: Work, run_id: UUID) -> Advance:
    """The next items to begin, as claimed by this transaction; judges first whether there may be any.

    Stops the run when more failed than it tolerates, pauses it when its canary is through. `pending` counts up to
    1,000.
    """
    run = await lock_run(work, run_id)
    await take_waking(work.session, workflow_of(run))
    seen = (await work.session.execute(_WINDOW, {"run": run_id, "many": _MANY})).one()
    live = seen.running + seen.waiting
    if run.status != "running" or run.phase != "items":
        return Advance(run.status, (), live, seen.pending, run.cancel_mode)
    if not seen.pending or await must_stop(work, run):
        return Advance(run.status, await _not_started(work, run), live, 0, run.cancel_mode)
    room = room_for(run.concurrency, running=seen.running, waiting=seen.waiting)
    given = {**_bounds(run), "room": room}
    claimed = list(await work.session.scalars(text(_CLAIM.format(turn=_turn(run))), given)) if room else []
    if not claimed and not live:
        await _pause_after_canary(work, run)
    live, pending = live + len(claimed), seen.pending - len(claimed)
    start = await _not_started(work, run) if run.topology == "child" else tuple(sorted(claimed))
    return Advance(run.status, start, live, pending, run.cancel_mode)


async def _not_started(work: Work, run: Run) -> tuple[int, ...]:
    """Items at work whose workflows nobody has noted yet: those just claimed, and those whose claim was lost with the
    worker that made it.
    """
    given = {"run": run.id, "prefix": _prefix(run.id)}
    return tuple(await work.session.scalars(_NOT_STARTED, given)) if run.topology == "child" else ()


def _prefix(run_id: UUID) -> str:
    return workflow_ids.of_item(run_id, 0)[:-1]


async def note_started(work: Work, run_id: UUID, started: Mapping[int, str]) -> None:
    """The items' workflows exist: seq → their Temporal run. `advance` hands them out no more."""
    given = {
        "prefix": _prefix(run_id), "run": run_id, "kind": workflow_ids.PROCESS, "seqs": list(started),
        "temporal": list(started.values()),
    }  # fmt: skip
    await work.session.execute(_NOTE_STARTED, given)


async def judge(work: Work, run_id: UUID) -> Advance:
    """Between batches, which claim for themselves: stops or pauses the run as `advance` does."""
    run = await lock_run(work, run_id)
    await take_waking(work.session, workflow_of(run))
    pending = select(RunItem.seq).where(RunItem.run_id == run_id, RunItem.state == "pending").limit(1)
    may_go_on = run.status == "running" and run.phase == "items"
    if may_go_on and await work.session.scalar(pending) is not None and not await must_stop(work, run):
        await _pause_after_canary(work, run)
    return Advance(run.status, cancel_mode=run.cancel_mode)


def _bounds(run: Run) -> dict[str, Any]:
    bounds = {"run": run.id, "last": run.canary if run.canary is not None else _LAST}
    return {**bounds, "key": run.definition_key, "number": run.number} if _turn(run) else bounds


def _turn(run: Run) -> str:
    return _TURN if takes_turns(run) else ""


async def next_seqs(session: AsyncSession, run: Run, *, lane: int = 0, lanes: int = 1, limit: int = 100) -> list[int]:
    """The next items of a lane of batches: those whose number leaves `lane` when divided by `lanes`. Claims nothing."""
    given = {**_bounds(run), "lane": lane, "lanes": lanes, "room": limit}
    return list(await session.scalars(text(_NEXT.format(turn=_turn(run))), given))


async def must_stop(work: Work, run: Run) -> bool:
    """Whether the run has failed too often to go on; it is then stopped: what has not begun is cancelled."""
    reason = await too_many(work.session, run)
    if reason is None:
        return False
    await stop(work, run, reason)
    return True


async def too_many(session: AsyncSession, run: Run) -> str | None:
    """Why no more items may begin after those that failed; None while they may."""
    on_error, tolerated, percent = failures_of(run.canonical.get("mass"))
    if run.kind == "undo" or (on_error != "stop" and tolerated is None and percent is None):
        return None
    totals = await totals_of(session, run.id)
    if on_error == "stop" and totals.failed:
        return "on_error"
    return "too_many_failures" if too_many_failed(totals, tolerated, percent) else None


async def stop(work: Work, run: Run, reason: str) -> None:
    """Begin no more items; `reason` is one of domain.runs.STOP_REASONS. Those at work end."""
    run.reason = reason
    await end_pending(work, run.id, "cancelled", reason)


async def stop_for(work: Work, run_id: UUID, reason: str) -> None:
    """Stop a process for what became of one of its items; one that is held, cancelled or stopped stays as it is."""
    run = await lock_run(work, run_id)
    if run.kind == "process" and run.status == "running" and run.cancel_mode is None and run.reason is None:
        await stop(work, run, reason)


async def _pause_after_canary(work: Work, run: Run) -> None:
    left = select(RunItem.seq).where(RunItem.run_id == run.id, RunItem.state == "pending")
    if run.canary is None or await work.session.scalar(left.where(RunItem.seq <= run.canary).limit(1)) is not None:
        return
    run.status, run.paused_from, run.reason = "paused", "running", CANARY


async def standing(session: AsyncSession, run_id: UUID, seq: int) -> tuple[str, str | None]:
    """The run's status, and how an item is to be cancelled: with its run, or because a newer launch replaces it.

    Raises NotFoundError.
    """
    row = (await session.execute(_STANDING, {"run": run_id, "seq": seq})).one_or_none()
    if row is None:
        raise NotFoundError("There is no such run.")
    return row.status, row.cancel_mode


async def standing_in_hand(work: Work, run_id: UUID, seq: int) -> tuple[str, str | None]:
    """The same of an item that this transaction has read."""
    run, item = await get_run(work.session, run_id), await work.session.get_one(RunItem, (run_id, seq))
    is_replaced = (item.reason or "").startswith("restarted_by:")
    return run.status, run.cancel_mode or ("finish_step" if is_replaced else None)


async def claim(work: Work, run_id: UUID, seq: int) -> RunItem | None:
    """An item under its lock, to be walked in this transaction; None when it has ended, or its run does not go on."""
    return await work.session.scalar(
        select(RunItem)
        .join(Run, Run.id == RunItem.run_id)
        .where(
            RunItem.run_id == run_id, RunItem.seq == seq, RunItem.state.in_(("pending", "running")),
            Run.status == "running", Run.cancel_mode.is_(None),
        )
        .with_for_update(of=RunItem)
        .execution_options(populate_existing=True)
    )  # fmt: skip


async def claim_at_once(work: Work, run_id: UUID, seq: int) -> bool:
    """The same for an item of which no more is asked than what its target tells."""
    return bool(await work.ask(_CLAIM_AT_ONCE, run=run_id, seq=seq))


async def claim_with_run(work: Work, run_id: UUID, seq: int) -> RunItem | None:
    """The same for an item whose run ends with it: the run's row is locked, too, and read anew."""
    found = await work.session.execute(
        select(RunItem, Run)
        .join(Run, Run.id == RunItem.run_id)
        .where(
            RunItem.run_id == run_id, RunItem.seq == seq, RunItem.state.in_(("pending", "running")),
            Run.status == "running", Run.cancel_mode.is_(None),
        )
        .with_for_update(of=[Run, RunItem], key_share=True)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    row = found.one_or_none()
    return None if row is None else row[0]
