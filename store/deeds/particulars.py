"""What a dialog or its client is marked with."""

from typing import Any

from sqlalchemy import text

from domain.actions.particulars import MarkTag, SetField, SetPriority
from domain.commands import AddTag, RemoveTag
from domain.commands import SetPriority as SetPriorityCommand
from domain.dialogs import WAITING
from domain.permissions import Permission, require_acting
from domain.walks.ports import StepError
from store import contacts, fields, topics
from store.deeds.stages import Handler, Stage
from store.tables import Contact

_LONGEST_KEY = 100


async def set_priority(stage: Stage, p: SetPriority) -> dict[str, Any]:
    scene, before = stage.require_scene(), stage.require_scene().dialog.priority
    told = await topics.set_priority(stage.work, scene, stage.viewer, SetPriorityCommand(p.priority))
    if told["changed"]:
        stage.undo = {"before": before, "after": p.priority}
    return {"previous": before, "changed": told["changed"]}


async def set_field(stage: Stage, p: SetField) -> dict[str, Any]:
    previous = await field_of(stage, p.scope, p.field)
    changed = previous != p.value
    if changed:
        await write_field(stage, p.scope, p.field, p.value)
        stage.undo = {"scope": p.scope, "field": p.field, "before": previous, "after": p.value}
    return {"previous": previous, "changed": changed}


async def field_of(stage: Stage, scope: str, name: str) -> Any:
    if scope == "dialog":
        return stage.require_scene().dialog.fields.get(name)
    contact = await stage.work.session.get(Contact, stage.require_contact())
    return contact.fields.get(name) if contact else None


async def write_field(stage: Stage, scope: str, name: str, value: Any) -> None:
    if scope == "dialog":
        await fields.set_fields(stage.work, stage.require_scene(), stage.viewer, {name: value})
    else:
        stage.viewer.require(Permission.CONTACT_EDIT)
        await contacts.change(stage.work, stage.viewer, stage.require_contact(), {"fields": {name: value}})


async def add_tag(stage: Stage, p: MarkTag) -> dict[str, Any]:
    return await _mark(stage, p, on=True)


async def remove_tag(stage: Stage, p: MarkTag) -> dict[str, Any]:
    return await _mark(stage, p, on=False)


async def _mark(stage: Stage, p: MarkTag, *, on: bool) -> dict[str, Any]:
    changed = await write_tag(stage, p.scope, p.tag, on=on)
    if changed:
        stage.undo = {"scope": p.scope, "tag": p.tag, "on": on}
    return {"changed": changed}


async def write_tag(stage: Stage, scope: str, tag: str, *, on: bool) -> bool:
    """A tag that a definition makes up on its way (`mailing-7`) is made; literal ones are checked at activation."""
    if len(tag) > _LONGEST_KEY or "\x00" in tag:
        raise StepError("invalid", f"A tag has at most {_LONGEST_KEY} characters.", details={"parameter": "tag"})
    await _require_may_mark(stage, scope)
    if on:
        made = text("INSERT INTO tags (key, name) VALUES (:tag, :tag) ON CONFLICT DO NOTHING")
        await stage.work.session.execute(made, {"tag": tag})
    if scope == "contact":
        told = await contacts.set_tag(stage.work, stage.viewer, stage.require_contact(), tag, on=on)
        return bool(told["changed"])
    scene = stage.require_scene()
    if on:
        told = await topics.add_tag(stage.work, scene, stage.viewer, AddTag(tag))
    else:
        told = await topics.remove_tag(stage.work, scene, stage.viewer, RemoveTag(tag))
    return bool(told["changed"])


async def _require_may_mark(stage: Stage, scope: str) -> None:
    """Asked before anything is written."""
    if scope == "contact":
        await contacts.require_seen(stage.work.session, stage.viewer, stage.require_contact())
        return
    scene = stage.require_scene()
    require_acting(stage.viewer, scene.relation, is_waiting=scene.dialog.place in WAITING)


DEEDS: dict[str, Handler] = {
    "set_priority": set_priority,
    "set_field": set_field,
    "add_tag": add_tag,
    "remove_tag": remove_tag,
}
