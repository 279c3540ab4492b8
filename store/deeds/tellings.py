"""Notes, notices and own events."""

from typing import Any

from domain.actions.particulars import AddNote
from domain.actions.people import Notify
from domain.actions.systems import Emit
from domain.permissions import Permission
from store.deeds.stages import Handler, Stage
from store.json_values import storable
from store.messages import add_note as add
from store.tellings import people_behind, tell

_SHOWN = 200
#: what an event says of itself; own data cannot
_TAKEN = frozenset({"self", "fact", "dialog_id", "contact_id", "team", "operator_id", "actor", "at"})


async def add_note(stage: Stage, p: AddNote) -> dict[str, Any]:
    """Whoever may read the dialog may leave a note; those mentioned are told."""
    scene = stage.require_scene()
    stage.viewer.require(Permission.DIALOG_NOTE)
    note = await add(stage.work, scene, p.text, is_pinned=p.pin)
    stage.undo = {"message_id": str(note.id)}
    if p.mention:
        people = {i for one in p.mention for i in await people_behind(stage.work, one)}
        await tell(
            stage.work, people, p.text[:_SHOWN], key=f"{stage.key}:mention", dialog_id=scene.dialog.id,
            link=f"/dialogs/{scene.dialog.id}",
        )  # fmt: skip
    return {"note_id": str(note.id)}


async def notify(stage: Stage, p: Notify) -> dict[str, Any]:
    people = await people_behind(stage.work, p.to)
    count = await tell(
        stage.work, people, p.text, key=stage.key, title=p.title, link=p.link, sound=p.sound,
        dialog_id=stage.dialog_id, to=p.to,
    )  # fmt: skip
    return {"count": count}


async def emit(stage: Stage, p: Emit) -> dict[str, Any]:
    ids: dict[str, Any] = stage.scene.event_ids if stage.scene else {"contact_id": stage.contact_id}
    told = {name: value for name, value in storable(p.data).items() if name not in _TAKEN}
    stage.work.record(p.event, **ids, **told)
    return {"event": p.event}


DEEDS: dict[str, Handler] = {"add_note": add_note, "notify": notify, "emit": emit}
