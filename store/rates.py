"""Turns under rate limits (GCRA): a row a limit, one statement a turn, no cell ever given twice."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.rates import Rate

#: `tat` is the moment of the next free turn; the row's lock puts those who ask at once one after another
_RESERVE = text("""
INSERT INTO rate_buckets AS b (key, tat) VALUES (:key, CAST(:now AS timestamptz) + make_interval(secs => :each))
ON CONFLICT (key) DO UPDATE SET tat = greatest(b.tat, :now) + make_interval(secs => :each)
RETURNING extract(epoch FROM tat - make_interval(secs => :each) - :now)
""")
_CLOSE = text("""
INSERT INTO rate_buckets AS b (key, tat) VALUES (:key, CAST(:now AS timestamptz) + make_interval(secs => :wait))
ON CONFLICT (key) DO UPDATE SET tat = greatest(b.tat, :now + make_interval(secs => :wait))
""")


async def reserve(session: AsyncSession, key: str, rate: Rate, now: datetime) -> float:
    """Seconds until the next free turn of this limit, which is taken hereby. Turns lie evenly apart."""
    given = {"key": key, "now": now, "each": rate.per_seconds / rate.amount}
    return max(0.0, float(await session.scalar(_RESERVE, given) or 0))


async def close(session: AsyncSession, key: str, now: datetime, wait: float) -> None:
    """No turn before `wait` seconds from now: the other side said so."""
    await session.execute(_CLOSE, {"key": key, "now": now, "wait": wait})


async def closed_for(session: AsyncSession, key: str, now: datetime) -> float:
    """Seconds until the limit's next turn; 0 when it is free. Takes no turn."""
    found = await session.scalar(
        text("SELECT extract(epoch FROM tat - :now) FROM rate_buckets WHERE key = :key"), {"key": key, "now": now}
    )
    return max(0.0, float(found or 0))
