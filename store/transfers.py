"""Offers: made, accepted, declined, cancelled, rescinded, expired; each ends once, judged by the stored deadline."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text

from domain import transfers as rules
from domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    OfferPendingError,
    OperatorExcludedError,
    WrongStatusError,
)
from domain.events import Fact
from domain.permissions import Viewer, leads
from domain.transfers import Offer
from domain.workflow_ids import of_dialog, of_transfer
from store import messages
from store.dialogs import Scene, TeamFacts, lock_concerned_teams, lock_scene, require_locked_teams
from store.distribution import drain, lock_dialogs
from store.exclusions import why_excluded
from store.ids import new_id
from store.places import exclude_for_a_window, give, is_online, require_able, reserve, settle_waiting, to_pool
from store.tables import Reservation, Team, Transfer
from store.transactions import SYSTEM, Work, team_keys_of

_FACTS = {
    Offer.ACCEPTED: Fact.TRANSFER_ACCEPTED,
    Offer.DECLINED: Fact.TRANSFER_DECLINED,
    Offer.CANCELLED: Fact.TRANSFER_CANCELLED,
    Offer.RESCINDED: Fact.TRANSFER_RESCINDED,
    Offer.EXPIRED: Fact.TRANSFER_EXPIRED,
}


async def offer(
    work: Work,
    scene: Scene,
    to_operator: UUID,
    note: str | None,
    *,
    within: timedelta | None = None,
    fallback: str | None = None,
) -> dict[str, Any]:
    """Offer an owned dialog to one operator: their slot is reserved, the sender keeps the dialog and its slot.

    `within` and `fallback` are the team's own unless given.
    """
    dialog = scene.dialog
    if scene.offer is not None:
        raise OfferPendingError(
            "A transfer of this dialog is already pending.",
            transfer_id=str(scene.offer.id),
            deadline=scene.offer.deadline.isoformat(),
        )
    if dialog.place != "owned" or dialog.operator_id is None:
        raise WrongStatusError("Only a dialog that an operator holds can be offered.")
    if to_operator == dialog.operator_id:
        raise ConflictError("This operator holds the dialog already.")
    await work.lock_operators([to_operator])
    await work.read_clock()
    name = await require_able(work, to_operator, must_be_online=True)
    if why := await why_excluded(work, dialog.id, to_operator):
        did = "declined it" if why == "transfer_declined" else "let an offer of it expire"
        raise OperatorExcludedError(f"{name} {did}; not offered again until the dialog's next assignment.")
    transfer_id = new_id()
    window = within or timedelta(seconds=scene.team.transfer_window)
    await reserve(work, dialog, to_operator, kind="offer", transfer_id=transfer_id, expires_in=window)
    note_id = (await messages.add_note(work, scene, note)).id if note else None
    row = Transfer(
        id=transfer_id, dialog_id=dialog.id, from_operator=dialog.operator_id, to_operator=to_operator,
        offered_by=work.actor.id, fallback=fallback or scene.team.transfer_fallback,
        window=int(window.total_seconds()), state=Offer.PENDING, note_id=note_id, offered_at=work.now,
        deadline=work.now + window,
    )  # fmt: skip
    work.session.add(row)
    scene.offer = row
    scene.refresh_relation()
    work.record(
        Fact.TRANSFER_OFFERED, **scene.event_ids, operator_id=to_operator, transfer_id=str(transfer_id),
        from_operator=str(dialog.operator_id), deadline=row.deadline.isoformat(),
    )  # fmt: skip
    work.react(of_dialog(dialog.id), "transfer_offered", transfer_id=str(transfer_id))
    return {
        "transfer_id": str(transfer_id), "state": row.state, "deadline": row.deadline.isoformat(),
        "window": row.window, "to_operator": str(to_operator), "to_operator_name": name,
    }  # fmt: skip


async def move_to_team(work: Work, scene: Scene, team: Team) -> None:
    work.require_teams([team.key])
    scene.dialog.team_key = team.key
    scene.team = TeamFacts(team.key, team.auto, team.active, team.transfer_window, team.transfer_fallback)
    scene.refresh_relation()


async def team_to_hand_to(work: Work, key: str) -> Team:
    """Raises InvalidError for a team that does not exist or is not active."""
    team = await work.session.get(Team, key)
    if team is None or not team.active:
        raise InvalidError(f"There is no active team {key!r}.", field="to_team")
    return team


async def accept(work: Work, scene: Scene, viewer: Viewer, transfer: Transfer) -> dict[str, Any]:
    """The target says yes: judged by the clock read after the dialog and both operators were locked."""
    await _require_pending(work, transfer)
    if transfer.to_operator != viewer.user_id:
        raise ForbiddenError("This offer is for somebody else.")
    sender = scene.dialog.operator_id
    await end(work, scene, Offer.ACCEPTED, reason=None, tell=False, keeps_slot=True)
    await give(work, scene, viewer.user_id, cause="transfer_accepted", converts_offer=True)
    transfer.holder_after = viewer.user_id
    await drain_for(work, [sender], cause="transfer_accepted")
    return answer_of(transfer)


async def decline(work: Work, scene: Scene, viewer: Viewer, transfer: Transfer, reason: str | None) -> dict[str, Any]:
    await _require_pending(work, transfer)
    if transfer.to_operator != viewer.user_id:
        raise ForbiddenError("This offer is for somebody else.")
    await end(work, scene, Offer.DECLINED, reason=reason, tell=False)
    await fall_back(work, scene, transfer, cause="transfer_declined", excluding=transfer.to_operator)
    return answer_of(transfer)


async def cancel(work: Work, scene: Scene, viewer: Viewer, transfer: Transfer) -> dict[str, Any]:
    await _require_pending(work, transfer)
    mine = viewer.user_id in (transfer.from_operator, transfer.offered_by)
    if not mine and not leads(viewer, scene.relation):
        raise ForbiddenError("Only who offered the dialog or a supervisor of its team may cancel this.")
    await end(work, scene, Offer.CANCELLED, reason=None, tell=False)
    transfer.holder_after = scene.dialog.operator_id
    await drain_for(work, [transfer.to_operator], cause="transfer_cancelled")
    return answer_of(transfer)


async def expire(work: Work, scene: Scene, *, tell: bool) -> None:
    """Carry out a passed deadline. The expiry is dated at the deadline, whenever somebody got round to it."""
    transfer = scene.offer
    if transfer is None or work.now < transfer.deadline:
        return
    await end(work, scene, Offer.EXPIRED, reason=None, tell=tell)
    await fall_back(work, scene, transfer, cause="transfer_expired", excluding=transfer.to_operator)


async def fall_back(work: Work, scene: Scene, transfer: Transfer, *, cause: str, excluding: UUID | None) -> None:
    """An offer nobody took: back to a sender who is online, else to the pool with its original waiting age."""
    online = await is_online(work, scene.dialog.operator_id)
    if rules.returns_to_sender(transfer.fallback, sender_is_online=online):
        if excluding is not None:
            await exclude_for_a_window(work, scene, excluding, cause=cause)
        transfer.holder_after = scene.dialog.operator_id
        await drain_for(work, [transfer.to_operator], cause=cause)
        return
    sender = scene.dialog.operator_id
    await to_pool(work, scene, cause=cause, excluding=excluding)
    await settle_waiting(work, scene, cause=cause)
    await drain_for(work, [transfer.to_operator, sender], cause=cause)
    transfer.holder_after = scene.dialog.operator_id


async def end(
    work: Work, scene: Scene, state: Offer, *, reason: str | None, tell: bool, keeps_slot: bool = False
) -> None:
    """Write how the pending offer ended. `tell`: its workflow does not know yet and must be rung."""
    transfer = scene.offer
    if transfer is None:
        return
    require_locked_teams(work)
    transfer.state, transfer.reason = state, reason
    transfer.ended_at = transfer.deadline if state == Offer.EXPIRED else work.now
    actor = SYSTEM if state == Offer.EXPIRED else work.actor
    transfer.ended_by = actor.id
    transfer.holder_after = scene.dialog.operator_id
    scene.offer = None
    if not keeps_slot:
        await work.session.execute(
            delete(Reservation).where(Reservation.dialog_id == scene.dialog.id, Reservation.kind == "offer")
        )
    await work.session.flush()
    work.record(
        _FACTS[state], **scene.event_ids, operator_id=transfer.to_operator, actor=actor, at=transfer.ended_at,
        transfer_id=str(transfer.id), from_operator=str(transfer.from_operator),
        reason=None if state == Offer.DECLINED else reason,
    )  # fmt: skip
    if tell:
        work.react(of_transfer(transfer.id), "offer_ended", state=state.value)


async def drain_for(work: Work, operators: Iterable[UUID | None], *, cause: str) -> None:
    """A slot of these operators became free: let their teams' queues move."""
    freed = {i for i in operators if i is not None}
    teams = await team_keys_of(work.session, freed)
    if freed and not teams:  # who is in no team may be joining one right now: whoever adds them locks their row, too
        await work.lock_operators(freed)
        teams = await team_keys_of(work.session, freed)
    if teams:
        work.require_teams(teams)
        await drain(work, teams, cause=cause)


