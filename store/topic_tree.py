"""Topics as settings: their names, their order, the teams they lead to."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InUseError, InvalidError, NotFoundError
from domain.permissions import Viewer
from store.clocks.moving import Concern, confirmed
from store.settings import record_change
from store.tables import Calendar, SlaPolicy, Team, TeamTopic, Topic
from store.ticket_fields import set_fields_of_topic
from store.transactions import Work

_TOPICS = """
SELECT t.key, t.name, t.parent_key AS parent, t.aliases, t.priority, t.required, t.active,
       t.calendar_key AS calendar, t.sla_key AS sla,
       ARRAY(SELECT team_key FROM team_topics WHERE topic_key = t.key ORDER BY position, team_key) AS teams,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('key', field_key, 'required', required) ORDER BY position), '[]')
        FROM topic_fields WHERE topic_key = t.key) AS fields
FROM topics t
"""
_ALL = text(_TOPICS + " ORDER BY t.key")
_ONE = text(_TOPICS + " WHERE t.key = :key")
_USES = text("""
SELECT (SELECT count(*) FROM (SELECT 1 FROM dialogs WHERE topic_key = :key LIMIT 1000) AS d) AS dialogs,
       ARRAY(SELECT key FROM topics WHERE parent_key = :key ORDER BY 1) AS topics
""")
PLAIN = ("name", "aliases", "priority", "required", "active")
#: name in the request → the column, and what there must be of this key
PROMISES: dict[str, tuple[str, type[Calendar] | type[SlaPolicy]]] = {
    "calendar": ("calendar_key", Calendar),
    "sla": ("sla_key", SlaPolicy),
}


async def all_topics(session: AsyncSession) -> list[dict[str, Any]]:
    return [_told(row) for row in await session.execute(_ALL)]


async def get_topic(session: AsyncSession, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    row = (await session.execute(_ONE, {"key": key})).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no topic {key!r}.")
    return _told(row)


def _told(row: Any) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in ("key", *PLAIN, "parent", *PROMISES)}
    return {**plain, "teams": list(row.teams), "fields": row.fields}


async def add(work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ConflictError, InvalidError."""
    key = given["key"]
    await _one_at_a_time(work)
    await work.read_clock()
    await _require_free(work.session, key, {key, *given.get("aliases", ())})
    made = await work.session.scalar(
        upsert(Topic).values(key=key, **_plain(given)).on_conflict_do_nothing().returning(Topic.key)
    )
    if made is None:
        raise ConflictError(f"There is a topic {key!r} already.", field="key")
    await _set_parent(work.session, key, given.get("parent"))
    await _set_teams(work.session, key, given.get("teams", ()))
    await set_fields_of_topic(work.session, key, given.get("fields", ()))
    await _set_promises(work.session, key, given)
    told = await get_topic(work.session, key)
    record_change(work, "topic", key, None, told)
    return told


async def change(
    work: Work, key: str, given: Mapping[str, Any], *, viewer: Viewer | None = None, running: str | None = None,
    confirm: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Counts from the next decision on. Answers the topic with `run_id`, the run that moves running clocks. `viewer`:
    who is asked what becomes of them when the calendar or the policy changes; None: they keep what they began with.

    Raises NotFoundError, ConflictError, InvalidError, and as store.clocks.moving.confirmed.
    """
    await _one_at_a_time(work)
    before = await get_topic(work.session, key)
    topic = await work.session.get_one(Topic, key, with_for_update={"key_share": True})
    await work.read_clock()
    if given.get("aliases") is not None:
        await _require_free(work.session, key, given["aliases"])
    for name, value in _plain(given).items():
        setattr(topic, name, value)
    await work.session.flush()
    if "parent" in given:
        await _set_parent(work.session, key, given["parent"])
    if given.get("teams") is not None:
        await _set_teams(work.session, key, given["teams"])
    if given.get("fields") is not None:
        await set_fields_of_topic(work.session, key, given["fields"])
    await _set_promises(work.session, key, given)
    after = await get_topic(work.session, key)
    record_change(work, "topic", key, before, after)
    run = None
    if viewer is not None and (running == "move" or any(before[name] != after[name] for name in PROMISES)):
        run = await confirmed(work, viewer, Concern(topics=frozenset({key})), running=running, confirm=confirm)
    return {**after, "run_id": str(run) if run else None}


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Raises NotFoundError, and InUseError saying where: dialogs (up to 1000 are counted), topics under it."""
    await _one_at_a_time(work)
    before = await get_topic(work.session, key)
    await work.session.get_one(Topic, key, with_for_update=True)
    uses = (await work.session.execute(_USES, {"key": key})).one()
    where = {name: value for name, value in uses._mapping.items() if value}
    if where:
        raise InUseError("This topic is in use; deactivate it instead.", where=where)
    await work.read_clock()
    await work.session.execute(delete(Topic).where(Topic.key == key))
    record_change(work, "topic", key, before, None)
    return {}


async def _one_at_a_time(work: Work) -> None:
    """Names and parents are judged against all other topics."""
    await work.session.execute(text("SELECT pg_advisory_xact_lock(5, 3)"))


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in PLAIN if given.get(name) is not None}


async def _require_free(session: AsyncSession, key: str, names: Iterable[str]) -> None:
    """A name leads to one topic. Raises ConflictError."""
    taken: dict[str, str] = {}
    for row in await session.execute(select(Topic.key, Topic.aliases).where(Topic.key != key)):
        taken.update(dict.fromkeys([row.key, *row.aliases], row.key))
    if clash := next((n for n in names if n in taken), None):
        raise ConflictError(f"{clash!r} leads to the topic {taken[clash]!r} already.", field="aliases")


async def _set_parent(session: AsyncSession, key: str, parent: str | None) -> None:
    """Raises InvalidError for a parent that is not there or lies under this topic."""
    topic = await session.get_one(Topic, key)
    above = parent
    while above is not None:
        if above == key:
            raise InvalidError("A topic cannot lie under itself.", field="parent")
        found = await session.get(Topic, above)
        if found is None:
            raise InvalidError(f"There is no topic {above!r}.", field="parent")
        above = found.parent_key
    topic.parent_key = parent
    await session.flush()


async def _set_promises(session: AsyncSession, key: str, given: Mapping[str, Any]) -> None:
    """Raises InvalidError for a calendar or a policy that is not there; one that is there stays until the commit."""
    topic = await session.get_one(Topic, key)
    for name, (column, table) in PROMISES.items():
        if name not in given:
            continue
        wanted = given[name]
        is_there = select(table.key).where(table.key == wanted, table.active).with_for_update(read=True, key_share=True)
        if wanted is not None and await session.scalar(is_there) is None:
            what = "policy" if name == "sla" else "calendar"
            raise InvalidError(f"There is no {what} {wanted!r}.", field=name)
        setattr(topic, column, wanted)
    await session.flush()


async def _set_teams(session: AsyncSession, key: str, teams: Iterable[str]) -> None:
    """In this order: the first active one with a candidate gets the topic's dialogs."""
    wanted = list(dict.fromkeys(teams))
    known = set(await session.scalars(select(Team.key).where(Team.key.in_(wanted)))) if wanted else set()
    if missing := [t for t in wanted if t not in known]:
        raise InvalidError(f"There is no team {missing[0]!r}.", field="teams")
    await session.execute(delete(TeamTopic).where(TeamTopic.topic_key == key))
    rows = [{"topic_key": key, "team_key": t, "position": n} for n, t in enumerate(wanted)]
    if rows:
        await session.execute(insert(TeamTopic), rows)
