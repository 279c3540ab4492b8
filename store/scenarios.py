"""A channel's scenario: the process that speaks with a client before, or instead of, an operator (P197)."""

from uuid import UUID

import structlog

from domain import dialogs as rules
from domain.errors import DomainError
from domain.launches import LaunchOrder, Selected
from domain.runs import ENDED
from store.dialogs import Scene
from store.launches import launch
from store.tables import Message
from store.transactions import Work

log = structlog.get_logger("scenarios")


async def begin(work: Work, scene: Scene, process: str, message: Message) -> bool:
    """Hand a dialog that has just opened to the process, in the same transaction: never a dialog in place bot without a
    run that speaks in it. False when the process may not start; people take the dialog then.
    """
    dialog = scene.dialog
    trigger = {
        "event": "dialog.opened", "dialog_id": str(dialog.id), "contact_id": str(dialog.contact_id),
        "channel": dialog.channel_key, "text": message.text, "message_id": str(message.id),
        "at": work.now.isoformat(),
    }  # fmt: skip
    order = LaunchOrder(
        kind="process", key=process, selected=Selected(ids=(dialog.id,)), trigger_kind="event", trigger=trigger
    )
    try:
        async with work.savepoint():
            told = await launch(work, order)
    except DomainError as error:
        log.warning("scenario.refused", process=process, channel=dialog.channel_key, error=str(error)[:200])
        return False
    if told["status"] in ENDED:
        return False
    dialog.place, dialog.bot_run = rules.Place.BOT, UUID(told["run_id"])
    await work.session.flush()
    return True
