"""The only item of a macro: put in as the run is launched, skipped where an earlier run of it is still at work."""

from uuid import UUID

from sqlalchemy import text

from domain.runs import Totals
from store.run_wakes import workflow_of
from store.tables import Run
from store.transactions import Work

_TAKE = text("""
WITH other AS (
    SELECT min(r.number) AS number FROM run_items o JOIN runs r ON r.id = o.run_id
    WHERE NOT :beside AND o.target_key = CAST(:dialog AS text) AND o.state IN ('pending','running','waiting')
      AND r.definition_key = :key AND NOT r.is_dry AND r.kind <> 'undo'
), taken AS (
    INSERT INTO run_items (run_id, seq, origin_seq, target_key, dialog_id, contact_id, state, reason, finished_at)
    SELECT :run, 1, 1, CAST(:dialog AS text), CAST(:dialog AS uuid), :contact,
           CASE WHEN number IS NULL THEN 'pending' ELSE 'skipped' END, 'already_running:' || number,
           CASE WHEN number IS NOT NULL THEN clock_timestamp() END
    FROM other RETURNING state
), told AS (
    INSERT INTO reactions (workflow_id, kind) SELECT :workflow, 'run_queued' FROM taken WHERE state = 'pending'
)
SELECT state FROM taken
""")


async def take_only_item(work: Work, run: Run, dialog_id: UUID, contact_id: UUID, *, beside: bool) -> Totals:
    """Insert the item and, if it is to be walked, the reaction that starts its workflow. `beside`: others of this
    definition may be at work on the dialog.
    """
    workflow_id = workflow_of(run)
    given = {
        "run": run.id, "dialog": str(dialog_id), "contact": contact_id, "key": run.definition_key, "beside": beside,
        "workflow": workflow_id,
    }  # fmt: skip
    state = str(await work.session.scalar(_TAKE, given))
    if state == "pending":
        work.rings.add(workflow_id)
    return Totals.of({state: 1})
