"""Into whose hands a dialog goes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import dialogs as rules
from domain.actions.places import Assign, Distribute, Transfer, TransferToTeam, Unassign
from domain.commands import Assign as AssignCommand
from domain.commands import Transfer as TransferCommand
from domain.commands import Unassign as UnassignCommand
from domain.durations import parse_duration
from domain.errors import ConflictError
from domain.permissions import require_acting
from domain.walks.ports import StepError
from store import places_by_hand, transfers
from store.deeds.stages import Handler, Stage
from store.dialogs import Scene
from store.messages import add_note
from store.places import settle_waiting, to_pool
from store.redistributions import Redistribution, redistribute, teams_wanted
from store.snapshots import moment
from store.tables import User
from store.transactions import Work

SHORTEST_WINDOW, LONGEST_WINDOW = timedelta(seconds=5), timedelta(days=1)


def standing(scene: Scene) -> dict[str, Any]:
    """Where a dialog is, for the ledger."""
    d = scene.dialog
    return {
        "status": d.status, "place": d.place, "team": d.team_key, "weight": d.weight, "cycle": d.cycle,
        "operator": str(d.operator_id) if d.operator_id else None, "waiting_since": moment(d.waiting_since),
    }  # fmt: skip


async def explain(work: Work, scene: Scene, reason: str | None) -> None:
    """Why, as a note in the dialog."""
    if reason:
        await add_note(work, scene, reason)


async def assign(stage: Stage, p: Assign) -> dict[str, Any]:
    scene, before = stage.require_scene(), standing(stage.require_scene())
    told = await places_by_hand.assign(stage.work, scene, stage.viewer, AssignCommand(UUID(p.operator)))
    person = await stage.work.session.get_one(User, UUID(p.operator))
    if told["changed"]:
        await explain(stage.work, scene, p.reason)
        stage.undo = {"before": before, "after": standing(scene)}
    return {"operator": {"id": str(person.id), "name": person.name}, "changed": told["changed"]}


async def unassign(stage: Stage, p: Unassign) -> dict[str, Any]:
    """To its team's pool, which decides itself between queue and unassigned; out of a bot's hands, too."""
    scene, before = stage.require_scene(), standing(stage.require_scene())
    if scene.dialog.place == rules.Place.BOT:
        require_acting(stage.viewer, scene.relation, is_waiting=False)
        await to_pool(stage.work, scene, cause="released")
        await settle_waiting(stage.work, scene, cause="released")
        changed = True
    else:
        told = await places_by_hand.unassign(stage.work, scene, stage.viewer, UnassignCommand())
        changed = bool(told["changed"])
    if changed:
        await explain(stage.work, scene, p.reason)
        stage.undo = {"before": before, "after": standing(scene)}
    return {"place": scene.dialog.place, "changed": changed}


async def distribute(stage: Stage, p: Distribute) -> dict[str, Any]:
    scene, before = stage.require_scene(), standing(stage.require_scene())
    excluded = frozenset(UUID(i) for i in p.exclude)
    asked = Redistribution(p.to, p.team, excluded, p.strategy, p.otherwise, p.weight)
    told = await _spread(stage, scene, asked)
    after = standing(scene)
    if after != before:
        stage.undo = {"before": before, "after": after}
    return told


async def _spread(stage: Stage, scene: Scene, asked: Redistribution) -> dict[str, Any]:
    """The locks of every team are taken only when the dialog's own has nobody free."""
    if asked.to == "any":
        try:
            at_home = replace(asked, otherwise="fail")
            return await redistribute(stage.work, scene, stage.viewer, at_home, [scene.dialog.team_key])
        except ConflictError:  # refused before anything was written
            pass
    teams = await teams_wanted(stage.work, scene, asked)
    stage.require_teams(teams)
    return await redistribute(stage.work, scene, stage.viewer, asked, teams)


async def transfer(stage: Stage, p: Transfer) -> dict[str, Any]:
    """An offer with a window; its end is an event of the dialog, for whoever waits for it."""
    scene, work = stage.require_scene(), stage.work
    rules.require_open(scene.dialog.status)
    require_acting(stage.viewer, scene.relation, is_waiting=scene.dialog.place in rules.WAITING)
    within = parse_duration(p.accept_within)
    if not SHORTEST_WINDOW <= within <= LONGEST_WINDOW:
        raise StepError("invalid", "accept_within is from 5 s to 1 d.", details={"parameter": "accept_within"})
    told = await transfers.offer(work, scene, UUID(p.operator), p.note, within=within, fallback=p.on_timeout)
    stage.undo = {"transfer_id": told["transfer_id"]}
    return {"offer_id": told["transfer_id"], "accepted": None, "deadline": told["deadline"]}


async def transfer_to_team(stage: Stage, p: TransferToTeam) -> dict[str, Any]:
    scene, before = stage.require_scene(), standing(stage.require_scene())
    stage.require_teams([p.team])
    if scene.dialog.team_key == p.team and scene.dialog.operator_id is None and scene.dialog.place in rules.WAITING:
        return {"team": p.team, "changed": False}
    topic = scene.dialog.topic_key
    command = TransferCommand(to_team=p.team, note=p.note, topic=p.topic)
    told = await places_by_hand.transfer(stage.work, scene, stage.viewer, command)
    topics = {"before": topic, "after": scene.dialog.topic_key}
    stage.undo = {"before": before, "after": standing(scene), "topic": topics}
    return {"team": p.team, "place": told["place"], "operator_id": told["operator_id"]}


DEEDS: dict[str, Handler] = {
    "assign": assign, "unassign": unassign, "distribute": distribute, "transfer": transfer,
    "transfer_to_team": transfer_to_team,
}  # fmt: skip
