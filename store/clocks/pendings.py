"""A pending ticket whose moment has come opens again, to whoever had it."""

from uuid import UUID

from domain.dialogs import Status
from store.closures import reopen_now
from store.dialogs import lock_concerned_teams, lock_scene
from store.transactions import Work


async def open_again(work: Work, dialog_id: UUID) -> bool:
    """Answers whether it did: somebody may have been faster. However late we come, it is open since its own moment, and
    its clocks run since then. Raises NotFoundError.
    """
    await lock_concerned_teams(work, dialog_id)
    scene = await lock_scene(work, dialog_id)
    dialog = scene.dialog
    if dialog.status != Status.PENDING or dialog.pending_until is None or dialog.pending_until > work.now:
        return False
    moment = dialog.pending_until
    dialog.pending_until = None
    waited = {"pending_until": moment.isoformat()}
    await reopen_now(work, scene, cause="pending_until", waited=waited, at=moment)
    return True
