"""All clocks of one dialog: sleep to the earliest moment among them, look at the rows, sleep again."""

import contextlib
from datetime import timedelta

from temporalio import workflow

from domain.commands import ClocksLook, ClocksSeen, ClocksStart
from workflows import options, renewals


@workflow.defn
class SlaClockWorkflow:
    """Facts move clocks in their own transactions; this only wakes up in time. Ends when nothing runs any more."""

    @workflow.init
    def __init__(self, start: ClocksStart) -> None:
        self._dialog_id = start.dialog_id
        self._is_rung = False

    @workflow.run
    async def run(self, start: ClocksStart) -> None:
        seen = await self._look(run_id=workflow.info().run_id)
        while seen.after is not None or self._is_rung:
            if seen.after is not None:
                with contextlib.suppress(TimeoutError):
                    await workflow.wait_condition(lambda: self._is_rung, timeout=timedelta(seconds=seen.after))
            if renewals.wants_renewal():
                renewals.renew(start)
            seen = await self._look()

    @workflow.signal
    def ring(self) -> None:
        """Something earlier is due, or nothing runs any more: look at the rows."""
        self._is_rung = True

    async def _look(self, *, run_id: str | None = None) -> ClocksSeen:
        self._is_rung = False
        seen: ClocksSeen = await workflow.execute_local_activity(
            "look_at_clocks", ClocksLook(self._dialog_id, run_id), result_type=ClocksSeen, **options.HOUSEKEEPING
        )
        return seen
