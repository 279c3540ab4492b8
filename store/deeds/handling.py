"""Whether a dialog is open, how far a ticket has come, and what it is about."""

from typing import Any
from uuid import UUID

from domain import dialogs as rules
from domain.actions.particulars import ConvertToTicket, SetStatus, SetTopic
from domain.actions.places import Close, Reopen
from domain.commands import Close as CloseCommand
from domain.commands import Convert
from domain.commands import Reopen as ReopenCommand
from domain.commands import SetStatus as SetStatusCommand
from domain.commands import SetTopic as SetTopicCommand
from domain.expressions.values import parse_moment
from store import closures, conversions, places_by_hand, statuses, topics
from store.deeds.places import explain, standing
from store.deeds.stages import Handler, Stage
from store.snapshots import moment

_REOPENED = (rules.Status.CLOSED, rules.Status.RESOLVED, rules.Status.PENDING)


async def reopen(stage: Stage, p: Reopen) -> dict[str, Any]:
    """An open dialog stays as it is (DECISIONS 34)."""
    scene, before = stage.require_scene(), standing(stage.require_scene())
    d = scene.dialog
    if d.status not in _REOPENED:
        return {"status": d.status, "changed": False}
    closed = {"closed_at": d.closed_at.isoformat() if d.closed_at else None, "closed_by": _text(d.closed_by)}
    await closures.reopen(stage.work, scene, stage.viewer, ReopenCommand())
    await explain(stage.work, scene, p.reason)
    stage.undo = {"before": {**before, **closed}, "after": standing(scene)}
    return {"status": d.status, "changed": True, "place": d.place, "operator_id": _text(d.operator_id)}


async def close(stage: Stage, p: Close) -> dict[str, Any]:
    """A closed dialog stays as it is."""
    scene, before = stage.require_scene(), standing(stage.require_scene())
    if rules.is_closed(scene.dialog.status):
        return {"status": scene.dialog.status, "changed": False}
    await closures.close(stage.work, scene, stage.viewer, CloseCommand(p.reason, p.silent))
    stage.undo = {"before": before, "after": standing(scene)}
    return {"status": scene.dialog.status, "changed": True}


async def set_status(stage: Stage, p: SetStatus) -> dict[str, Any]:
    scene, dialog = stage.require_scene(), stage.require_scene().dialog
    before, waited = dialog.status, moment(dialog.pending_until)
    command = SetStatusCommand(p.status, parse_moment(p.until) if p.until else None)
    told = await statuses.set_status(stage.work, scene, stage.viewer, command)
    if told["changed"]:
        stage.undo = {"before": before, "after": p.status, "until": waited}
    return {"previous": before, "changed": told["changed"], "pending_until": told["pending_until"]}


async def set_topic(stage: Stage, p: SetTopic) -> dict[str, Any]:
    """A waiting dialog goes to the topic's team, as when a person sets it."""
    scene, dialog = stage.require_scene(), stage.require_scene().dialog
    before = {"topic": dialog.topic_key, "team": dialog.team_key}
    command = SetTopicCommand(p.topic)
    if dialog.place in rules.WAITING:
        stage.require_teams(await places_by_hand.teams_named(stage.work, command))
    told = await topics.set_topic(stage.work, scene, stage.viewer, command)
    if told["changed"]:
        stage.undo = {"before": before, "after": {"topic": dialog.topic_key, "team": dialog.team_key}}
    return {"previous": before["topic"], "topic": dialog.topic_key, "team": dialog.team_key, "changed": told["changed"]}


async def convert_to_ticket(stage: Stage, p: ConvertToTicket) -> dict[str, Any]:
    scene = stage.require_scene()
    command = Convert(p.type, p.assignee, p.priority, dict(p.fields), p.subject, p.description)
    stage.require_teams(await places_by_hand.teams_named(stage.work, command))
    told = await conversions.convert(stage.work, scene, stage.viewer, command)
    return {"ticket_id": told["ticket_id"], "number": told["number"], "operator_id": told["operator_id"]}


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


DEEDS: dict[str, Handler] = {
    "reopen": reopen, "close": close, "set_status": set_status, "set_topic": set_topic,
    "convert_to_ticket": convert_to_ticket,
}  # fmt: skip
