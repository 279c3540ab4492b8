"""A ticket's status by hand, and until when a pending one waits."""

from datetime import datetime
from typing import Any

from domain import dialogs as rules
from domain.commands import SetStatus
from domain.errors import InvalidError
from domain.events import Fact
from domain.permissions import Viewer, require_acting
from domain.workflow_ids import of_clocks
from store import transfers
from store.dialogs import Scene
from store.places import free_slot, wait_no_longer
from store.transactions import Work


async def set_status(work: Work, scene: Scene, viewer: Viewer, command: SetStatus) -> dict[str, Any]:
    """Pending and resolved give the slot back. A pending ticket may be told until when to wait, also afterwards."""
    dialog = scene.dialog
    require_acting(viewer, scene.relation, is_waiting=dialog.place in rules.WAITING)
    rules.require_open(dialog.status)
    if command.status not in {*rules.TICKET_STATUSES}:
        raise InvalidError(f"There is no status {command.status!r}.", field="status")
    rules.require_until(command.status, command.until, work.now)
    before, until = dialog.status, dialog.pending_until
    if before == command.status:
        if command.until is None or command.until == until:
            return {**_told(scene), "changed": False}
        _wait_until(work, scene, command.until)
        sides = ({"pending_until": _text(until)}, {"pending_until": _text(command.until)})
        work.record(
            Fact.TICKET_UPDATED, **scene.event_ids, operator_id=dialog.operator_id, before=sides[0], after=sides[1],
            fields=["pending_until"],
        )  # fmt: skip
        return {**_told(scene), "changed": True}
    rules.require_status_change(dialog.kind, before, command.status)
    had, has = rules.occupies_slot(before), rules.occupies_slot(command.status)
    dialog.status = command.status
    wait_no_longer(work, dialog)
    _wait_until(work, scene, command.until)
    await work.session.flush()
    if dialog.operator_id is not None and had and not has:
        await free_slot(work, dialog)
        await transfers.drain_for(work, [dialog.operator_id], cause="ticket_status")
    is_timed = until is not None or command.until is not None
    work.record(
        Fact.TICKET_STATUS_CHANGED, **scene.event_ids, operator_id=dialog.operator_id,
        before={"status": before} | ({"pending_until": _text(until)} if is_timed else {}),
        after={"status": command.status} | ({"pending_until": _text(command.until)} if is_timed else {}),
    )  # fmt: skip
    return {**_told(scene), "changed": True}


def _wait_until(work: Work, scene: Scene, until: datetime | None) -> None:
    if until is not None:
        scene.dialog.pending_until = until
        work.react(of_clocks(scene.dialog.id), "clocks_changed")


def _told(scene: Scene) -> dict[str, Any]:
    return {"status": scene.dialog.status, "pending_until": _text(scene.dialog.pending_until)}


def _text(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
