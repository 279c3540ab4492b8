"""How long runs are remembered step by step: traces by a setting, dry runs for a week."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from store.settings import value_of

#: runs at a time: a round of the relay does not wait for years of traces
_AT_ONCE = 50
_FORGET_DRY = text("""
DELETE FROM runs WHERE id IN (
    SELECT r.id FROM runs r WHERE r.is_dry AND r.finished_at < now() - interval '7 days'
      AND NOT EXISTS (SELECT FROM runs c WHERE c.parent_run = r.id OR c.origin_run = r.id)
    ORDER BY r.number LIMIT :most)
""")
_FORGET_TRACES = text("""
DELETE FROM run_steps WHERE run_id IN (
    SELECT r.id FROM runs r WHERE r.finished_at < now() - make_interval(days => :days)
      AND EXISTS (SELECT FROM run_steps s WHERE s.run_id = r.id) ORDER BY r.number LIMIT :most)
""")


async def prune_runs(session: AsyncSession) -> None:
    """Forget traces older than the setting `trace_days`, and dry runs of more than seven days ago."""
    days = int(await value_of(session, "trace_days"))
    await session.execute(_FORGET_DRY, {"most": _AT_ONCE})
    await session.execute(_FORGET_TRACES, {"days": days, "most": _AT_ONCE})
