"""One item that waits, sends or calls out: its walk, from the first look at its row to the last."""

import asyncio
from uuid import UUID

from temporalio import workflow

from domain.run_messages import Begin, Begun, End, ProcessStart
from domain.walks.ports import Brief, Outcome
from domain.walks.walk import walk_item
from workflows import options
from workflows.hosting import WorkflowEffects
from workflows.standings import EndedElsewhere, Standing


@workflow.defn
class ProcessWorkflow:
    """It never fails: it completes with the item's state. It is never renewed: a walk is no longer than a history."""

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


def standing_here(run_id: UUID, seq: int, *, stops_always: bool = False) -> Standing:
    return Standing(workflow.info().workflow_id, run_id, seq, stops_always=stops_always)


async def walked(standing: Standing, begun: Begun) -> Outcome:
    """Walk an item that has begun, and write down how it ended. A cancellation by Temporal itself counts as `now`."""
    assert begun.brief is not None
    standing.notice(begun.status, begun.cancel_mode)
    standing.begin()
    walk = asyncio.create_task(_walk(standing, begun.brief))
    while not walk.done():
        try:
            await asyncio.shield(walk)
        except asyncio.CancelledError:
            if walk.cancelled():
                raise
            standing.notice("running", "now")
        except EndedElsewhere:
            break
    try:
        return walk.result()
    except EndedElsewhere:
        return Outcome("cancelled", reason="ended_elsewhere")


async def _walk(standing: Standing, brief: Brief) -> Outcome:
    outcome = await walk_item(brief, WorkflowEffects(standing))
    await standing.end()
    await standing.transaction("end_item", End(standing.bearings(), outcome), str)
    return outcome
