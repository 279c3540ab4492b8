"""Calendars as settings: which seconds count. A version never changes and is never lost: clocks that have ended still
tell by which hours they ran, so a removed calendar only leaves the lists, and comes back under its next version.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.calendars import calendars as values
from domain.calendars.reading import body_of, calendar_of
from domain.calendars.reckoning import add_working
from domain.definitions.shapes import Definition
from domain.definitions.steps import Wait
from domain.definitions.surveys import steps_of
from domain.errors import ConflictError, DomainError, InUseError, NotFoundError, VersionConflictError
from domain.permissions import Viewer
from store.clocks.moving import Concern, confirmed
from store.deeds.stages import step_error
from store.settings import record_change
from store.tables import Calendar, CalendarVersion
from store.transactions import Work

_CALENDARS = """
SELECT c.key, c.name, c.version, c.updated_at, v.body,
       ARRAY(SELECT key FROM topics WHERE calendar_key = c.key ORDER BY 1) AS topics,
       ARRAY(SELECT p.key FROM sla_policies p JOIN sla_policy_versions w ON w.key = p.key AND w.version = p.version
             WHERE p.active AND w.body ->> 'calendar' = c.key ORDER BY 1) AS policies
FROM calendars c JOIN calendar_versions v ON v.key = c.key AND v.version = c.version
WHERE c.active
"""
_ALL = text(_CALENDARS + " ORDER BY c.key")
_ONE = text(_CALENDARS + " AND c.key = :key")
_VERSIONS = text("""
SELECT v.version, v.body, v.made_at, v.made_by, u.name AS made_by_name
FROM calendar_versions v LEFT JOIN users u ON u.id = v.made_by WHERE v.key = :key ORDER BY v.version DESC LIMIT 100
""")
_RUNNING = text("SELECT count(*) FROM clocks WHERE calendar_key = :key AND state <> 'ended'")
#: text first: few definitions wait by a calendar at all
_WAITING = text("""
SELECT v.definition_key AS key, v.canonical FROM definition_versions v
JOIN definitions d ON d.key = v.definition_key AND d.active_version = v.number AND d.archived_at IS NULL
WHERE v.canonical::text LIKE '%"calendar"%' ORDER BY 1
""")
BODY = ("zone", "weekly", "exceptions")


async def all_calendars(session: AsyncSession) -> list[dict[str, Any]]:
    return [_told(row) for row in await session.execute(_ALL)]


async def get_calendar(session: AsyncSession, key: str) -> dict[str, Any]:
    """With its last hundred versions, newest first. Raises NotFoundError."""
    told = await _get(session, key)
    versions = [
        {
            "version": row.version, **row.body, "made_at": row.made_at.isoformat(),
            "made_by": str(row.made_by) if row.made_by else None, "made_by_name": row.made_by_name,
        }
        for row in await session.execute(_VERSIONS, {"key": key})
    ]  # fmt: skip
    return {**told, "versions": versions}


async def calendar_named(session: AsyncSession, key: str) -> values.Calendar:
    """The one in force. Raises NotFoundError."""
    told = await _get(session, key)
    return calendar_of({name: told[name] for name in BODY})


async def working_moment(session: AsyncSession, key: str, start: datetime, seconds: float) -> datetime:
    """When so much of the calendar's time has passed since `start`, for a step of a run. Raises StepError."""
    try:
        return add_working(await calendar_named(session, key), start, timedelta(seconds=seconds))
    except DomainError as error:
        raise step_error(error) from None


async def _get(session: AsyncSession, key: str) -> dict[str, Any]:
    row = (await session.execute(_ONE, {"key": key})).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no calendar {key!r}.")
    return _told(row)


def _told(row: Any) -> dict[str, Any]:
    return {
        "key": row.key, "name": row.name, "version": row.version, **row.body, "topics": list(row.topics),
        "policies": list(row.policies), "updated_at": row.updated_at.isoformat(),
    }  # fmt: skip


