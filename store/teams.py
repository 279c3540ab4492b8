"""Teams as settings: who is in them, which topics they cover, how their dialogs are given out."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InvalidError, NotFoundError
from domain.permissions import Viewer
from domain.settings import NORMS
from store import team_moves
from store.clocks.moving import Concern, confirmed
from store.distribution import drain
from store.settings import record_change
from store.tables import Team, TeamMember, TeamTopic, Topic, User
from store.transactions import GroundMovedError, Work, team_keys_of

_TEAMS = """
SELECT t.key, t.name, t.distribution, t.auto, t.active, t.transfer_window, t.transfer_fallback, t.accept_norm,
       t.respond_norm, t.created_at,
       ARRAY(SELECT user_id FROM team_members WHERE team_key = t.key ORDER BY 1) AS members,
       ARRAY(SELECT topic_key FROM team_topics WHERE team_key = t.key ORDER BY 1) AS topics
FROM teams t
"""
_ALL = text(_TEAMS + " ORDER BY t.key")
_ONE = text(_TEAMS + " WHERE t.key = :key")
#: fields of the request that are columns of the team under the same name
PLAIN = (
    "name", "distribution", "auto", "active", "transfer_window", "transfer_fallback", "accept_norm", "respond_norm",
)  # fmt: skip


#: change neither who waits nor who has room: nobody's dialogs stop for them, however long clocks are looked at
_WITHOUT_HANDS = frozenset({"name", *NORMS})


def _told(row: Any) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("key", *PLAIN)},
        "members": [str(m) for m in row.members], "topics": list(row.topics),
        "created_at": row.created_at.isoformat(),
    }  # fmt: skip


async def all_teams(session: AsyncSession) -> list[dict[str, Any]]:
    return [_told(row) for row in await session.execute(_ALL)]


async def get_team(session: AsyncSession, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    row = (await session.execute(_ONE, {"key": key})).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no team {key!r}.")
    return _told(row)


async def add(work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ConflictError, InvalidError for members or topics that are not there."""
    await work.lock_teams(await team_keys_of(work.session, given.get("members", ())))
    await work.read_clock()
    made = await work.session.scalar(
        upsert(Team).values(key=given["key"], **_plain(given)).on_conflict_do_nothing().returning(Team.key)
    )
    if made is None:
        raise ConflictError(f"There is a team {given['key']!r} already.", field="key")
    await _set_members(work.session, made, given.get("members", ()))
    await _set_topics(work.session, made, given.get("topics", ()))
    told = await get_team(work.session, made)
    record_change(work, "team", made, None, told, team=made)
    return told


async def change(
    work: Work, key: str, given: Mapping[str, Any], *, viewer: Viewer | None = None, running: str | None = None,
    confirm: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Change what is given, and do with the waiting dialogs as DECISIONS 19 says, all in this transaction. Answers the
    team with `run_id`. `viewer`: who is asked what becomes of running clocks when a norm changes; None: they keep.

    Raises NotFoundError, InvalidError, InUseError (deactivation without `move_to`), and as moving.confirmed.
    """
    before = await (get_team(work.session, key) if set(given) <= _WITHOUT_HANDS else _lock(work, key, given))
    team = await work.session.get_one(Team, key, with_for_update={"key_share": True}, populate_existing=True)
    before = {**before, **{name: getattr(team, name) for name in PLAIN}}
    await work.read_clock()
    for name, value in _plain(given).items():
        setattr(team, name, value)
    await work.session.flush()
    if given.get("members") is not None:
        await _set_members(work.session, key, given["members"])
    if given.get("topics") is not None:
        await _set_topics(work.session, key, given["topics"])
    after = await get_team(work.session, key)
    moved = {"move_to": given["move_to"]} if given.get("move_to") else {}
    record_change(work, "team", key, before, {**after, **moved}, team=key)
    await _follow(work, team, before, after, given.get("move_to"))
    run = None
    if viewer is not None and (running == "move" or any(before[norm] != after[norm] for norm in NORMS)):
        run = await confirmed(work, viewer, Concern(teams=frozenset({key})), running=running, confirm=confirm)
    return {**await get_team(work.session, key), "run_id": str(run) if run else None}


async def _follow(
    work: Work, team: Team, before: Mapping[str, Any], after: Mapping[str, Any], move_to: str | None
) -> None:
    if before["active"] and not after["active"]:
        await team_moves.retire(work, team, move_to)
        return
    if before["auto"] != after["auto"]:
        await team_moves.switch_automatic(work, team)
    new_members = set(after["members"]) - set(before["members"])
    await work.lock_operators(UUID(m) for m in new_members)  # a slot of theirs may be on its way to being free
    if new_members or before["auto"] != after["auto"] or before["active"] != after["active"]:
        await drain(work, {team.key}, cause="team_changed")


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Only a team that nothing ever named. Raises NotFoundError, InUseError."""
    before = await _lock(work, key, {})
    await work.read_clock()
    await team_moves.require_never_used(work, key)
    await work.session.execute(delete(Team).where(Team.key == key))
    record_change(work, "team", key, before, None)
    return {}


async def _lock(work: Work, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Lock this team, the one that takes over, and every team of the members that were or will be: their room is
    shared, so a slot freed elsewhere must not be missed here. Answers the team as it is under the locks.
    """

    async def concerned() -> tuple[set[str], dict[str, Any]]:
        told = await get_team(work.session, key)
        people = {UUID(m) for m in told["members"]} | set(given.get("members") or ())
        return {key, *await team_keys_of(work.session, people)}, told

    wanted, _ = await concerned()
    await work.lock_teams({*wanted, *([given["move_to"]] if given.get("move_to") else [])})
    wanted, told = await concerned()
    if not wanted <= work.teams:
        raise GroundMovedError
    return told


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    return {n: given[n] for n in PLAIN if n in given and (given[n] is not None or n in NORMS)}


async def _set_members(session: AsyncSession, key: str, members: Iterable[UUID]) -> None:
    wanted = sorted(set(members))
    known = set(await session.scalars(select(User.id).where(User.id.in_(wanted)))) if wanted else set()
    if missing := [m for m in wanted if m not in known]:
        raise InvalidError(f"There is no person {missing[0]}.", field="members")
    await session.execute(delete(TeamMember).where(TeamMember.team_key == key, TeamMember.user_id.not_in(wanted)))
    if wanted:
        rows = [{"team_key": key, "user_id": m} for m in wanted]
        await session.execute(upsert(TeamMember).on_conflict_do_nothing(), rows)


async def _set_topics(session: AsyncSession, key: str, topics: Iterable[str]) -> None:
    """Topics keep the order of their teams; this team comes last where it is new."""
    wanted = set(topics)
    known = set(await session.scalars(select(Topic.key).where(Topic.key.in_(wanted)))) if wanted else set()
    if missing := sorted(wanted - known):
        raise InvalidError(f"There is no topic {missing[0]!r}.", field="topics")
    there = set(await session.scalars(select(TeamTopic.topic_key).where(TeamTopic.team_key == key)))
    await session.execute(delete(TeamTopic).where(TeamTopic.team_key == key, TeamTopic.topic_key.not_in(wanted)))
    for topic in sorted(wanted - there):
        last = await session.scalar(select(func.max(TeamTopic.position)).where(TeamTopic.topic_key == topic))
        position = 0 if last is None else last + 1
        await session.execute(insert(TeamTopic).values(team_key=key, topic_key=topic, position=position))
