"""A macro on one dialog: somebody waits for it, so what needs no waiting is done in one workflow task."""

from temporalio import workflow

from domain.run_messages import Begin, Begun, MacroStart
from domain.walks.ports import Outcome
from workflows import options
from workflows.walking import standing_here, walked


@workflow.defn(sandboxed=False)
class MacroWorkflow:
    """A database-only body is one transaction: the first activity ends it. Any other is walked like an item.

    Not sandboxed: all it runs is passed through the sandbox anyway (worker.PASSED_THROUGH), which would only be built
    anew for each macro, and takes longer than the macro itself. The replayed histories keep it deterministic.
    """

    @workflow.init
    def __init__(self, start: MacroStart) -> None:
        self._standing = standing_here(start.run_id, 1)

    @workflow.run
    async def run(self, start: MacroStart) -> Outcome:
        order = Begin(start.run_id, 1, workflow.info().run_id)
        begun = await workflow.execute_local_activity("begin_macro", order, result_type=Begun, **options.HOUSEKEEPING)
        if begun.brief is None:
            return begun.outcome or Outcome(begun.status)
        return await walked(self._standing, begun)

    @workflow.signal
    def ring(self) -> None:
        """Something was committed that concerns this run: look at the rows."""
        self._standing.is_rung = True
