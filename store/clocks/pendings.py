"""A pending ticket whose moment has come opens again, to whoever had it."""

from uuid import UUID

from domain.dialogs import Status
from store.closures import reopen_now
from store.dialogs import lock_concerned_teams, lock_scene
from store.transactions import Work


async def open_again(work: Work, dialog_id: UUID) -> bool:
    """Answers whether it did: somebody may have been faster. Raises NotFoundError."""
    await lock_concerned_teams(work, dialog_id)
    scene = await lock_scene(work, dialog_id)
    dialog = scene.dialog
    if dialog.status != Status.PENDING or dialog.pending_until is None or dialog.pending_until > work.now:
        return False
    waited = {"pending_until": dialog.pending_until.isoformat()}
    dialog.pending_until = None
    await reopen_now(work, scene, cause="pending_until", waited=waited)
    return True