async def rescind_offers_to(work: Work, operator_id: UUID, *, reason: str) -> int:
    """End every offer to somebody who went away, then do as its team's fallback says. Holds all teams' locks."""
    ids = (
        await work.session.scalars(
            select(Transfer.dialog_id)
            .where(Transfer.to_operator == operator_id, Transfer.state == "pending")
            .order_by(Transfer.dialog_id)
        )
    ).all()
    await lock_dialogs(work, ids)
    for dialog_id in ids:
        scene = await lock_scene(work, dialog_id)
        transfer = scene.offer
        if transfer is None or transfer.to_operator != operator_id:
            continue
        if work.now >= transfer.deadline:
            await expire(work, scene, tell=True)
            continue
        await end(work, scene, Offer.RESCINDED, reason=reason, tell=True)
        await fall_back(work, scene, transfer, cause="transfer_rescinded", excluding=None)
    return len(ids)


async def teams_of_offers_to(work: Work, operator_id: UUID) -> set[str]:
    """Every team that ending this person's pending offers may touch; read before the locks."""
    rows = await work.session.execute(
        text("""
            SELECT d.team_key FROM transfers t JOIN dialogs d ON d.id = t.dialog_id
            WHERE t.to_operator = :id AND t.state = 'pending'
            UNION SELECT m.team_key FROM transfers t JOIN dialogs d ON d.id = t.dialog_id
            JOIN team_members m ON m.user_id IN (t.to_operator, d.operator_id)
            WHERE t.to_operator = :id AND t.state = 'pending'
        """),
        {"id": operator_id},
    )
    return {r[0] for r in rows}