async def add(work: Work, given: Mapping[str, Any], *, by: UUID | None) -> dict[str, Any]:
    """Raises ConflictError, InvalidError naming the field."""
    body = body_of(calendar_of({name: given[name] for name in BODY if name in given}))
    now = await work.read_clock()
    row = upsert(Calendar).values(key=given["key"], name=given["name"], updated_at=now)
    again = row.on_conflict_do_update(
        index_elements=[Calendar.key],
        set_={"name": given["name"], "updated_at": now, "active": True, "version": Calendar.version + 1},
        where=~Calendar.active,
    )
    version = await work.session.scalar(again.returning(Calendar.version))
    if version is None:
        raise ConflictError(f"There is a calendar {given['key']!r} already.", field="key")
    await _keep(work, given["key"], version, body, by)
    told = await _get(work.session, given["key"])
    record_change(work, "calendar", given["key"], None, _edited(told))
    return told


async def change(
    work: Work, viewer: Viewer, key: str, given: Mapping[str, Any], *, running: str | None = None,
    confirm: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Change what is given; other hours are another version. Answers the calendar with `run_id`, the run that moves
    running clocks. `version` in `given`: the one the caller has seen.

    Raises NotFoundError, InvalidError, VersionConflictError, and as store.clocks.moving.confirmed.
    """
    run = None
    if await edit(work, key, given, by=viewer.user_id) or running == "move":
        run = await confirmed(work, viewer, Concern(calendars=frozenset({key})), running=running, confirm=confirm)
    return {**await _get(work.session, key), "run_id": str(run) if run else None}


async def edit(work: Work, key: str, given: Mapping[str, Any], *, by: UUID | None) -> bool:
    """The edit alone; answers whether other seconds count now. Raises as `change`."""
    calendar = await _locked(work, key)
    if given.get("version") not in (None, calendar.version):
        raise VersionConflictError(
            f"You have changed version {given['version']}, and the calendar is at {calendar.version}: look at it anew.",
            version=calendar.version,
        )
    now = await work.read_clock()
    before = await _get(work.session, key)
    old = {name: before[name] for name in BODY}
    body = body_of(calendar_of({**old, **{name: given[name] for name in BODY if name in given}}))
    if given.get("name"):
        calendar.name = given["name"]
    if body != old:
        calendar.version += 1
        await _keep(work, key, calendar.version, body, by)
    calendar.updated_at = now
    await work.session.flush()
    record_change(work, "calendar", key, _edited(before), _edited(await _get(work.session, key)))
    return body != old


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Raises NotFoundError, and InUseError saying where: topics and policies that name it, definitions that wait by it,
    clocks that run by it.
    """
    calendar = await _locked(work, key)
    before = await _get(work.session, key)
    uses = {
        "topics": before["topics"],
        "policies": before["policies"],
        "definitions": [r.key for r in await work.session.execute(_WAITING) if key in _waited_by(r.canonical)],
        "running_clocks": await work.session.scalar(_RUNNING, {"key": key}),
    }
    if where := {name: value for name, value in uses.items() if value}:
        raise InUseError("This calendar is in use.", where=where)
    calendar.updated_at = await work.read_clock()
    calendar.active = False
    await work.session.flush()
    record_change(work, "calendar", key, _edited(before), None)
    return {}


def _waited_by(canonical: dict[str, Any]) -> set[str]:
    """Calendars that its steps wait by."""
    steps = [visit.step for visit in steps_of(Definition.model_validate(canonical))]
    return {step.wait.calendar for step in steps if isinstance(step, Wait) and step.wait.calendar is not None}


async def _locked(work: Work, key: str) -> Calendar:
    """Whole: who is naming it in another setting is waited for."""
    calendar = await work.session.get(Calendar, key, with_for_update=True, populate_existing=True)
    if calendar is None or not calendar.active:
        raise NotFoundError(f"There is no calendar {key!r}.")
    return calendar


def _edited(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit keeps: who names a calendar is written where it is named."""
    return {name: told[name] for name in ("name", "version", *BODY)}


async def _keep(work: Work, key: str, version: int, body: dict[str, Any], by: UUID | None) -> None:
    await work.session.execute(
        insert(CalendarVersion).values(key=key, version=version, body=body, made_at=work.now, made_by=by)
    )
