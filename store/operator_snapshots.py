"""What is true of an operator that is an item itself (`target: operator`)."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.walks.ports import Snapshot

_OPERATOR = text("""
SELECT u.id, u.name, u.email, o.status,
       ARRAY(SELECT team_key FROM team_members WHERE user_id = u.id ORDER BY team_key) AS teams
FROM users u LEFT JOIN operators o ON o.user_id = u.id WHERE u.id = :id
""")


async def operator_snapshot(session: AsyncSession, operator_id: UUID) -> Snapshot:
    row = (await session.execute(_OPERATOR, {"id": operator_id})).one_or_none()
    if row is None:
        return Snapshot()
    told = {"id": str(row.id), "name": row.name, "email": row.email, "status": row.status, "teams": list(row.teams)}
    return Snapshot(operator=told)
