"""The run of a process over its items: the phase before them, the items in batches or one by one, the phase after.

It holds nothing but the run's id: at any moment another run of this workflow goes on from the rows.
"""

import asyncio
import contextlib
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow

from domain.run_messages import (
    AFTER,
    BEFORE,
    Advance,
    BatchDone,
    BatchOrder,
    MassRunStart,
    Phase,
    PhaseEnded,
    RunGlance,
    RunSeen,
    StartItems,
)
from domain.runs import ENDED
from domain.walks.ports import Brief
from domain.walks.walk import walk_phase
from workflows import options, renewals
from workflows.hosting import WorkflowEffects
from workflows.standings import EndedElsewhere, Standing
from workflows.walking import standing_here

T = TypeVar("T")


@workflow.defn
class MassRunWorkflow:
    @workflow.init
    def __init__(self, start: MassRunStart) -> None:
        self._run_id = start.run_id
        self._is_rung = False
        self._standing: Standing | None = None

    @workflow.run
    async def run(self, start: MassRunStart) -> str:
        seen = await self._look(first=True)
        while seen.status not in ENDED:
            if renewals.wants_renewal():
                renewals.renew(start)
            if seen.phase == "done":
                await self._row("finish_run", str)
            elif not seen.has_begun or seen.status not in ("running", "awaiting_approval"):
                await self._wait(seen.wait)
            elif seen.phase == "items":
                await self._work(seen)
            else:
                await self._walk(seen)
            seen = await self._look()
        return seen.status

    @workflow.signal
    def ring(self) -> None:
        """Something was committed that concerns this run: look at the rows."""
        self._is_rung = True
        if self._standing is not None:
            self._standing.is_rung = True

    async def _look(self, *, first: bool = False) -> RunSeen:
        self._is_rung = False
        glance = RunGlance(self._run_id, workflow.info().run_id if first else None)
        seen: RunSeen = await workflow.execute_local_activity(
            "look_at_run", glance, result_type=RunSeen, **options.HOUSEKEEPING
        )
        return seen

    async def _row(self, name: str, answer: type[T]) -> T:
        """A transaction on the run's row."""
        found: T = await workflow.execute_local_activity(
            name, RunGlance(self._run_id), result_type=answer, **options.HOUSEKEEPING
        )
        return found

    async def _wait(self, seconds: float | None) -> None:
        left = None if seconds is None else timedelta(seconds=max(0.05, seconds + 0.05))
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._is_rung or renewals.wants_renewal(), timeout=left)

    # ---- phases -------------------------------------------------------------------------------------------------

    async def _walk(self, seen: RunSeen) -> None:
        """`before` or `after`: any cancellation stops it at its next step."""
        phase = seen.phase
        brief = await workflow.execute_local_activity(
            "brief_phase", Phase(self._run_id, phase), result_type=Brief, **options.HOUSEKEEPING
        )
        if brief.is_dry:
            await workflow.execute_activity("walk_dry_phase", Phase(self._run_id, phase), **options.STARTING)
            return
        standing = standing_here(self._run_id, BEFORE if phase == "before" else AFTER, stops_always=True)
        standing.notice(seen.status, seen.cancel_mode)
        self._standing = standing
        standing.begin()
        try:
            outcome = await walk_phase(brief, "before" if phase == "before" else "after", WorkflowEffects(standing))
            await standing.end()
            last = standing.bearings()
            ended = PhaseEnded(self._run_id, phase, outcome, last.records, last.done)
            await standing.transaction("end_phase", ended, str)
        except EndedElsewhere:
            await standing.end()
        finally:
            self._standing = None

    # ---- items --------------------------------------------------------------------------------------------------

    async def _work(self, seen: RunSeen) -> None:
        """What waits for its turn behind other runs is woken by them: without anything to do, only a ring helps."""
        self._is_rung = False
        one_by_one = seen.topology != "batch"
        was_any = await (self._work_one_by_one() if one_by_one else self._work_in_batches(seen))
        if not was_any and (await self._look()).phase == "items":
            await self._wait(None)

    async def _work_in_batches(self, seen: RunSeen) -> bool:
        """Lanes side by side; each ends when it has no more, or when a ring says that something is different now.
        Answers whether any item ended.
        """
        ended = await asyncio.gather(*(self._go_down(lane, seen.lanes) for lane in range(seen.lanes)))
        await self._row("judge_run", Advance)
        return any(ended)

    async def _go_down(self, lane: int, lanes: int) -> int:
        ended = 0
        while not self._is_rung and not renewals.wants_renewal():
            done: BatchDone = await workflow.execute_activity(
                "run_batch", BatchOrder(self._run_id, lane, lanes), result_type=BatchDone, **options.BATCH
            )
            ended += done.ended
            if not done.has_more:
                break
        return ended

    async def _work_one_by_one(self) -> bool:
        """Keep the window of items at work full, until nothing is live. Answers whether anything was."""
        was_live = False
        while not renewals.wants_renewal():
            self._is_rung = False
            advance = await self._row("advance_run", Advance)
            if advance.start:
                order = StartItems(self._run_id, advance.start)
                await workflow.execute_activity("start_items", order, **options.STARTING)
            elif advance.live:
                await self._wait(None)
            else:
                break
            was_live = True
        return was_live
