"""A dialog goes over to another team: at once, there is no window (P39, P135)."""

from typing import Any

from domain.dialogs import Kind
from domain.events import Fact
from domain.transfers import Offer
from store import messages, transfers
from store.dialogs import Scene
from store.ids import new_id
from store.places import settle_waiting, to_pool
from store.tables import Team, Transfer
from store.transactions import Work


async def hand_to_team(work: Work, scene: Scene, team: Team, note: str | None) -> dict[str, Any]:
    """Move the dialog into another team's list. It leaves the sender at once; there is no window (P135)."""
    dialog = scene.dialog
    before, sender = dialog.team_key, dialog.operator_id
    target = scene.offer.to_operator if scene.offer else None
    if note:
        await messages.add_note(work, scene, note)
    if scene.offer is not None:
        await transfers.end(work, scene, Offer.RESCINDED, reason="handed_to_team", tell=True)
    row = Transfer(
        id=new_id(), dialog_id=dialog.id, from_operator=sender, to_team=team.key, offered_by=work.actor.id,
        fallback=scene.team.transfer_fallback, window=0, state=Offer.ACCEPTED, offered_at=work.now,
        deadline=work.now, ended_at=work.now, ended_by=work.actor.id, reason="to_team",
    )  # fmt: skip
    work.session.add(row)
    await transfers.move_to_team(work, scene, team)
    await to_pool(work, scene, cause="handed_to_team", excluding=sender)
    work.record(
        Fact.DIALOG_TEAM_CHANGED, **scene.event_ids, before={"team": before}, after={"team": team.key},
        transfer_id=str(row.id),
    )  # fmt: skip
    if sender is None and dialog.kind == Kind.TICKET:  # whom it leaves is told of by to_pool
        nobody = {"operator": None}
        work.record(
            Fact.TICKET_REASSIGNED, **scene.event_ids, before={**nobody, "team": before},
            after={**nobody, "team": team.key}, cause="handed_to_team",
        )  # fmt: skip
    await settle_waiting(work, scene, cause="handed_to_team")
    await transfers.drain_for(work, [sender, target], cause="handed_to_team")
    row.holder_after = dialog.operator_id
    return {
        "transfer_id": str(row.id), "state": row.state, "deadline": None, "to_team": team.key, "place": dialog.place,
        "operator_id": str(dialog.operator_id) if dialog.operator_id else None,
    }  # fmt: skip
