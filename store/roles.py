"""Roles: named sets of rights, kept as rows, so a granted right counts from the next request on (P5)."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import (
    BuiltInError,
    ConflictError,
    ForbiddenError,
    InUseError,
    InvalidError,
    LastAdminError,
    NotFoundError,
)
from domain.permissions import GRANTS, Permission, Viewer
from store import departures
from store.settings import record_change
from store.tables import Role, RolePermission, UserRole
from store.transactions import Work

BUILT_IN = {
    "operator": "Operator",
    "light_agent": "Light agent",
    "supervisor": "Supervisor",
    "admin": "Administrator",
    "integrator": "Integrator",
    "ops": "Operations",
}
_ADMIN_IS_LEFT = text("""
SELECT count(*) FROM (
    SELECT u.id FROM users u JOIN user_roles ur ON ur.user_id = u.id
    JOIN role_permissions rp ON rp.role_key = ur.role_key
    WHERE u.is_active AND rp.permission IN ('users.manage', 'roles.manage')
    GROUP BY u.id HAVING count(DISTINCT rp.permission) = 2 LIMIT 1
) AS admins
""")


def put_built_in_roles(connection: Connection) -> None:
    """Make the built-in roles that are missing, with the rights they start with; the administrator's are complete.

    Roles that exist keep what people made of them.
    """
    there = set(connection.scalars(select(Role.key)))
    for key, name in BUILT_IN.items():
        if key not in there:
            row = upsert(Role).values(key=key, name=name, is_built_in=True)
            connection.execute(row.on_conflict_do_nothing())
        if key not in there or key == "admin":
            rows = [{"role_key": key, "permission": p.value} for p in sorted(GRANTS[key])]
            connection.execute(upsert(RolePermission).on_conflict_do_nothing(), rows)


async def one_at_a_time(work: Work) -> None:
    """Changes of who may what wait for one another, so two administrators cannot remove each other at once."""
    await work.session.execute(text("SELECT pg_advisory_xact_lock(5, 2)"))


async def require_admin_left(work: Work) -> None:
    """Raises LastAdminError when nobody active could manage users and roles any more."""
    await work.session.flush()
    if not await work.session.scalar(_ADMIN_IS_LEFT):
        raise LastAdminError("This would leave nobody who may manage users and roles.")


def require_no_more(viewer: Viewer, permissions: Iterable[str]) -> None:
    """Nobody hands out, or takes over, more rights than they have. Raises ForbiddenError."""
    if more := sorted(set(permissions) - viewer.permissions):
        raise ForbiddenError(f"You do not have the right {more[0]} yourself.", permission=more[0])


async def rights_of(session: AsyncSession, roles: Iterable[str]) -> frozenset[str]:
    rows = await session.scalars(select(RolePermission.permission).where(RolePermission.role_key.in_(list(roles))))
    return frozenset(rows)


async def all_roles(session: AsyncSession) -> list[dict[str, Any]]:
    roles = (await session.scalars(select(Role).order_by(Role.key))).all()
    rights: dict[str, list[str]] = {}
    for row in await session.execute(select(RolePermission.role_key, RolePermission.permission)):
        rights.setdefault(row.role_key, []).append(row.permission)
    return [_told(role, rights.get(role.key, [])) for role in roles]


async def get_role(session: AsyncSession, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    role = await session.get(Role, key)
    if role is None:
        raise NotFoundError(f"There is no role {key!r}.")
    return _told(role, await rights_of(session, [key]))


def _told(role: Role, rights: Iterable[str]) -> dict[str, Any]:
    return {"key": role.key, "name": role.name, "is_built_in": role.is_built_in, "permissions": sorted(rights)}


async def add(work: Work, viewer: Viewer, key: str, name: str, permissions: Iterable[str]) -> dict[str, Any]:
    """Raises ConflictError, InvalidError, ForbiddenError."""
    wanted = _known(permissions)
    require_no_more(viewer, wanted)
    await work.read_clock()
    made = await work.session.scalar(
        upsert(Role).values(key=key, name=name, is_built_in=False).on_conflict_do_nothing().returning(Role.key)
    )
    if made is None:
        raise ConflictError(f"There is a role {key!r} already.")
    await _grant(work, key, wanted)
    told = await get_role(work.session, key)
    record_change(work, "role", key, None, told)
    return told


async def change(work: Work, viewer: Viewer, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Rename, or set the rights. Who can hold dialogs no longer leaves; who now can is drained to.

    Raises NotFoundError, InvalidError, ForbiddenError, LastAdminError.
    """

    await one_at_a_time(work)
    before = await get_role(work.session, key)
    wanted = _known(given["permissions"]) if given.get("permissions") is not None else set(before["permissions"])
    differing = wanted ^ set(before["permissions"])
    require_no_more(viewer, differing)
    people = []
    if Permission.DIALOG_HOLD in differing:
        people = list(await work.session.scalars(select(UserRole.user_id).where(UserRole.role_key == key)))
        await departures.lock_teams_of(work, people)
    holders = await departures.holders_among(work, people)
    await work.read_clock()
    role = await work.session.get_one(Role, key, with_for_update={"key_share": True})
    role.name = given.get("name") or role.name
    if differing:
        await work.session.execute(delete(RolePermission).where(RolePermission.role_key == key))
        await _grant(work, key, wanted)
        await require_admin_left(work)
    await work.session.flush()
    told = _told(role, wanted)
    record_change(work, "role", key, before, told)
    if people:
        await departures.come_and_go(work, holders, await departures.holders_among(work, people), cause="role_changed")
    return told


async def remove(work: Work, viewer: Viewer, key: str) -> dict[str, Any]:
    """Raises NotFoundError, BuiltInError, InUseError."""

    await one_at_a_time(work)
    before = await get_role(work.session, key)
    if before["is_built_in"]:
        raise BuiltInError("Built-in roles cannot be deleted; take away their rights instead.")
    require_no_more(viewer, before["permissions"])
    users = await work.session.scalar(select(func.count()).select_from(UserRole).where(UserRole.role_key == key))
    if users:
        raise InUseError(f"{users} people have this role.", where={"users": users})
    await work.read_clock()
    await work.session.execute(delete(Role).where(Role.key == key))
    record_change(work, "role", key, before, None)
    return {}


async def _grant(work: Work, key: str, permissions: Iterable[str]) -> None:
    rows = [{"role_key": key, "permission": p} for p in sorted(permissions)]
    if rows:
        await work.session.execute(insert(RolePermission), rows)


def _known(permissions: Iterable[str]) -> set[str]:
    wanted = set(permissions)
    if unknown := sorted(wanted - {p.value for p in Permission}):
        raise InvalidError(f"There is no right {unknown[0]!r}.", field="permissions")
    return wanted
