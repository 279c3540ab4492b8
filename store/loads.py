"""Loads as they are kept (ADR 17) against the slots themselves: counted anew where the two differ."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.events import Fact
from store.engines import Sessions
from store.transactions import Work, transact

_COUNTED = """
SELECT coalesce(sum(n)::bigint, 0) AS held, coalesce(jsonb_object_agg(channel_key, n), '{}') AS channels
FROM (SELECT channel_key, count(*) AS n FROM reservations r
      WHERE r.operator_id = o.user_id AND r.kind = 'held' GROUP BY 1) AS s
"""
#: a slot and its count change in one transaction: one look at both finds no difference that is only on its way
_DIFFERENT = text(f"""
SELECT o.user_id FROM operators o LEFT JOIN operator_loads l ON l.operator_id = o.user_id
CROSS JOIN LATERAL ({_COUNTED}) AS c
WHERE coalesce(l.held, 0) <> c.held OR coalesce(l.channels, '{{}}') <> c.channels ORDER BY o.user_id
""")
_KEEP_ONE = text("INSERT INTO operator_loads (operator_id, held, channels) VALUES (:o, 0, '{}') ON CONFLICT DO NOTHING")
_LOCK = text("SELECT held FROM operator_loads WHERE operator_id = :o FOR UPDATE")
_COUNT = text(f"""
UPDATE operator_loads l SET held = c.held, channels = c.channels
FROM operators o CROSS JOIN LATERAL ({_COUNTED}) AS c
WHERE o.user_id = :o AND l.operator_id = :o AND (l.held <> c.held OR l.channels <> c.channels)
RETURNING l.held
""")


async def recount(sessions: Sessions) -> int:
    """Count anew the slots of everybody whose count is wrong, each in a transaction of its own; answers how many were.

    Only what goes round the triggers can make one: rows loaded without them, a TRUNCATE, a count changed by hand.
    """
    async with sessions() as session:
        people = list(await session.scalars(_DIFFERENT))
    wrong = 0
    for who in people:
        found, _ = await transact(sessions, lambda work, who=who: _count(work, who))  # type: ignore[misc]
        wrong += found
    return wrong


async def _count(work: Work, operator_id: UUID) -> int:
    """Under the lock of the count whoever has changed a slot has committed; whoever has not yet changes it after us."""
    who: dict[str, Any] = {"o": operator_id}
    await work.session.execute(_KEEP_ONE, who)
    kept = await work.session.scalar(_LOCK, who)
    counted = await work.session.scalar(_COUNT, who)
    if counted is None:
        return 0
    await work.read_clock()
    work.record(Fact.ANOMALY_FOUND, operator_id=operator_id, miscounted={"kept": kept, "slots": counted})
    return 1
