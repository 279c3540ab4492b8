"""Which runs of which workflows there were (DECISIONS 11)."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.workflow_ids import parse
from store.tables import WorkflowRun


async def note_run(session: AsyncSession, workflow_id: str, run_id: str, *, dialog_id: UUID | None = None) -> None:
    """Write a run into the list of runs; a repeated call changes nothing."""
    await session.execute(
        upsert(WorkflowRun)
        .values(workflow_id=workflow_id, run_id=run_id, kind=parse(workflow_id)[0], dialog_id=dialog_id)
        .on_conflict_do_nothing()
    )
