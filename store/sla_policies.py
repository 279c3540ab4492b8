"""Policies as settings: what is promised to dialogs of the topics that name them. A version never changes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.clocks.policies import body_of, policy_of
from domain.errors import ConflictError, InUseError, InvalidError, NotFoundError, VersionConflictError
from domain.permissions import Viewer
from store.clocks.moving import Concern, confirmed
from store.settings import record_change
from store.tables import Calendar, Priority, SlaPolicy, SlaPolicyVersion
from store.transactions import Work

_POLICIES = """
SELECT p.key, p.name, p.version, p.updated_at, v.body,
       ARRAY(SELECT key FROM topics WHERE sla_key = p.key ORDER BY 1) AS topics
FROM sla_policies p JOIN sla_policy_versions v ON v.key = p.key AND v.version = p.version
WHERE p.active
"""
_ALL = text(_POLICIES + " ORDER BY p.key")
_ONE = text(_POLICIES + " AND p.key = :key")
_VERSIONS = text("""
SELECT v.version, v.body, v.made_at, v.made_by, u.name AS made_by_name
FROM sla_policy_versions v LEFT JOIN users u ON u.id = v.made_by WHERE v.key = :key ORDER BY v.version DESC LIMIT 100
""")
_USES = text("""
SELECT ARRAY(SELECT key FROM topics WHERE sla_key = :key ORDER BY 1) AS topics,
       (SELECT count(*) FROM clocks WHERE policy_key = :key AND state <> 'ended') AS running_clocks
""")
BODY = ("kinds", "calendar", "metrics")


async def all_policies(session: AsyncSession) -> list[dict[str, Any]]:
    return [_told(row) for row in await session.execute(_ALL)]


async def get_policy(session: AsyncSession, key: str) -> dict[str, Any]:
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


async def _get(session: AsyncSession, key: str) -> dict[str, Any]:
    row = (await session.execute(_ONE, {"key": key})).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no policy {key!r}.")
    return _told(row)


def _told(row: Any) -> dict[str, Any]:
    return {
        "key": row.key, "name": row.name, "version": row.version, **row.body, "topics": list(row.topics),
        "updated_at": row.updated_at.isoformat(),
    }  # fmt: skip


async def add(work: Work, given: Mapping[str, Any], *, by: UUID | None) -> dict[str, Any]:
    """It promises nothing until a topic names it. One that was removed goes on with its next version: what ended by
    the old ones still says so. Raises ConflictError, InvalidError naming the field.
    """
    body = await _checked(work.session, {name: given[name] for name in BODY if name in given})
    now = await work.read_clock()
    row = upsert(SlaPolicy).values(key=given["key"], name=given["name"], updated_at=now)
    again = row.on_conflict_do_update(
        index_elements=[SlaPolicy.key],
        set_={"name": given["name"], "updated_at": now, "active": True, "version": SlaPolicy.version + 1},
        where=~SlaPolicy.active,
    )
    version = await work.session.scalar(again.returning(SlaPolicy.version))
    if version is None:
        raise ConflictError(f"There is a policy {given['key']!r} already.", field="key")
    await _keep(work, given["key"], version, body, by)
    told = await _get(work.session, given["key"])
    record_change(work, "sla_policy", given["key"], None, told)
    return told


async def change(
    work: Work, viewer: Viewer, key: str, given: Mapping[str, Any], *, running: str | None = None,
    confirm: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Change what is given; another promise is another version. Answers the policy with `run_id`, the run that moves
    running clocks. `version` in `given`: the one the caller has seen.

    Raises NotFoundError, InvalidError, VersionConflictError, and as store.clocks.moving.confirmed.
    """
    is_promised_anew = await edit(work, key, given, by=viewer.user_id)
    run = None
    if is_promised_anew or running == "move":
        run = await confirmed(work, viewer, Concern(policies=frozenset({key})), running=running, confirm=confirm)
    return {**await _get(work.session, key), "run_id": str(run) if run else None}


async def edit(work: Work, key: str, given: Mapping[str, Any], *, by: UUID | None) -> bool:
    """The edit alone; answers whether it promises something else now. Raises as `change`."""
    policy = await work.session.get(SlaPolicy, key, with_for_update=True, populate_existing=True)
    if policy is None or not policy.active:
        raise NotFoundError(f"There is no policy {key!r}.")
    if given.get("version") not in (None, policy.version):
        raise VersionConflictError(
            f"You have changed version {given['version']}, and the policy is at {policy.version}: look at it anew.",
            version=policy.version,
        )
    now = await work.read_clock()
    before = await _get(work.session, key)
    old = {name: before[name] for name in BODY}
    body = await _checked(work.session, {**old, **{name: given[name] for name in BODY if name in given}})
    if given.get("name"):
        policy.name = given["name"]
    if body != old:
        policy.version += 1
        await _keep(work, key, policy.version, body, by)
    policy.updated_at = now
    await work.session.flush()
    record_change(work, "sla_policy", key, _edited(before), _edited(await _get(work.session, key)))
    return body != old


def _edited(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "updated_at"}


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Raises NotFoundError, and InUseError saying where: topics that name it, clocks that run by it."""
    policy = await work.session.get(SlaPolicy, key, with_for_update=True, populate_existing=True)
    if policy is None or not policy.active:
        raise NotFoundError(f"There is no policy {key!r}.")
    before = await _get(work.session, key)
    uses = (await work.session.execute(_USES, {"key": key})).one()
    where = {name: value for name, value in uses._mapping.items() if value}
    if where:
        raise InUseError("This policy is in use.", where=where)
    policy.updated_at = await work.read_clock()
    policy.active = False
    await work.session.flush()
    record_change(work, "sla_policy", key, before, None)
    return {}


async def _checked(session: AsyncSession, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body in its one written form. Raises InvalidError naming the field at fault."""
    priorities = frozenset(await session.scalars(select(Priority.key)))
    policy = policy_of(body, priorities)
    if policy.calendar is not None:
        there = await session.get(Calendar, policy.calendar, with_for_update={"key_share": True, "read": True})
        if there is None or not there.active:
            raise InvalidError(f"There is no calendar {policy.calendar!r}.", field="calendar")
    return body_of(policy)


async def _keep(work: Work, key: str, version: int, body: dict[str, Any], by: UUID | None) -> None:
    await work.session.execute(
        insert(SlaPolicyVersion).values(key=key, version=version, body=body, made_at=work.now, made_by=by)
    )
