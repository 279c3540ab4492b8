"""One firing of a schedule: it launches the active version and lives until that run has ended, so that the schedule's
own rule for overlapping firings speaks of runs.
"""

from datetime import timedelta

from temporalio import workflow

from domain.run_launches import Firing, FiringLook, FiringSeen
from workflows import options

#: a run that ended without ringing (another Temporal, a lost ring) is noticed after this
LOOK_AGAIN = timedelta(hours=1)


@workflow.defn
class LaunchWorkflow:
    @workflow.init
    def __init__(self, firing: Firing) -> None:
        self._is_rung = False

    @workflow.run
    async def run(self, firing: Firing) -> str | None:
        info = workflow.info()
        look = FiringLook(info.workflow_id, firing, info.run_id)
        while True:
            self._is_rung = False
            seen = await workflow.execute_local_activity(
                "fire_schedule", look, result_type=FiringSeen, **options.HOUSEKEEPING
            )
            if seen.is_over:
                return str(seen.run_id) if seen.run_id else None
            look = FiringLook(info.workflow_id, firing)
            try:
                await workflow.wait_condition(lambda: self._is_rung, timeout=LOOK_AGAIN)
            except TimeoutError:
                continue

    @workflow.signal
    def ring(self) -> None:
        """The run has ended."""
        self._is_rung = True
