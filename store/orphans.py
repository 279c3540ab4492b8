"""Runs and items that are at work by their rows, while their workflow has ended: somebody terminated it by hand, or the
server lost it. Rung, they go on from the rows; the ledger answers for what they have done.
"""

from sqlalchemy import text

from domain.runs import ENDED
from store.engines import Sessions

MOST = 500
#: the list of runs tells of each Temporal run when it began, and of its end once the archiver has seen it
_ORPHANS = text("""
WITH open AS (
    SELECT id, kind = 'macro' AND NOT is_dry AS is_macro, topology FROM runs WHERE status <> ALL(:ended)
), lived AS (
    SELECT CASE WHEN is_macro THEN 'macro:' ELSE 'mass:' END || id AS workflow_id FROM open
    UNION ALL
    SELECT 'process:' || i.run_id || ':' || i.seq FROM run_items i JOIN open ON open.id = i.run_id
    WHERE i.state IN ('running','waiting') AND open.topology = 'child' AND NOT open.is_macro
)
SELECT workflow_id FROM lived
WHERE EXISTS (SELECT FROM workflow_runs w WHERE w.workflow_id = lived.workflow_id)
  AND NOT EXISTS (SELECT FROM workflow_runs w WHERE w.workflow_id = lived.workflow_id AND w.archived_at IS NULL)
LIMIT :most
""")


async def orphans(sessions: Sessions) -> list[str]:
    """The ids of their workflows, at most 500. One whose next Temporal run has not begun yet may be among them: a ring
    does it no harm.
    """
    async with sessions() as session:
        return list(await session.scalars(_ORPHANS, {"ended": sorted(ENDED), "most": MOST}))
