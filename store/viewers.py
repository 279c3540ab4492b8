"""Who asks: a person's roles, rights and teams, read as they are now."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ForbiddenError
from domain.permissions import Permission, Viewer

#: runs of the system's own act as this: it leads everything, and is narrowed by what their version was granted
SYSTEM_VIEWER = Viewer(UUID(int=0), "system", frozenset({"system"}), frozenset(map(str, Permission)), frozenset())

_VIEWER = text("""
SELECT u.id, u.name, u.is_active,
       ARRAY(SELECT role_key FROM user_roles WHERE user_id = u.id) AS roles,
       ARRAY(SELECT DISTINCT permission FROM role_permissions rp JOIN user_roles ur ON ur.role_key = rp.role_key
             WHERE ur.user_id = u.id) AS permissions,
       ARRAY(SELECT team_key FROM team_members WHERE user_id = u.id) AS teams
FROM users u WHERE u.id = :id
""")


async def find_viewer(session: AsyncSession, user_id: UUID) -> Viewer | None:
    """The person with current rights, or None when unknown or deactivated."""
    row = (await session.execute(_VIEWER, {"id": user_id})).one_or_none()
    if row is None or not row.is_active:
        return None
    return Viewer(row.id, row.name, frozenset(row.roles), frozenset(row.permissions), frozenset(row.teams))


async def get_viewer(session: AsyncSession, user_id: UUID) -> Viewer:
    """Raises ForbiddenError when the person may no longer do anything."""
    viewer = await find_viewer(session, user_id)
    if viewer is None:
        raise ForbiddenError("This account is not active.")
    return viewer
