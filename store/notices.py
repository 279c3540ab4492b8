"""Notices: what one person was told, and what of it was read."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from store.tables import Notice
from store.transactions import Work


async def list_notices(
    session: AsyncSession, user_id: UUID, *, unread: bool, after: UUID | None, limit: int
) -> tuple[list[dict[str, Any]], str | None, int]:
    """One's own, newest first: a page, the id to go on after (None on the last page), and how many are unread."""
    query = select(Notice).where(Notice.user_id == user_id)
    if unread:
        query = query.where(Notice.read_at.is_(None))
    if after is not None:
        place = select(Notice.created_at, Notice.id).where(Notice.id == after, Notice.user_id == user_id)
        query = query.where(tuple_(Notice.created_at, Notice.id) < place.scalar_subquery())
    query = query.order_by(Notice.created_at.desc(), Notice.id.desc()).limit(limit + 1)
    rows = list(await session.scalars(query))
    waiting = await session.scalar(
        select(func.count()).select_from(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    )
    shown = rows[:limit]
    return [_told(row) for row in shown], str(shown[-1].id) if len(rows) > limit else None, waiting or 0


async def mark_read(work: Work, user_id: UUID, notice_id: UUID) -> dict[str, Any]:
    """The first reading counts. Raises NotFoundError for what was told to somebody else."""
    row = await work.session.get(Notice, notice_id, with_for_update=True)
    if row is None or row.user_id != user_id:
        raise NotFoundError("There is no such notice.")
    await work.read_clock()
    row.read_at = row.read_at or work.now
    return _told(row)


async def mark_all_read(work: Work, user_id: UUID) -> dict[str, Any]:
    await work.read_clock()
    rows = await work.session.scalars(
        update(Notice)
        .where(Notice.user_id == user_id, Notice.read_at.is_(None), Notice.created_at <= work.now)
        .values(read_at=work.now)
        .returning(Notice.id)
    )
    return {"read": len(list(rows))}


def _told(row: Notice) -> dict[str, Any]:
    return {
        "id": str(row.id), "title": row.title, "text": row.text, "link": row.link, "sound": row.sound,
        "run_id": str(row.run_id) if row.run_id else None,
        "dialog_id": str(row.dialog_id) if row.dialog_id else None,
        "created_at": row.created_at.isoformat(), "read_at": row.read_at.isoformat() if row.read_at else None,
    }  # fmt: skip
