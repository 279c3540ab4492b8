"""People (and bots) deciding where a dialog goes: take, assign, give back, connect, transfer."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain import dialogs as rules
from domain.commands import Assign, Command, Connect, Convert, Merge, SetTopic, Take, Transfer, Unassign
from domain.errors import (
    AlreadyTakenError,
    ForbiddenError,
    InvalidError,
    OperatorOfflineError,
    OperatorUnsuitableError,
    WrongStatusError,
)
from domain.permissions import Permission, Viewer, leads, require_acting
from domain.transfers import Offer
from store import ticket_merges, transfers
from store.dialogs import Scene
from store.hand_overs import hand_to_team
from store.places import give, has_room, require_able, settle_waiting, to_pool
from store.tables import Contact, Team, User
from store.topics import about, change_team, reroute, resolve_topic, team_of_topic
from store.transactions import Work


async def teams_named(work: Work, command: Command) -> list[str]:
    """The teams a command names besides those its dialog concerns already; read before the locks."""
    match command:
        case Transfer(to_team=str(key)):
            return [key]
        case Merge(tickets=ids):
            return await ticket_merges.teams_of(work, ids)
        case Convert(assignee=str(address)) if address.startswith("team:"):
            return [address.removeprefix("team:")]
        case Connect(team=str(key)):
            return [key]
        case Connect(topic=str(topic)) | SetTopic(topic=str(topic)):
            found = await resolve_topic(work.session, topic)
            rows = await work.session.execute(
                text("SELECT team_key FROM team_topics WHERE topic_key = :topic"), {"topic": found.key}
            )
            return [r[0] for r in rows]
        case _:
            return []


async def take(work: Work, scene: Scene, viewer: Viewer, command: Take) -> dict[str, Any]:
    """One operator takes a waiting dialog of one of their teams; everybody else is told who was first."""
    dialog = scene.dialog
    rules.require_open(dialog.status)
    if dialog.operator_id == viewer.user_id:
        return _where(scene)
    if dialog.operator_id is not None:
        holder = await work.session.get_one(User, dialog.operator_id)
        raise AlreadyTakenError(f"{holder.name} has this dialog.", operator_id=str(holder.id))
    if dialog.team_key not in viewer.teams and not leads(viewer, scene.relation):
        raise ForbiddenError("Only operators of the dialog's team may take it.")
    if command.over_limit:
        viewer.require(Permission.DIALOG_TAKE_OVER_LIMIT)
    await work.lock_operators([viewer.user_id])
    await require_able(work, viewer.user_id, must_be_online=False)
    await give(work, scene, viewer.user_id, cause="taken", over_limit=command.over_limit)
    return _where(scene)


async def assign(work: Work, scene: Scene, viewer: Viewer, command: Assign) -> dict[str, Any]:
    """A supervisor puts a dialog into somebody's hands."""
    dialog = scene.dialog
    rules.require_open(dialog.status)
    if not leads(viewer, scene.relation):
        raise ForbiddenError("Only a supervisor of the dialog's team may assign it.")
    if dialog.operator_id == command.operator_id:
        return {**_where(scene), "changed": False}
    await work.lock_operators([command.operator_id, dialog.operator_id])
    is_ticket = dialog.kind == rules.Kind.TICKET
    await require_able(work, command.operator_id, must_be_online=not is_ticket)
    before = dialog.operator_id
    target = scene.offer.to_operator if scene.offer else None
    await transfers.end(work, scene, Offer.RESCINDED, reason="assigned", tell=True)
    await give(work, scene, command.operator_id, cause="assigned")
    await transfers.drain_for(work, [before, target], cause="assigned")
    return {**_where(scene), "changed": True}


async def unassign(work: Work, scene: Scene, viewer: Viewer, _: Unassign) -> dict[str, Any]:
    """Give a held dialog back to its team's pool; who released it is not offered it again until its next assignment."""
    dialog = scene.dialog
    rules.require_open(dialog.status)
    if dialog.operator_id is None:
        return {**_where(scene), "changed": False}
    require_acting(viewer, scene.relation, is_waiting=False)
    holder = dialog.operator_id
    target = scene.offer.to_operator if scene.offer else None
    await transfers.end(work, scene, Offer.RESCINDED, reason="released", tell=True)
    await to_pool(work, scene, cause="released", excluding=holder)
    await settle_waiting(work, scene, cause="released")
    await transfers.drain_for(work, [holder, target], cause="released")
    return {**_where(scene), "changed": True}


