"""People: who they are, which roles they have, how many dialogs they may hold, and whether they still work here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InvalidError, NotFoundError
from domain.permissions import Viewer
from store import departures, sign_ins
from store.distribution import drain
from store.ids import new_id
from store.roles import one_at_a_time, require_admin_left, require_no_more, rights_of
from store.settings import record_change
from store.tables import Channel, Operator, Role, User, UserRole
from store.transactions import Work, team_keys_of

_PEOPLE = """
SELECT u.id, u.email, u.name, u.locale, u.is_active, u.created_at, u.deactivated_at,
       o.max_dialogs, o.channel_limits, o.daily_quota, o.status,
       ARRAY(SELECT role_key FROM user_roles WHERE user_id = u.id ORDER BY 1) AS roles,
       ARRAY(SELECT team_key FROM team_members WHERE user_id = u.id ORDER BY 1) AS teams
FROM users u LEFT JOIN operators o ON o.user_id = u.id
"""
_ALL = text(_PEOPLE + " ORDER BY lower(u.name), u.id")
_ONE = text(_PEOPLE + " WHERE u.id = :id")
#: what never stands in the audit in clear
_TOLD_AS_CHANGED = "password"


def _told(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id), "email": row.email, "name": row.name, "locale": row.locale, "active": row.is_active,
        "roles": list(row.roles), "teams": list(row.teams), "limit": row.max_dialogs,
        "channel_limits": dict(row.channel_limits or {}), "daily_quota": row.daily_quota, "status": row.status,
        "created_at": row.created_at.isoformat(),
        "deactivated_at": row.deactivated_at.isoformat() if row.deactivated_at else None,
    }  # fmt: skip


async def all_users(session: AsyncSession) -> list[dict[str, Any]]:
    return [_told(row) for row in await session.execute(_ALL)]


async def get_user(session: AsyncSession, user_id: UUID) -> dict[str, Any]:
    """Raises NotFoundError."""
    row = (await session.execute(_ONE, {"id": user_id})).one_or_none()
    if row is None:
        raise NotFoundError("There is no such person.")
    return _told(row)


async def add(work: Work, viewer: Viewer, password_hash: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ConflictError for an e-mail that is taken, InvalidError, ForbiddenError."""
    await one_at_a_time(work)
    await _require_roles(work.session, given.get("roles", ()))
    require_no_more(viewer, await rights_of(work.session, given.get("roles", ())))
    await _require_channels(work.session, given.get("channel_limits", {}))
    await work.read_clock()
    made = await work.session.scalar(
        upsert(User)
        .values(
            id=new_id(), email=given["email"].strip(), name=given["name"], password_hash=password_hash,
            locale=given.get("locale", "uk"),
        )
        .on_conflict_do_nothing()
        .returning(User.id)
    )  # fmt: skip
    if made is None:
        raise ConflictError("Somebody has this e-mail already.", field="email")
    operator = Operator(user_id=made)
    _set_limits(operator, given)
    work.session.add(operator)
    await work.session.flush()
    await _give_roles(work.session, made, given.get("roles", ()))
    told = await get_user(work.session, made)
    record_change(work, "user", str(made), None, _for_audit(told))
    return told


async def change(
    work: Work, viewer: Viewer, user_id: UUID, given: Mapping[str, Any], *, password_hash: str | None = None
) -> dict[str, Any]:
    """Change what is given. More room drains the person's teams; less takes nothing away. Who is deactivated or may
    hold dialogs no longer leaves in this transaction.

    Raises NotFoundError, ConflictError, InvalidError, ForbiddenError, LastAdminError.
    """
    await one_at_a_time(work)
    await departures.lock_teams_of(work, [user_id])
    before = await get_user(work.session, user_id)
    require_no_more(viewer, await rights_of(work.session, before["roles"]))
    user = await work.session.get_one(User, user_id, with_for_update={"key_share": True})
    holders = await departures.holders_among(work, [user_id])
    await work.read_clock()
    await _set_person(work, user, given, password_hash)
    if given.get("roles") is not None and set(given["roles"]) != set(before["roles"]):
        await _require_roles(work.session, given["roles"])
        require_no_more(viewer, await rights_of(work.session, given["roles"]))
        await _give_roles(work.session, user_id, given["roles"])
    await _require_channels(work.session, given.get("channel_limits") or {})
    operator = await work.session.get_one(Operator, user_id, with_for_update={"key_share": True})
    _set_limits(operator, given)
    await require_admin_left(work)
    after = await get_user(work.session, user_id)
    record_change(work, "user", str(user_id), _for_audit(before), _for_audit(after, password_hash))
    await _follow(work, user_id, before, after, holders)
    return await get_user(work.session, user_id)