async def settle_deadline(work: Work, transfer_id: UUID, *, tell: bool = False) -> Transfer:
    """What its own timer does on waking: expire it if its deadline has passed. `tell`: somebody else found out."""
    transfer = await get_transfer(work, transfer_id)
    if transfer.state != Offer.PENDING:
        return transfer
    await lock_concerned_teams(work, transfer.dialog_id)
    scene = await lock_scene(work, transfer.dialog_id)
    if scene.offer is not None and scene.offer.id == transfer_id:
        await expire(work, scene, tell=tell)
    await work.session.flush()
    await work.session.refresh(transfer)
    return transfer


async def get_transfer(work: Work, transfer_id: UUID) -> Transfer:
    """Raises NotFoundError."""
    transfer = await work.session.get(Transfer, transfer_id)
    if transfer is None:
        raise NotFoundError("There is no such transfer.")
    return transfer


async def _require_pending(work: Work, transfer: Transfer) -> None:
    state = rules.state_at(transfer.state, transfer.deadline, work.now)
    if state != Offer.PENDING:
        holder = await work.session.scalar(
            text("SELECT u.name FROM dialogs d JOIN users u ON u.id = d.operator_id WHERE d.id = :d"),
            {"d": transfer.dialog_id},
        )
        raise rules.why_too_late(state, transfer.deadline, transfer.ended_at, holder)


def answer_of(transfer: Transfer) -> dict[str, Any]:
    return {
        "transfer_id": str(transfer.id),
        "dialog_id": str(transfer.dialog_id),
        "state": transfer.state,
        "deadline": transfer.deadline.isoformat(),
        "operator_id": str(transfer.holder_after) if transfer.holder_after else None,
    }
