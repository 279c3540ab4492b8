"""As whom a run acts: its launcher with the rights of this moment, or the system with what its version was granted."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import DomainError
from domain.permissions import Viewer
from store.deeds.stages import RunFacts, Stage, open_stage, step_error
from store.tables import Run
from store.transactions import Actor, Work
from store.viewers import SYSTEM_VIEWER, get_viewer


def is_system(run: Run) -> bool:
    return run.run_as == "system" or run.launched_by is None


def facts_of(run: Run) -> RunFacts:
    return RunFacts(run.id, run.number, is_system(run), frozenset(run.granted), run.definition_key, run.kind)


async def viewer_of(session: AsyncSession, run: Run) -> Viewer:
    """Raises StepError (forbidden) when the launcher may no longer do anything."""
    if is_system(run) or run.launched_by is None:
        return SYSTEM_VIEWER
    try:
        return await get_viewer(session, run.launched_by)
    except DomainError as error:
        raise step_error(error) from error


async def stage_for(
    work: Work,
    run: Run,
    dialog_id: UUID | None,
    contact_id: UUID | None,
    *,
    heavy: bool,
    teams: Iterable[str] = (),
    viewer: Viewer | None = None,
) -> Stage:
    """The stage on which an item's actions are carried out, its locks taken. `viewer`: as whom, read just now.

    Raises StepError, GroundMovedError.
    """
    work.actor = Actor("process", run.launched_by)
    work.run_id = run.id
    if viewer is None:
        viewer = await viewer_of(work.session, run)
    return await open_stage(
        work, viewer=viewer, run=facts_of(run), dialog_id=dialog_id, contact_id=contact_id, heavy=heavy, teams=teams
    )