async def _follow(
    work: Work, user_id: UUID, before: Mapping[str, Any], after: Mapping[str, Any], holders: frozenset[UUID]
) -> None:
    """What the change means for dialogs."""
    now_holds = await departures.holders_among(work, [user_id])
    if before["active"] and not after["active"] and not holders:
        await departures.leave(work, user_id, cause="deactivated")
        return
    cause = "role_changed" if after["active"] else "deactivated"
    await departures.come_and_go(work, holders, now_holds, cause=cause)
    if holders and now_holds and _has_more_room(before, after):
        await drain(work, await team_keys_of(work.session, [user_id]), cause="limit_raised")


def _has_more_room(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return any(before[f] != after[f] for f in ("limit", "channel_limits", "daily_quota"))


async def _set_person(work: Work, user: User, given: Mapping[str, Any], password_hash: str | None) -> None:
    if given.get("email") is not None:
        user.email = given["email"].strip()
    if given.get("name") is not None:
        user.name = given["name"]
    if given.get("locale") is not None:
        user.locale = given["locale"]
    if given.get("active") is not None and given["active"] != user.is_active:
        user.is_active = given["active"]
        user.deactivated_at = None if user.is_active else work.now
    if password_hash is not None:
        user.password_hash = password_hash
        await sign_ins.end_sessions(work.session, user.id)
    try:
        async with work.savepoint():
            await work.session.flush()
    except IntegrityError:
        raise ConflictError("Somebody has this e-mail already.", field="email") from None


def _set_limits(operator: Operator, given: Mapping[str, Any]) -> None:
    if given.get("limit") is not None:
        operator.max_dialogs = given["limit"]
    if given.get("channel_limits") is not None:
        operator.channel_limits = dict(given["channel_limits"])
    if "daily_quota" in given:
        operator.daily_quota = given["daily_quota"]


async def _require_roles(session: AsyncSession, roles: Sequence[str]) -> None:
    known = set(await session.scalars(select(Role.key).where(Role.key.in_(list(roles))).with_for_update(read=True)))
    if missing := [r for r in roles if r not in known]:
        raise InvalidError(f"There is no role {missing[0]!r}.", field="roles")


async def _require_channels(session: AsyncSession, limits: Iterable[str]) -> None:
    keys = list(limits)
    known = set(await session.scalars(select(Channel.key).where(Channel.key.in_(keys)))) if keys else set()
    if missing := [k for k in keys if k not in known]:
        raise InvalidError(f"There is no channel {missing[0]!r}.", field="channel_limits")


async def _give_roles(session: AsyncSession, user_id: UUID, roles: Iterable[str]) -> None:
    await session.execute(delete(UserRole).where(UserRole.user_id == user_id))
    rows = [{"user_id": user_id, "role_key": r} for r in sorted(set(roles))]
    if rows:
        await session.execute(insert(UserRole), rows)


def _for_audit(told: Mapping[str, Any], password_hash: str | None = None) -> dict[str, Any]:
    kept = ("email", "name", "locale", "active", "roles", "limit", "channel_limits", "daily_quota")
    entry = {name: told[name] for name in kept}
    if password_hash is not None:
        entry[_TOLD_AS_CHANGED] = "changed"
    return entry
