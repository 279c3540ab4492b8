"""Speaking in a dialog: a reply to the client, or a note among ourselves."""

from typing import Any

from domain import dialogs as rules
from domain.commands import Say
from domain.errors import ForbiddenError, NotTakenError
from domain.permissions import Permission, Viewer, require_acting
from store.dialogs import Scene
from store.messages import add_note, add_reply
from store.transactions import Work


async def say(work: Work, scene: Scene, viewer: Viewer, command: Say) -> dict[str, Any]:
    """A note needs only that one may read the dialog; a reply needs its holder, a participant or its team's leader."""
    if command.mode == "note":
        if not viewer.may(Permission.DIALOG_NOTE):
            raise ForbiddenError("This needs the right dialog.note.")
        message = await add_note(work, scene, command.text, command.attachments)
    else:
        rules.require_open(scene.dialog.status)
        is_waiting = scene.dialog.place in rules.WAITING
        require_acting(viewer, scene.relation, is_waiting=is_waiting)
        if is_waiting and viewer.user_id not in scene.relation.participants:
            raise NotTakenError("Nobody holds this dialog: take it first.")
        message = await add_reply(work, scene, command.text, command.attachments)
    return {
        "message_id": str(message.id), "seq": message.seq, "mode": command.mode, "delivery": message.delivery,
        "created_at": message.created_at.isoformat(),
    }  # fmt: skip
