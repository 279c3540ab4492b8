"""Open reactions of workflows: pulled in id order, acted on, marked done (DECISIONS 1)."""

from collections.abc import Iterable, Mapping

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.commands import Reaction as Open
from store.run_wakes import WAKING
from store.tables import Reaction

#: facts that only wake a workflow: taking such a row is all there is to do
_ONLY_WAKE = (
    "dialog_opened", "dialog_closed", "dialog_reopened", "offer_ended", "presence_changed", "clocks_changed",
    *WAKING,
)  # fmt: skip

_TAKE = text("""
WITH open AS (
    SELECT id, kind, payload FROM reactions
    WHERE workflow_id = :workflow AND done_at IS NULL AND not_before <= clock_timestamp() ORDER BY id LIMIT 200
), woken AS (
    UPDATE reactions SET done_at = clock_timestamp() WHERE id IN (SELECT id FROM open WHERE kind = ANY(:wake))
)
SELECT id, kind, payload FROM open ORDER BY id
""")


async def open_reactions(session: AsyncSession, workflow_id: str, done: Iterable[int] = ()) -> tuple[Open, ...]:
    """Mark `done`, then answer what is due for this workflow, in id order."""
    if finished := sorted(done):
        await finish(session, finished)
    rows = await session.execute(_TAKE, {"workflow": workflow_id, "wake": list(_ONLY_WAKE)})
    return tuple(Open(r.id, r.kind, r.payload) for r in rows)


async def finish(session: AsyncSession, ids: Iterable[int]) -> None:
    await session.execute(
        update(Reaction)
        .where(Reaction.id.in_(list(ids)), Reaction.done_at.is_(None))
        .values(done_at=func.clock_timestamp())
    )


async def overdue_workflows(
    session: AsyncSession, *, older_than: float, known: Mapping[str, int], limit: int = 500
) -> dict[str, int]:
    """Workflows with rows nobody has acted on for `older_than` seconds, oldest first, each with its newest such row.

    `known` are left out as long as nothing newer than that row has come to them.
    """
    rows = await session.execute(
        text("""
            SELECT workflow_id, min(id) AS first, max(id) AS newest FROM reactions
            WHERE done_at IS NULL AND not_before < clock_timestamp() - make_interval(secs => :age)
              AND workflow_id NOT LIKE 'team:%'
              AND workflow_id NOT LIKE 'schedule:%'
            GROUP BY workflow_id
            HAVING NOT EXISTS (SELECT FROM unnest(CAST(:ids AS text[]), CAST(:rows AS bigint[])) AS known (id, newest)
                               WHERE known.id = workflow_id AND known.newest >= max(reactions.id))
            ORDER BY first LIMIT :limit
        """),
        {"age": older_than, "limit": limit, "ids": list(known), "rows": list(known.values())},
    )
    return {r.workflow_id: r.newest for r in rows}


async def drains_due(session: AsyncSession) -> dict[str, list[int]]:
    """team → ids of its due `drain_due` rows."""
    rows = await session.execute(
        text("""
            SELECT substr(workflow_id, 6) AS team, array_agg(id) AS ids FROM reactions
            WHERE done_at IS NULL AND workflow_id LIKE 'team:%' AND not_before <= clock_timestamp() GROUP BY 1
        """)
    )
    return {r.team: list(r.ids) for r in rows}


async def prune(session: AsyncSession) -> None:
    """Forget what nobody needs any more: settled reactions after a day, command results after seven."""
    await session.execute(text("DELETE FROM reactions WHERE done_at < now() - interval '1 day'"))
    await session.execute(text("DELETE FROM rate_buckets WHERE tat < now() - interval '1 day'"))
    await session.execute(text("DELETE FROM command_results WHERE created_at < now() - interval '7 days'"))
    await session.execute(text("DELETE FROM pending_commands WHERE created_at < now() - interval '7 days'"))
    await session.execute(text("DELETE FROM sessions WHERE expires_at < now()"))
    await session.execute(text("DELETE FROM sign_in_attempts WHERE at < now() - interval '1 day'"))
