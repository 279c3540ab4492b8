"""Colleagues in a dialog, and their status."""

from typing import Any
from uuid import UUID

from domain.actions.people import SetOperatorStatus, Watch
from domain.actions.places import AddParticipant
from domain.commands import AddParticipant as AddCommand
from domain.errors import ForbiddenError
from domain.permissions import Permission
from domain.presence import Presence
from domain.walks.ports import StepError
from store import participants, presence, transfers
from store.deeds.stages import Handler, Stage
from store.tables import Operator
from store.tellings import people_behind
from store.transactions import team_keys_of


async def add_participant(stage: Stage, p: AddParticipant) -> dict[str, Any]:
    scene = stage.require_scene()
    told = await participants.add(stage.work, scene, stage.viewer, AddCommand(UUID(p.operator)))
    if told["changed"]:
        stage.undo = {"people": [p.operator]}
    return {"changed": told["changed"]}


async def add_watcher(stage: Stage, p: Watch) -> dict[str, Any]:
    """Those added are told of it."""
    scene = stage.require_scene()
    people = await people_behind(stage.work, p.operator)
    if not people and ":" not in p.operator:
        raise StepError("not_found", "There is no such active person.")
    added = await participants.watch(stage.work, scene, stage.viewer, people, to=p.operator)
    if added:
        stage.undo = {"people": [str(i) for i in added]}
    return {"changed": bool(added), "count": len(added)}


async def remove_watcher(stage: Stage, p: Watch) -> dict[str, Any]:
    scene = stage.require_scene()
    people = await people_behind(stage.work, p.operator)
    removed = await participants.unwatch(stage.work, scene, stage.viewer, people)
    if removed:
        stage.undo = {"people": [str(i) for i in removed]}
    return {"changed": bool(removed), "count": len(removed)}


async def set_operator_status(stage: Stage, p: SetOperatorStatus) -> dict[str, Any]:
    before = await write_status(stage, UUID(p.operator), p.status, p.reason)
    if before != p.status:
        stage.undo = {"operator": p.operator, "before": before, "after": p.status}
    return {"previous": before, "changed": before != p.status}


async def write_status(stage: Stage, operator_id: UUID, status: str, reason: str | None) -> str:
    """As a supervisor forces it, within the teams one leads; answers the status before."""
    work, viewer = stage.work, stage.viewer
    viewer.require(Permission.OPERATORS_FORCE)
    teams = await team_keys_of(work.session, [operator_id])
    if not viewer.sees_all and not viewer.teams & teams:
        raise ForbiddenError("Only a supervisor of this person's team may do this.")
    stage.require_teams(teams | await transfers.teams_of_offers_to(work, operator_id))
    operator = await work.session.get(Operator, operator_id)
    if operator is None:
        raise StepError("not_found", "There is no such operator.")
    before = operator.status
    by = work.actor.id or stage.viewer.user_id
    await presence.choose_status(work, operator_id, Presence(status), reason=reason, lease=None, forced_by=by)
    return before


DEEDS: dict[str, Handler] = {
    "add_participant": add_participant, "add_watcher": add_watcher, "remove_watcher": remove_watcher,
    "set_operator_status": set_operator_status,
}  # fmt: skip
