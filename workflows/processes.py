"""One item that waits, sends or calls out: its walk, from the first look at its row to the last."""

from temporalio import workflow

from domain.run_messages import Begin, Begun, ProcessStart
from workflows import options
from workflows.walking import standing_here, walked


@workflow.defn(sandboxed=False)
class ProcessWorkflow:
    """It never fails: it completes with the item's state. It is never renewed: a walk is no longer than a history.

    Not sandboxed, for the reason that macros are not; and thousands of items wait at a time.
    """

    @workflow.init
    def __init__(self, start: ProcessStart) -> None:
        self._standing = standing_here(start.run_id, start.seq)

    @workflow.run
    async def run(self, start: ProcessStart) -> str:
        order = Begin(start.run_id, start.seq, workflow.info().run_id)
        begun: Begun = await workflow.execute_local_activity(
            "begin_item", order, result_type=Begun, **options.HOUSEKEEPING
        )
        if begun.brief is None:
            return begun.status
        return (await walked(self._standing, begun)).state

    @workflow.signal
    def ring(self) -> None:
        """Something was committed that concerns this item: look at the rows."""
        self._standing.is_rung = True
