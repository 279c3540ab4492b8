"""Finding colleagues, and everybody who has to do with a dialog."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.permissions import Viewer
from store.dialog_rows import require_readable

_FOUND = text("""
SELECT u.id, u.name, u.email,
       ARRAY(SELECT team_key FROM team_members WHERE user_id = u.id ORDER BY team_key) AS teams
FROM users u WHERE u.is_active AND (u.name ILIKE :like OR u.email ILIKE :like)
ORDER BY u.name, u.id LIMIT :limit
""")
#: those the log names are who did something by hand, and who held it
_AROUND = text("""
WITH named AS (
    SELECT author_id AS id, 'author' AS role, opened_at AS came, NULL::timestamptz AS acted
           FROM dialogs WHERE id = :id
    UNION ALL SELECT operator_id, 'assignee', assigned_at, NULL FROM dialogs WHERE id = :id
    UNION ALL SELECT user_id, CASE role WHEN 'watcher' THEN 'watcher' ELSE 'member' END, added_at, NULL
              FROM participants WHERE dialog_id = :id
    UNION ALL SELECT actor_id, 'acted', min(at), max(at) FROM events
              WHERE dialog_id = :id AND actor_kind = 'user' AND actor_id IS NOT NULL GROUP BY actor_id
    UNION ALL SELECT operator_id, 'held', min(at), NULL FROM events
              WHERE dialog_id = :id AND kind = 'dialog.assigned' AND operator_id IS NOT NULL GROUP BY operator_id
)
SELECT u.id, u.name, u.is_active AS active, array_agg(DISTINCT n.role ORDER BY n.role) AS roles,
       max(n.acted) AS last_acted_at
FROM named n JOIN users u ON u.id = n.id
GROUP BY u.id ORDER BY min(n.came), u.id
""")


async def find_people(session: AsyncSession, sought: str, *, limit: int) -> list[dict[str, Any]]:
    """Active people whose name or e-mail has `sought` in it, by name."""
    literal = sought.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    rows = await session.execute(_FOUND, {"like": f"%{literal}%", "limit": limit})
    return [dict(r._mapping) for r in rows]


async def participants_of(session: AsyncSession, viewer: Viewer, dialog_id: UUID) -> list[dict[str, Any]]:
    """Author, assignee, everybody in the log, active members, each person once. Raises NotFoundError."""
    await require_readable(session, viewer, dialog_id)
    return [dict(r._mapping) for r in await session.execute(_AROUND, {"id": dialog_id})]
