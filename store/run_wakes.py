"""Whom a run wakes, and how: under which id its walks go on, which reactions say nothing but "look again"."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import workflow_ids
from store.tables import Run
from store.transactions import Work

_TAKE_REACTIONS = text("""
UPDATE reactions SET done_at = clock_timestamp() WHERE workflow_id = :workflow AND done_at IS NULL
  AND not_before <= clock_timestamp() AND (kind = ANY(:kinds) OR :all)
""")
_WAKE = text("""
WITH open AS MATERIALIZED (
    SELECT id FROM reactions WHERE workflow_id = :workflow AND kind = :kind AND done_at IS NULL ORDER BY id LIMIT 1
    FOR UPDATE
)
INSERT INTO reactions (workflow_id, kind) SELECT CAST(:workflow AS text), CAST(:kind AS text)
WHERE NOT EXISTS (SELECT FROM open) RETURNING id
""")
#: what only wakes a run's workflow: the rows say the rest
WAKING = (
    "run_queued", "run_paused", "run_resumed", "run_cancelled", "run_continued", "item_ended", "item_parked",
    "decided", "sub_ended",
)  # fmt: skip


def workflow_of(run: Run) -> str:
    """Dry runs of macros, too, are walked as a batch."""
    return workflow_ids.of_macro(run.id) if run.kind == "macro" and not run.is_dry else workflow_ids.of_mass(run.id)


def workflow_of_item(run: Run, seq: int) -> str:
    """Whoever walks an item, or a phase of the run (BEFORE, AFTER)."""
    return workflow_of(run) if run.kind == "macro" or seq <= 0 else workflow_ids.of_item(run.id, seq)


async def take_waking(session: AsyncSession, workflow_id: str) -> None:
    await session.execute(_TAKE_REACTIONS, {"workflow": workflow_id, "kinds": list(WAKING), "all": False})


async def close_reactions(session: AsyncSession, workflow_id: str) -> None:
    """Nobody waits under this id any more."""
    await session.execute(_TAKE_REACTIONS, {"workflow": workflow_id, "kinds": [], "all": True})


async def wake(work: Work, workflow_id: str, kind: str) -> None:
    """A reaction that only wakes, unless one is open already. The open one is locked: whoever takes it meanwhile has
    either seen what this transaction did, or finds the new row.
    """
    if await work.session.scalar(_WAKE, {"workflow": workflow_id, "kind": kind}) is not None:
        work.rings.add(workflow_id)
