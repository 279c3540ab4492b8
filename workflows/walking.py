"""An item's walk in whichever workflow it lives."""

import asyncio
from uuid import UUID

from temporalio import workflow

from domain.run_messages import Begun, End
from domain.walks.ports import Brief, Outcome
from domain.walks.walk import walk_item
from workflows.hosting import WorkflowEffects
from workflows.standings import EndedElsewhere, Standing


def standing_here(run_id: UUID, seq: int, *, stops_always: bool = False) -> Standing:
    return Standing(workflow.info().workflow_id, run_id, seq, stops_always=stops_always)


async def walked(standing: Standing, begun: Begun) -> Outcome:
    """Walk an item that has begun, and write down how it ended. A cancellation by Temporal itself counts as `now`."""
    assert begun.brief is not None
    standing.notice(begun.status, begun.cancel_mode)
    standing.reckon(begun.now)
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
