"""A dialog's own fields: of a chat any JSON under any name, of a ticket what its topic gives it; and what a ticket says
of itself.
"""

from collections.abc import Mapping
from typing import Any

from domain import tickets
from domain.commands import Describe, SetFields
from domain.dialogs import WAITING, Kind
from domain.errors import FieldsRequiredError, InvalidError, WrongStatusError
from domain.events import Fact
from domain.permissions import Viewer, require_acting
from store.dialogs import Scene
from store.json_values import storable
from store.tables import Dialog
from store.ticket_fields import fields_of_topic
from store.transactions import Work

MOST_FIELDS = 100
#: what a ticket says of itself → its most characters
SAID = {"subject": tickets.LONGEST_SUBJECT, "description": tickets.LONGEST_DESCRIPTION}


async def apply(work: Work, scene: Scene, viewer: Viewer, command: SetFields) -> dict[str, Any]:
    """The command of a person."""
    return await set_fields(work, scene, viewer, command.fields)


async def set_fields(work: Work, scene: Scene, viewer: Viewer, given: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `given` into the dialog's fields; null takes one away. The event of a chat names them, a ticket's tells
    their values before and after.

    Raises NotYoursError, NotTakenError, InvalidError for too many, or for what a ticket's topic does not have.
    """
    dialog = scene.dialog
    require_acting(viewer, scene.relation, is_waiting=dialog.place in WAITING)
    is_ticket = dialog.kind == Kind.TICKET
    if is_ticket:
        wanted = tickets.merge(await fields_of_topic(work.session, dialog.topic_key), dialog.fields, given)
    else:
        merged = {**dialog.fields, **storable(dict(given))}
        wanted = {name: value for name, value in merged.items() if value is not None}
    if len(wanted) > MOST_FIELDS:
        raise InvalidError(f"A dialog has at most {MOST_FIELDS} fields.", field="fields")
    before = dialog.fields
    changed = sorted(n for n in given if before.get(n) != wanted.get(n))
    if changed:
        dialog.fields = wanted
        if is_ticket:
            record_update(work, scene, before, wanted, changed)
        else:
            work.record(Fact.DIALOG_CHANGED, **scene.event_ids, operator_id=dialog.operator_id, fields=changed)
    return {"fields": wanted, "changed": bool(changed)}


def record_update(
    work: Work, scene: Scene, before: Mapping[str, Any], after: Mapping[str, Any], changed: list[str]
) -> None:
    """The fact of fields of a ticket that changed. Values are no message texts; who may not read the dialog's texts
    is not told them (domain/streams.py).
    """
    work.record(
        Fact.TICKET_UPDATED, **scene.event_ids, operator_id=scene.dialog.operator_id, fields=changed,
        before={"fields": {name: before.get(name) for name in changed}},
        after={"fields": {name: after.get(name) for name in changed}},
    )  # fmt: skip


async def describe(work: Work, scene: Scene, viewer: Viewer, command: Describe) -> dict[str, Any]:
    """Change a ticket's subject or description. Raises NotYoursError, NotTakenError, InvalidError, WrongStatusError."""
    dialog = scene.dialog
    require_acting(viewer, scene.relation, is_waiting=dialog.place in WAITING)
    if dialog.kind != Kind.TICKET:
        raise WrongStatusError("Only a ticket says of itself what it is about.")
    changed = set_said(work, scene, {name: require_said(name, value) for name, value in command.changes.items()})
    return {**{name: getattr(dialog, name) for name in SAID}, "changed": changed}


def set_said(work: Work, scene: Scene, given: Mapping[str, str | None]) -> bool:
    """Checked texts of SAID; answers whether any is another than before."""
    dialog = scene.dialog
    before = {name: getattr(dialog, name) for name in SAID if name in given}
    changed = [name for name in before if before[name] != given[name]]
    for name in changed:
        setattr(dialog, name, given[name])
    if changed:
        work.record(
            Fact.TICKET_UPDATED, **scene.event_ids, operator_id=dialog.operator_id, fields=changed,
            before={name: before[name] for name in changed}, after={name: given[name] for name in changed},
        )  # fmt: skip
    return bool(changed)


def require_said(name: str, value: str | None) -> str | None:
    """Blank is none. Raises InvalidError for what is too long or cannot be kept, and for an unknown name."""
    if name not in SAID:
        raise InvalidError(f"A ticket has no {name}.", field=name)
    if value is None or not value.strip():
        return None
    if len(value) > SAID[name] or "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise InvalidError(f"{name}: at most {SAID[name]} characters that can be kept.", field=name)
    return value.strip()


async def require_whole(work: Work, dialog: Dialog) -> None:
    """Before a ticket is closed. Raises FieldsRequiredError naming the fields of its topic that still lack a value."""
    if dialog.kind != Kind.TICKET or dialog.topic_key is None:
        return
    lacking = tickets.missing(await fields_of_topic(work.session, dialog.topic_key), dialog.fields)
    if lacking:
        names = ", ".join(spec.name for spec in lacking)
        raise FieldsRequiredError(
            f"Fill in before closing: {names}.", fields=[{"key": s.key, "name": s.name} for s in lacking]
        )
