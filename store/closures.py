"""Closing a dialog, and opening it again."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from domain import dialogs as rules
from domain.commands import Close, Reopen
from domain.errors import (
    AnotherDialogOpenError,
    DialogOpenError,
    NotYoursError,
    TopicRequiredError,
    WrongStatusError,
)
from domain.events import Fact
from domain.permissions import Permission, Viewer, leads, require_acting
from domain.transfers import Offer
from domain.workflow_ids import of_dialog
from store import ratings, transfers
from store.dialogs import Scene
from store.fields import require_whole
from store.messages import add_note
from store.places import free_slot, give, has_room, is_online, settle_waiting, tell_reassigned, wait_no_longer
from store.tables import Dialog, Team, Topic
from store.transactions import GroundMovedError, Work
from store.viewers import find_viewer


async def close(work: Work, scene: Scene, viewer: Viewer, command: Close) -> dict[str, Any]:
    """Close: the slot is free, a pending offer ends, the next waiting dialog moves up, in this transaction."""
    dialog = scene.dialog
    rules.require_open(dialog.status)
    require_acting(viewer, scene.relation, is_waiting=dialog.place in rules.WAITING)
    topic = await work.session.get(Topic, dialog.topic_key) if dialog.topic_key else None
    if topic is None and await _is_topic_required(work, dialog.team_key):
        raise TopicRequiredError("Choose a topic before closing.", field="topic")
    await require_whole(work, dialog)
    if command.note:
        await add_note(work, scene, command.note)
    return await close_now(work, scene, cause=by_whom(work), silent=command.silent)


def by_whom(work: Work) -> str:
    """The cause of what a person, or a run, asked for."""
    return "by_process" if work.run_id else "by_operator"


async def _is_topic_required(work: Work, team: str) -> bool:
    """P84: a team that covers a required topic does not close dialogs without one."""
    found = await work.session.scalar(
        text(
            "SELECT EXISTS (SELECT 1 FROM team_topics tt JOIN topics t ON t.key = tt.topic_key"
            " WHERE tt.team_key = :team AND t.required AND t.active)"
        ),
        {"team": team},
    )
    return bool(found)


async def close_now(work: Work, scene: Scene, *, cause: str, silent: bool = False) -> dict[str, Any]:
    """`silent` goes with the event: who asks for scores leaves this closing alone."""
    dialog = scene.dialog
    holder = dialog.operator_id
    target = scene.offer.to_operator if scene.offer else None
    await transfers.end(work, scene, Offer.RESCINDED, reason="closed", tell=True)
    await free_slot(work, dialog)
    before = {"status": dialog.status, "place": dialog.place, "operator": str(holder) if holder else None}
    dialog.status, dialog.place, dialog.operator_id = rules.Status.CLOSED, None, None
    dialog.closed_at, dialog.closed_by = work.now, work.actor.id
    dialog.awaiting_reply_since, dialog.reserved_for, dialog.is_forced = None, None, False
    waited = wait_no_longer(work, dialog)
    await work.session.flush()
    await work.session.execute(text("DELETE FROM exclusions WHERE dialog_id = :d"), {"d": dialog.id})
    if holder is not None:
        await work.session.execute(
            text("UPDATE operators SET last_closed_at = :now WHERE user_id = :id"), {"now": work.now, "id": holder}
        )
    is_ticket = dialog.kind == rules.Kind.TICKET
    work.record(
        Fact.TICKET_CLOSED if is_ticket else Fact.DIALOG_CLOSED, **scene.event_ids, operator_id=holder,
        before=before | waited, after={"status": "closed", "operator": None} | dict.fromkeys(waited), cause=cause,
        cycle=dialog.cycle, silent=silent,
    )  # fmt: skip
    work.react(of_dialog(dialog.id), "dialog_closed", cycle=dialog.cycle)
    await transfers.drain_for(work, [holder, target], cause="closed")
    return {"status": "closed", "closed_at": work.now.isoformat(), "operator_id": None}


async def reopen(work: Work, scene: Scene, viewer: Viewer, _: Reopen) -> dict[str, Any]:
    """Open a closed (or pending, resolved) dialog again: to its last operator if there with room, else the pool."""
    mine = viewer.user_id in (scene.dialog.last_operator_id, scene.dialog.author_id)
    if not mine and not leads(viewer, scene.relation) and scene.dialog.team_key not in viewer.teams:
        raise NotYoursError("Only its last operator, its team or a supervisor may reopen this dialog.")
    return await reopen_now(work, scene, cause=by_whom(work))


async def reopen_now(
    work: Work,
    scene: Scene,
    *,
    cause: str,
    drains: bool = True,
    waited: Mapping[str, str] = MappingProxyType({}),
    at: datetime | None = None,
) -> dict[str, Any]:
    """`waited`: until when it was to wait, where that is over. `at`: the moment it was to open, where that has passed.

    Raises DialogOpenError, AnotherDialogOpenError.
    """
    dialog = scene.dialog
    before: dict[str, Any] = {"status": dialog.status, "place": dialog.place}
    if dialog.status not in (rules.Status.CLOSED, rules.Status.RESOLVED, rules.Status.PENDING):
        raise DialogOpenError("The dialog is open already.")
    if dialog.merged_into is not None:
        raise WrongStatusError(
            "The ticket was merged into another one, where it goes on.", dialog_id=str(dialog.merged_into)
        )
    await _require_only_open(work, dialog)
    was_closed = dialog.status == rules.Status.CLOSED
    is_ticket = dialog.kind == rules.Kind.TICKET
    team = await work.session.get_one(Team, dialog.team_key)
    holder, candidate = dialog.operator_id, dialog.operator_id or dialog.last_operator_id
    target = await _end_offer(work, scene)
    dialog.status = rules.Status.OPEN
    dialog.place, dialog.operator_id = rules.place_when_waiting(auto=team.auto), None
    dialog.closed_at = dialog.closed_by = None
    dialog.waiting_since = at or work.now
    waited = {**waited, **wait_no_longer(work, dialog)}
    if was_closed:
        dialog.cycle += 1
    await ratings.supersede(work, dialog.id)
    try:
        await work.session.flush()
    except IntegrityError as error:  # the client's next message has just opened another one
        raise GroundMovedError from error
    scene.refresh_relation()
    goes_back = drains and candidate is not None and await _can_take_back(work, scene, candidate)
    left: dict[str, Any] = {} if goes_back or holder is None else {"operator": str(holder)}
    work.record(
        Fact.TICKET_REOPENED if is_ticket else Fact.DIALOG_REOPENED, **scene.event_ids, operator_id=candidate, at=at,
        before=before | waited | left,
        after={"status": dialog.status, "place": dialog.place, **dict.fromkeys((*waited, *left))}, cause=cause,
        cycle=dialog.cycle,
    )  # fmt: skip
    work.react(of_dialog(dialog.id), "dialog_reopened", cycle=dialog.cycle)
    if goes_back and candidate is not None:
        await give(work, scene, candidate, cause="reopened", formerly=holder)
    else:
        tell_reassigned(work, scene, holder, cause="reopened")
        dialog.reserved_for = candidate if is_ticket else None
        await work.session.flush()
        await settle_waiting(work, scene, cause="reopened", drains=drains)
    if target is not None and drains:
        await transfers.drain_for(work, [target], cause="reopened")
    return {
        "status": dialog.status, "place": dialog.place,
        "operator_id": str(dialog.operator_id) if dialog.operator_id else None,
    }  # fmt: skip


async def _end_offer(work: Work, scene: Scene) -> UUID | None:
    """A pending or resolved ticket may be on offer: end that; answers whose slot it frees."""
    offer = scene.offer
    if offer is None:
        return None
    is_late = work.now >= offer.deadline
    state, reason = (Offer.EXPIRED, None) if is_late else (Offer.RESCINDED, "reopened")
    await transfers.end(work, scene, state, reason=reason, tell=True)
    return offer.to_operator


async def _can_take_back(work: Work, scene: Scene, operator_id: UUID) -> bool:
    """The last operator gets the dialog back when online, with room, and still one of its team."""
    await work.lock_operators([operator_id])
    if not await is_online(work, operator_id) or not await has_room(work, operator_id, scene.dialog.channel_key):
        return False
    person = await find_viewer(work.session, operator_id)
    return person is not None and person.may(Permission.DIALOG_HOLD) and scene.dialog.team_key in person.teams


async def _require_only_open(work: Work, dialog: Dialog) -> None:
    if dialog.kind == rules.Kind.TICKET:
        return
    other = await work.session.scalar(
        select(Dialog.id).where(
            Dialog.channel_key == dialog.channel_key, Dialog.identity_id == dialog.identity_id,
            Dialog.thread == dialog.thread, Dialog.status != "closed", Dialog.kind != "ticket",
            Dialog.id != dialog.id,
        )
    )  # fmt: skip
    if other is not None:
        raise AnotherDialogOpenError("The client has another open dialog here.", dialog_id=str(other))
