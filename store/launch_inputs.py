"""The inputs of a launch: what was given, what the defaults say, and whether what they name exists."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.definitions.inputs import InputField
from domain.errors import InvalidInputsError
from domain.launches import LaunchOrder, Selected
from domain.permissions import Viewer
from domain.run_inputs import Checked, check, is_list
from store.launchables import Launchable
from store.operator_snapshots import operator_snapshot
from store.readable_dialogs import contact_of_readable
from store.run_inputs import missing
from store.selections import EVERYTHING, Wanted
from store.selections import count as count_selected
from store.snapshots import snapshot_of
from store.transactions import Work


async def check_inputs(work: Work, found: Launchable, order: LaunchOrder) -> dict[str, Any]:
    """The inputs with their defaults. Raises InvalidInputsError with an error a field."""
    checked = await read_inputs(work, found, order)
    errors = checked.errors + await missing(work.session, found.viewer, checked.references)
    if errors:
        raise InvalidInputsError(errors[0]["message"], errors=errors)
    return checked.values


async def read_inputs(work: Work, found: Launchable, order: LaunchOrder) -> Checked:
    """What the launch gave and what the defaults say; the chosen operator fills the first input for one."""
    fields = {name: InputField.model_validate(one) for name, one in (found.canonical.get("inputs") or {}).items()}
    given = dict(order.inputs)
    if order.selected.operator is not None:
        first = next((name for name, one in fields.items() if one.type == "operator"), None)
        if first is not None and given.get(first) is None:
            chosen = str(order.selected.operator)
            given[first] = [chosen] if is_list(fields[first]) else chosen
    names = await names_for(work.session, found, order) if fields else {}
    return check(fields, given, names, work.now)


async def names_for(session: AsyncSession, found: Launchable, order: LaunchOrder) -> dict[str, Any]:
    """What defaults may read: the one dialog, contact or operator a launch is about, as far as the launcher may read
    it, and what triggered it.
    """
    target = "dialog" if order.dialog_id is not None else found.canonical.get("target", "dialog")
    ids = (order.dialog_id,) if order.dialog_id is not None else order.selected.ids or ()
    only = ids[0] if len(ids) == 1 and target != "none" else None
    if only is not None and not await _is_seen(session, found.viewer, target, only):
        only = None
    dialog_id = only if target == "dialog" else None
    if only is not None and target != "operator":
        snapshot = await snapshot_of(session, dialog_id, only if target == "contact" else None)
    elif only is not None:
        snapshot = await operator_snapshot(session, only)
    else:
        return {"dialog": None, "contact": None, "operator": None, "trigger": dict(order.trigger)}
    return {
        "dialog": snapshot.dialog, "contact": snapshot.contact, "operator": snapshot.operator,
        "trigger": dict(order.trigger),
    }  # fmt: skip


async def _is_seen(session: AsyncSession, viewer: Viewer, target: str, only: UUID) -> bool:
    if target == "dialog":
        return await contact_of_readable(session, viewer, only) is not None
    return bool(await count_selected(session, viewer, Wanted(target, Selected(ids=(only,)), EVERYTHING, None, 1)))
