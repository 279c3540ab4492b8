"""A dialog's own fields: named JSON values besides what every dialog has."""

from collections.abc import Mapping
from typing import Any

from domain.commands import SetFields
from domain.dialogs import WAITING, Kind
from domain.errors import InvalidError
from domain.events import Fact
from domain.permissions import Viewer, require_acting
from store.dialogs import Scene
from store.json_values import storable
from store.transactions import Work

MOST_FIELDS = 100


async def apply(work: Work, scene: Scene, viewer: Viewer, command: SetFields) -> dict[str, Any]:
    """The command of a person."""
    return await set_fields(work, scene, viewer, command.fields)


async def set_fields(work: Work, scene: Scene, viewer: Viewer, given: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `given` into the dialog's fields; null takes one away. The event names them, values stay out of it.

    Raises NotYoursError, NotTakenError, InvalidError for too many.
    """
    dialog = scene.dialog
    require_acting(viewer, scene.relation, is_waiting=dialog.place in WAITING)
    merged = {**dialog.fields, **storable(dict(given))}
    wanted = {name: value for name, value in merged.items() if value is not None}
    if len(wanted) > MOST_FIELDS:
        raise InvalidError(f"A dialog has at most {MOST_FIELDS} fields.", field="fields")
    changed = sorted(n for n in given if dialog.fields.get(n) != wanted.get(n))
    if changed:
        dialog.fields = wanted
        fact = Fact.TICKET_UPDATED if dialog.kind == Kind.TICKET else Fact.DIALOG_CHANGED
        work.record(fact, **scene.event_ids, operator_id=dialog.operator_id, fields=changed)
    return {"fields": wanted, "changed": bool(changed)}
