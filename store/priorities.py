"""Priorities as settings: how urgent a dialog may be called, in both languages, in their order."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import BuiltInError, ConflictError, InUseError, InvalidError, NotFoundError
from store.settings import record_change
from store.tables import Priority
from store.transactions import Work

#: what every dialog begins with
FIRST = "normal"
_PLAIN = ("name_uk", "name_en", "position")
# Its lock keeps the priority from being removed before the dialog that is given it is there.
_IS_KNOWN = text("SELECT true FROM priorities WHERE key = :key FOR KEY SHARE")
_KNOWN = text("SELECT array_agg(key ORDER BY position) AS keys FROM priorities")
_USES = text("""
SELECT (SELECT count(*) FROM (SELECT 1 FROM dialogs WHERE priority = :key LIMIT 1000) AS d) AS dialogs,
       ARRAY(SELECT p.key FROM sla_policies p JOIN sla_policy_versions v ON v.key = p.key AND v.version = p.version
             WHERE p.active
               AND EXISTS (SELECT 1 FROM jsonb_path_query(v.body, '$.metrics[*].targets') AS t WHERE t ? :key)
             ORDER BY 1) AS sla_policies
""")


async def require_priority(session: AsyncSession, key: str) -> None:
    """Once a transaction, which may set many. Raises InvalidError naming those there are."""
    seen: set[str] = session.info.setdefault("priorities_seen", set())
    if key in seen:
        return
    if not await session.scalar(_IS_KNOWN, {"key": key}):
        known = await session.scalar(_KNOWN) or []
        raise InvalidError(f"There is no priority {key!r}. Known: {', '.join(known)}.", field="priority")
    seen.add(key)


async def all_priorities(session: AsyncSession) -> list[dict[str, Any]]:
    """The most urgent first."""
    return [_told(one) for one in await session.scalars(select(Priority).order_by(Priority.position.desc()))]


async def get_priority(session: AsyncSession, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    return _told(await _find(session, key))


def _told(one: Priority) -> dict[str, Any]:
    return {"key": one.key, **{name: getattr(one, name) for name in _PLAIN}}


async def _find(session: AsyncSession, key: str, *, lock: bool = False) -> Priority:
    found = await session.get(Priority, key, with_for_update=lock or None)
    if found is None:
        raise NotFoundError(f"There is no priority {key!r}.")
    return found


async def add(work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ConflictError when the key or the position is taken."""
    await _one_at_a_time(work)
    await work.read_clock()
    if await work.session.get(Priority, given["key"]) is not None:
        raise ConflictError(f"There is a priority {given['key']!r} already.", field="key")
    await _require_free(work, given["position"])
    made = Priority(key=given["key"], **{name: given[name] for name in _PLAIN})
    work.session.add(made)
    await work.session.flush()
    record_change(work, "priority", made.key, None, _told(made))
    return _told(made)


async def change(work: Work, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises NotFoundError, ConflictError."""
    await _one_at_a_time(work)
    found = await _find(work.session, key, lock=True)
    await work.read_clock()
    before = _told(found)
    wanted = {name: given[name] for name in _PLAIN if given.get(name) is not None}
    if wanted.get("position", found.position) != found.position:
        await _require_free(work, wanted["position"])
    for name, value in wanted.items():
        setattr(found, name, value)
    await work.session.flush()
    record_change(work, "priority", key, before, _told(found))
    return _told(found)


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Raises NotFoundError, BuiltInError for the one dialogs begin with, InUseError saying where."""
    await _one_at_a_time(work)
    found = await _find(work.session, key, lock=True)
    if key == FIRST:
        raise BuiltInError("Every dialog begins with this priority: it stays.")
    uses = (await work.session.execute(_USES, {"key": key})).one()
    if where := {name: value for name, value in uses._mapping.items() if value}:
        raise InUseError("This priority is in use.", where=where)
    await work.read_clock()
    await work.session.execute(delete(Priority).where(Priority.key == key))
    record_change(work, "priority", key, _told(found), None)
    return {}


async def _one_at_a_time(work: Work) -> None:
    """Positions are judged against all others."""
    await work.session.execute(text("SELECT pg_advisory_xact_lock(5, 7)"))


async def _require_free(work: Work, position: int) -> None:
    taken = await work.session.scalar(select(Priority.key).where(Priority.position == position))
    if taken is not None:
        raise ConflictError(f"{taken!r} stands at this position already.", field="position")
