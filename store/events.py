"""Reading the numbered events."""

from collections.abc import Sequence

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import Event

PAGE = 1000


async def number_events(session: AsyncSession) -> int:
    """Give committed events their numbers, in id order; answers the newest number."""
    return int(await session.scalar(text("SELECT number_events()")) or 0)


async def open_snapshot(session: AsyncSession) -> int:
    """Begin a snapshot for reading; answers the newest number it knows.

    Its statements are planned for their values: a status that hardly any dialog has, or nearly all, is no average.
    """
    return int(
        await session.scalar(
            text(
                "SELECT coalesce((SELECT max(seq) FROM events), 0)"
                " FROM (SELECT set_config('plan_cache_mode', 'force_custom_plan', true)) AS planned"
            )
        )
        or 0
    )


async def newest_seq(session: AsyncSession) -> int:
    return int(await session.scalar(select(func.coalesce(func.max(Event.seq), 0))) or 0)


async def oldest_kept_seq(session: AsyncSession) -> int:
    """The first number within the last seven days; a stream asked from before it must resynchronise."""
    first = await session.scalar(select(func.min(Event.seq)).where(Event.at > func.now() - text("interval '7 days'")))
    return int(first) if first is not None else await newest_seq(session) + 1


async def events_after(session: AsyncSession, seq: int, *, limit: int = PAGE) -> Sequence[Event]:
    rows = await session.scalars(select(Event).where(Event.seq > seq).order_by(Event.seq).limit(limit))
    return rows.all()
