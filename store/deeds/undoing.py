"""Taking back what an action did: compare with what it left, restore what it found, or leave all as it is."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import dialogs as rules
from domain.commands import SetPriority
from domain.events import Fact
from domain.transfers import Offer
from domain.workflow_ids import of_clocks
from store import closures, mergers, participants, topics, transfers
from store.deeds.particulars import field_of, write_field, write_tag
from store.deeds.people import write_status
from store.deeds.places import standing
from store.deeds.stages import Stage
from store.dialogs import Scene
from store.places import (
    free_slot,
    give,
    require_able,
    reserve,
    settle_waiting,
    tell_status,
    to_pool,
    wait_no_longer,
)
from store.tables import Message, Operator, Participant, Team, Topic
from store.topics import change_team

UNDONE, CHANGED = "undone", "changed_since"
Undo = Callable[[Stage, dict[str, Any]], Awaitable[str]]
#: what must still be so for a dialog's place to count as untouched
_PLACE = ("status", "place", "team", "operator", "cycle")


def _is_as_left(scene: Scene, kept: Mapping[str, Any]) -> bool:
    now = standing(scene)
    return all(now[name] == kept["after"][name] for name in _PLACE)


async def _place(stage: Stage, kept: dict[str, Any]) -> str:
    """Back into the hands, or the pool, it was taken from."""
    scene, before = stage.require_scene(), kept["before"]
    if not _is_as_left(scene, kept):
        return CHANGED
    await _restore_place(stage, scene, before)
    return UNDONE


async def _transfer_to_team(stage: Stage, kept: dict[str, Any]) -> str:
    """The topic that went with it goes back with it, unless it has become another one since."""
    ended, went = await _place(stage, kept), kept.get("topic") or {}
    scene = stage.require_scene()
    if ended == UNDONE and went.get("before") != went.get("after") == scene.dialog.topic_key:
        topic = await stage.work.session.get(Topic, went["before"]) if went["before"] else None
        await topics.about(stage.work, scene, topic, by_hand=False)
    return ended


async def _restore_place(stage: Stage, scene: Scene, before: Mapping[str, Any]) -> None:
    work, dialog = stage.work, scene.dialog
    holder, target = dialog.operator_id, scene.offer.to_operator if scene.offer else None
    wanted = UUID(before["operator"]) if before["operator"] else None
    stage.require_teams([before["team"]])
    await transfers.end(work, scene, Offer.RESCINDED, reason="undone", tell=True)
    if before["team"] != dialog.team_key and (await work.session.get_one(Team, before["team"])).active:
        await change_team(work, scene, before["team"])
    dialog.weight = before["weight"]
    dialog.waiting_since = datetime.fromisoformat(before["waiting_since"]) if before["waiting_since"] else None
    if wanted is not None:
        await work.lock_operators([wanted, holder])
        await require_able(work, wanted, must_be_online=False)
        await give(work, scene, wanted, cause="undone")
    elif holder is not None or dialog.place == rules.Place.BOT:
        await to_pool(work, scene, cause="undone", excluding=holder)
        await settle_waiting(work, scene, cause="undone")
    else:
        if dialog.place in rules.WAITING:
            dialog.place = rules.place_when_waiting(auto=scene.team.auto)
        await work.session.flush()
        await settle_waiting(work, scene, cause="undone")
    await transfers.drain_for(work, [i for i in (holder, target) if i != wanted], cause="undone")


async def _close(stage: Stage, kept: dict[str, Any]) -> str:
    scene, before = stage.require_scene(), kept["before"]
    if not _is_as_left(scene, kept):
        return CHANGED
    await closures.reopen_now(stage.work, scene, cause="undone")
    wanted = UUID(before["operator"]) if before["operator"] else None
    if wanted is not None and scene.dialog.operator_id != wanted:
        await _restore_place(stage, scene, before)
    if scene.dialog.kind == rules.Kind.TICKET and before["status"] == rules.Status.IN_PROGRESS:
        status, scene.dialog.status = scene.dialog.status, rules.Status.IN_PROGRESS
        tell_status(stage.work, scene, status, cause="undone")
    return UNDONE


async def _reopen(stage: Stage, kept: dict[str, Any]) -> str:
    """Closed again, dated as it was; a ticket goes back to pending or resolved with whoever had it."""
    scene, before = stage.require_scene(), kept["before"]
    if not _is_as_left(scene, kept):
        return CHANGED
    if before["status"] == rules.Status.CLOSED:
        await closures.close_now(stage.work, scene, cause="undone", silent=True)
        scene.dialog.closed_at = datetime.fromisoformat(before["closed_at"])
        scene.dialog.closed_by = UUID(before["closed_by"]) if before["closed_by"] else None
        return UNDONE
    await _restore_place(stage, scene, before)
    return await _set_status(stage, {"before": before["status"], "after": scene.dialog.status})


async def _set_status(stage: Stage, kept: dict[str, Any]) -> str:
    """Backwards is not for people to set, but what a run moved it may move back."""
    scene, dialog = stage.require_scene(), stage.require_scene().dialog
    if dialog.status != kept["after"]:
        return CHANGED
    had, has = rules.occupies_slot(dialog.status), rules.occupies_slot(kept["before"])
    dialog.status = kept["before"]
    wait_no_longer(stage.work, dialog)
    if kept.get("until"):
        dialog.pending_until = datetime.fromisoformat(kept["until"])
        stage.work.react(of_clocks(dialog.id), "clocks_changed")
    await stage.work.session.flush()
    if dialog.operator_id is not None and had and not has:
        await free_slot(stage.work, dialog)
        await transfers.drain_for(stage.work, [dialog.operator_id], cause="undone")
    elif dialog.operator_id is not None and has and not had:
        await stage.work.lock_operators([dialog.operator_id])
        await reserve(stage.work, dialog, dialog.operator_id)
    tell_status(stage.work, scene, kept["after"], cause="undone")
    return UNDONE


async def _set_topic(stage: Stage, kept: dict[str, Any]) -> str:
    scene, dialog, before = stage.require_scene(), stage.require_scene().dialog, kept["before"]
    if dialog.topic_key != kept["after"]["topic"]:
        return CHANGED
    went = kept["after"]["team"] != before["team"] and dialog.team_key == kept["after"]["team"]
    if went:
        stage.require_teams([before["team"]])
    dialog.topic_key = before["topic"]
    await stage.work.session.flush()
    stage.work.record(
        Fact.DIALOG_TOPIC_CHANGED, **scene.event_ids, operator_id=dialog.operator_id,
        before={"topic": kept["after"]["topic"]}, after={"topic": before["topic"]}, by_hand=False,
    )  # fmt: skip
    if went and dialog.place in rules.WAITING:
        await topics.reroute(stage.work, scene, before["team"], cause="undone")
    return UNDONE


async def _set_priority(stage: Stage, kept: dict[str, Any]) -> str:
    scene = stage.require_scene()
    if scene.dialog.priority != kept["after"]:
        return CHANGED
    await topics.set_priority(stage.work, scene, stage.viewer, SetPriority(kept["before"]))
    return UNDONE


async def _set_field(stage: Stage, kept: dict[str, Any]) -> str:
    if await field_of(stage, kept["scope"], kept["field"]) != kept["after"]:
        return CHANGED
    await write_field(stage, kept["scope"], kept["field"], kept["before"])
    return UNDONE


async def _tag(stage: Stage, kept: dict[str, Any]) -> str:
    changed = await write_tag(stage, kept["scope"], kept["tag"], on=not kept["on"])
    return UNDONE if changed else CHANGED


async def _add_note(stage: Stage, kept: dict[str, Any]) -> str:
    """Its words go; its number stays taken, since people have read on from there."""
    scene = stage.require_scene()
    note = await stage.work.session.get(Message, UUID(kept["message_id"]), with_for_update=True)
    if note is None or note.dialog_id != scene.dialog.id or not (note.text or note.attachments):
        return CHANGED
    note.text, note.attachments, note.is_pinned = "", [], False
    stage.work.record(Fact.NOTE_REMOVED, **scene.event_ids, message_id=str(note.id), seq=note.seq)
    return UNDONE


async def _transfer(stage: Stage, kept: dict[str, Any]) -> str:
    scene = stage.require_scene()
    if scene.offer is None or str(scene.offer.id) != kept["transfer_id"]:
        return CHANGED
    target = scene.offer.to_operator
    await transfers.end(stage.work, scene, Offer.RESCINDED, reason="undone", tell=True)
    await transfers.drain_for(stage.work, [target], cause="undone")
    return UNDONE


async def _add_participant(stage: Stage, kept: dict[str, Any]) -> str:
    scene = stage.require_scene()
    removed = 0
    for one in kept["people"]:
        row = await stage.work.session.get(Participant, (scene.dialog.id, UUID(one), "participant"))
        if row is not None:
            await stage.work.session.delete(row)
            stage.work.record(Fact.PARTICIPANT_REMOVED, **scene.event_ids, operator_id=UUID(one))
            removed += 1
    return UNDONE if removed else CHANGED


async def _add_watcher(stage: Stage, kept: dict[str, Any]) -> str:
    people = [UUID(i) for i in kept["people"]]
    return UNDONE if await participants.unwatch(stage.work, stage.require_scene(), stage.viewer, people) else CHANGED


async def _remove_watcher(stage: Stage, kept: dict[str, Any]) -> str:
    people = [UUID(i) for i in kept["people"]]
    return UNDONE if await participants.watch(stage.work, stage.require_scene(), stage.viewer, people) else CHANGED


async def _set_operator_status(stage: Stage, kept: dict[str, Any]) -> str:
    operator_id = UUID(kept["operator"])
    operator = await stage.work.session.get(Operator, operator_id)
    if operator is None or operator.status != kept["after"]:
        return CHANGED
    await write_status(stage, operator_id, kept["before"], None)
    return UNDONE


async def _merge_contacts(stage: Stage, kept: dict[str, Any]) -> str:
    return UNDONE if await mergers.part(stage.work, stage.viewer, kept) else CHANGED


UNDOS: Mapping[str, Undo] = {
    "assign": _place, "unassign": _place, "distribute": _place, "transfer_to_team": _transfer_to_team,
    "transfer": _transfer, "add_participant": _add_participant, "reopen": _reopen, "close": _close,
    "set_status": _set_status, "set_topic": _set_topic, "set_priority": _set_priority, "set_field": _set_field,
    "add_tag": _tag, "remove_tag": _tag, "add_note": _add_note, "add_watcher": _add_watcher,
    "remove_watcher": _remove_watcher, "set_operator_status": _set_operator_status,
    "merge_contacts": _merge_contacts,
}  # fmt: skip