async def transfer(work: Work, scene: Scene, viewer: Viewer, command: Transfer) -> dict[str, Any]:
    dialog = scene.dialog
    rules.require_open(dialog.status)
    if (command.to_operator is None) == (command.to_team is None):
        raise InvalidError("Say either to_operator or to_team.", field="to_operator")
    require_acting(viewer, scene.relation, is_waiting=dialog.place in rules.WAITING)
    if command.topic is not None and command.to_team is None:
        raise InvalidError("A topic goes with a team.", field="topic")
    if command.to_operator is not None:
        return await transfers.offer(work, scene, command.to_operator, command.note)
    team = await transfers.team_to_hand_to(work, str(command.to_team))
    if team.key == dialog.team_key and dialog.operator_id is None:
        raise WrongStatusError("The dialog waits in this team already.")
    if command.topic is not None:
        await about(work, scene, await resolve_topic(work.session, command.topic), by_hand=True)
    told = await hand_to_team(work, scene, team, command.note)
    return {**told, "topic": dialog.topic_key}


async def connect(work: Work, scene: Scene, viewer: Viewer, command: Connect) -> dict[str, Any]:
    """Hand a dialog from a bot to people; answers {result: success, limit, banned or error} (P104 to P108).

    What cannot be done as asked changes nothing and is an answer, not a refusal: a bot acts on it. Raises
    UnknownTopicError (P76) and DialogClosedError.
    """
    viewer.require(Permission.DIALOG_CONNECT)
    rules.require_open(scene.dialog.status)
    try:
        async with work.savepoint():
            return await _connect(work, scene, command)
    except (AlreadyTakenError, InvalidError, OperatorOfflineError, OperatorUnsuitableError) as refused:
        await work.session.refresh(scene.dialog)
        scene.refresh_relation()
        return {"result": "error", "code": refused.code, "detail": refused.detail, **_where(scene)}


async def _connect(work: Work, scene: Scene, command: Connect) -> dict[str, Any]:
    dialog = scene.dialog
    contact = await work.session.get_one(Contact, dialog.contact_id)
    if contact.banned_at is not None:
        return {"result": "banned", **_where(scene)}
    topic = await resolve_topic(work.session, command.topic) if command.topic is not None else None
    if command.place == "queue" and command.operator_id is not None:
        raise InvalidError("Say either place or operator_id.", field="place")
    if dialog.operator_id is not None:
        return await _held_already(work, scene, command, topic.key if topic else None)
    if command.weight is not None:
        dialog.weight = command.weight
    team_key = command.team or dialog.team_key
    if topic is not None:
        await about(work, scene, topic, by_hand=False)
        if command.team is None:
            team_key = await team_of_topic(work.session, topic.key, dialog.team_key)
    if team_key != dialog.team_key and not await _is_active(work, team_key):
        raise InvalidError(f"There is no active team {team_key!r}.", field="team")
    if command.operator_id is not None:
        return await _connect_to(work, scene, team_key, command.operator_id)
    return await _connect_to_pool(work, scene, team_key, is_forced=command.place == "queue")


async def _held_already(work: Work, scene: Scene, command: Connect, topic: str | None) -> dict[str, Any]:
    """Somebody holds the dialog: connected as asked, unless something else was asked for (AlreadyTakenError)."""
    dialog = scene.dialog
    is_as_asked = (
        command.operator_id in (None, dialog.operator_id)
        and command.team in (None, dialog.team_key)
        and topic in (None, dialog.topic_key)
        and command.place == "auto"
    )
    if is_as_asked:
        return {"result": "success", **_where(scene)}
    holder = await work.session.get_one(User, dialog.operator_id)
    raise AlreadyTakenError(f"{holder.name} has this dialog.", operator_id=str(holder.id))


async def _connect_to(work: Work, scene: Scene, team_key: str, operator_id: UUID) -> dict[str, Any]:
    """To a named operator. Out of room is an answer here, not a refusal: a bot acts on it."""
    await work.lock_operators([operator_id])
    await require_able(work, operator_id, must_be_online=True)
    if not await has_room(work, operator_id, scene.dialog.channel_key):
        return {"result": "limit", **_where(scene)}
    if team_key != scene.dialog.team_key:
        await change_team(work, scene, team_key)
    await give(work, scene, operator_id, cause="connected")
    return {"result": "success", **_where(scene)}


async def _is_active(work: Work, team_key: str) -> bool:
    team = await work.session.get(Team, team_key)
    return team is not None and team.active


async def _connect_to_pool(work: Work, scene: Scene, team_key: str, *, is_forced: bool) -> dict[str, Any]:
    dialog = scene.dialog
    dialog.is_forced = is_forced
    dialog.waiting_since = dialog.waiting_since or work.now
    await reroute(work, scene, team_key, cause="connected")
    is_held = dialog.operator_id is not None
    waits_as_asked = is_forced or not scene.team.auto
    return {"result": "success" if is_held or waits_as_asked else "limit", **_where(scene)}


def _where(scene: Scene) -> dict[str, Any]:
    dialog = scene.dialog
    return {
        "dialog_id": str(dialog.id), "status": dialog.status, "place": dialog.place, "team": dialog.team_key,
        "operator_id": str(dialog.operator_id) if dialog.operator_id else None,
    }  # fmt: skip
