"""What a signed-in person sees and sets of themselves."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidError
from domain.permissions import Viewer
from store.tables import Operator, User
from store.transactions import Work

MOST_PREFERENCES = 200


async def profile_of(session: AsyncSession, viewer: Viewer) -> dict[str, Any]:
    row = (
        await session.execute(
            select(User.email, User.name, User.locale, User.preferences, Operator.status)
            .outerjoin(Operator, Operator.user_id == User.id)
            .where(User.id == viewer.user_id)
        )
    ).one()
    return {
        "id": str(viewer.user_id), "email": row.email, "name": row.name, "locale": row.locale,
        "preferences": row.preferences, "status": row.status, "roles": sorted(viewer.roles),
        "permissions": sorted(viewer.permissions), "teams": sorted(viewer.teams),
    }  # fmt: skip


async def prefer(
    work: Work, user_id: UUID, *, locale: str | None, preferences: dict[str, Any] | None
) -> dict[str, Any]:
    """Merge what was given into what stands; null takes a preference away. Raises InvalidError for too many."""
    user = await work.session.get_one(User, user_id, with_for_update={"key_share": True})
    if locale is not None:
        user.locale = locale
    if preferences is not None:
        merged = {k: v for k, v in {**user.preferences, **preferences}.items() if v is not None}
        if len(merged) > MOST_PREFERENCES:
            raise InvalidError(f"At most {MOST_PREFERENCES} preferences.", field="preferences")
        user.preferences = merged
    return {"locale": user.locale, "preferences": user.preferences}
