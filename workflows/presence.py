"""While somebody is online: sleep to the end of the stored lease, then look whether it was renewed."""

import contextlib
from datetime import timedelta

from temporalio import workflow

from domain.commands import PresenceLook, PresenceSeen, PresenceStart
from workflows import options, renewals


@workflow.defn
class PresenceWorkflow:
    """Heartbeats never come here: they renew a row, and the row tells when to look next (DECISIONS 26)."""

    @workflow.init
    def __init__(self, start: PresenceStart) -> None:
        self._operator_id = start.operator_id
        self._is_rung = False

    @workflow.run
    async def run(self, start: PresenceStart) -> None:
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
        """The status or the connection changed: look at the rows."""
        self._is_rung = True

    async def _look(self, *, run_id: str | None = None) -> PresenceSeen:
        self._is_rung = False
        seen: PresenceSeen = await workflow.execute_local_activity(
            "judge_presence",
            PresenceLook(self._operator_id, run_id),
            result_type=PresenceSeen,
            **options.HOUSEKEEPING,
        )
        return seen
