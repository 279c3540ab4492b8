"""Topic, tags and priority; and which team a topic leads to."""

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import dialogs as rules
from domain.commands import AddTag, RemoveTag, SetPriority, SetTopic
from domain.errors import InvalidError, UnknownTopicError
from domain.events import Fact
from domain.permissions import Viewer, require_acting
from store import transfers
from store.dialogs import Scene
from store.places import settle_waiting, wake_after_exclusions
from store.priorities import require_priority
from store.tables import Tag, Team, Topic
from store.transactions import Work

_TEAM_OF_TOPIC = text("""
SELECT t.key, EXISTS (
    SELECT 1 FROM team_members m JOIN operators o ON o.user_id = m.user_id
    JOIN users u ON u.id = m.user_id AND u.is_active
    JOIN presence_leases l ON l.operator_id = m.user_id AND l.lease_until > clock_timestamp()
    WHERE m.team_key = t.key AND o.status = 'online'
      AND (SELECT count(*) FROM reservations r WHERE r.operator_id = m.user_id
           AND (r.expires_at IS NULL OR r.expires_at > clock_timestamp())) < o.max_dialogs
) AS has_candidate
FROM team_topics tt JOIN teams t ON t.key = tt.team_key AND t.active
WHERE tt.topic_key = :topic ORDER BY tt.position, t.number
""")


async def resolve_topic(session: AsyncSession, name: str) -> Topic:
    """A topic by key or alias. Raises UnknownTopicError (P76)."""
    topic = await session.scalar(
        select(Topic).where(Topic.active, (Topic.key == name) | Topic.aliases.contains([name])).limit(1)
    )
    if topic is None:
        raise UnknownTopicError(f"There is no topic {name!r}.", field="topic")
    return topic


async def team_of_topic(session: AsyncSession, topic: str | None, channel_team: str | None) -> str:
    """The topic's first active team with a candidate, else its first; else the channel's; else the default team.

    Raises InvalidError when nothing says where dialogs go.
    """
    if topic is not None:
        rows = (await session.execute(_TEAM_OF_TOPIC, {"topic": topic})).all()
        if rows:
            return str(next((r.key for r in rows if r.has_candidate), rows[0].key))
    if channel_team is not None:
        is_active = await session.scalar(text("SELECT active FROM teams WHERE key = :key"), {"key": channel_team})
        if is_active:
            return channel_team
    default = await session.scalar(
        text(
            "SELECT t.key FROM settings s JOIN teams t ON t.key = s.value #>> '{}' AND t.active"
            " WHERE s.key = 'default_team'"
        )
    )
    if default is None:
        raise InvalidError("No team: set the channel's team or the setting default_team.")
    return str(default)


async def set_topic(work: Work, scene: Scene, viewer: Viewer, command: SetTopic) -> dict[str, Any]:
    """Change the topic by hand. A waiting dialog goes to the topic's team; a held one stays with its holder."""
    dialog = scene.dialog
    may_from_pool = dialog.place != "owned" and dialog.team_key in viewer.teams
    if not may_from_pool:
        require_acting(viewer, scene.relation, is_waiting=dialog.place in rules.WAITING)
    rules.require_open(dialog.status)
    topic = await resolve_topic(work.session, command.topic) if command.topic is not None else None
    if not await about(work, scene, topic, by_hand=True):
        return {"topic": dialog.topic_key, "changed": False}
    if dialog.place in rules.WAITING and topic is not None:
        await reroute(work, scene, await team_of_topic(work.session, topic.key, dialog.team_key), cause="topic_changed")
    return {"topic": dialog.topic_key, "team": dialog.team_key, "changed": True}


async def about(work: Work, scene: Scene, topic: Topic | None, *, by_hand: bool) -> bool:
    """What the dialog is about from now on; answers whether that is something else."""
    dialog, key = scene.dialog, topic.key if topic else None
    before, dialog.topic_key = dialog.topic_key, key
    if before != key:
        work.record(
            Fact.DIALOG_TOPIC_CHANGED, **scene.event_ids, operator_id=dialog.operator_id,
            before={"topic": before}, after={"topic": key}, by_hand=by_hand,
        )  # fmt: skip
    await work.session.flush()
    return before != key


async def reroute(work: Work, scene: Scene, team_key: str, *, cause: str) -> None:
    """A waiting dialog changes its team (or its urgency): it may leave at once."""
    dialog = scene.dialog
    if team_key != dialog.team_key:
        await change_team(work, scene, team_key)
    dialog.place = rules.place_when_waiting(auto=scene.team.auto)
    await work.session.flush()
    await settle_waiting(work, scene, cause=cause)


async def change_team(work: Work, scene: Scene, team_key: str) -> None:
    before = scene.dialog.team_key
    await transfers.move_to_team(work, scene, await work.session.get_one(Team, team_key))
    work.record(Fact.DIALOG_TEAM_CHANGED, **scene.event_ids, before={"team": before}, after={"team": team_key})
    await wake_after_exclusions(work, scene)


async def add_tag(work: Work, scene: Scene, viewer: Viewer, command: AddTag) -> dict[str, Any]:
    require_acting(viewer, scene.relation, is_waiting=scene.dialog.place in rules.WAITING)
    if await work.session.get(Tag, command.tag) is None:
        raise InvalidError(f"There is no tag {command.tag!r}.", field="tag")
    changed = command.tag not in scene.dialog.tags
    if changed:
        scene.dialog.tags = sorted({*scene.dialog.tags, command.tag})
        work.record(Fact.DIALOG_TAGGED, **scene.event_ids, operator_id=scene.dialog.operator_id, tag=command.tag)
    return {"tags": list(scene.dialog.tags), "changed": changed}


async def remove_tag(work: Work, scene: Scene, viewer: Viewer, command: RemoveTag) -> dict[str, Any]:
    require_acting(viewer, scene.relation, is_waiting=scene.dialog.place in rules.WAITING)
    changed = command.tag in scene.dialog.tags
    if changed:
        scene.dialog.tags = [t for t in scene.dialog.tags if t != command.tag]
        work.record(Fact.DIALOG_UNTAGGED, **scene.event_ids, operator_id=scene.dialog.operator_id, tag=command.tag)
    return {"tags": list(scene.dialog.tags), "changed": changed}


async def set_priority(work: Work, scene: Scene, viewer: Viewer, command: SetPriority) -> dict[str, Any]:
    """Raises InvalidError for one that the table does not have."""
    require_acting(viewer, scene.relation, is_waiting=scene.dialog.place in rules.WAITING)
    before = scene.dialog.priority
    if before != command.priority:
        await require_priority(work.session, command.priority)
        scene.dialog.priority = command.priority
        work.record(
            Fact.DIALOG_PRIORITY_CHANGED, **scene.event_ids, operator_id=scene.dialog.operator_id,
            before={"priority": before}, after={"priority": command.priority},
        )  # fmt: skip
    return {"priority": command.priority, "changed": before != command.priority}
