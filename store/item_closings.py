"""The end of an item that lived in one transaction: its events, its ledger, its trace and its row in one statement."""

import json
from collections.abc import Sequence

from sqlalchemy import text

from domain.walks.ports import Outcome, StepRecord
from store import effects, traces
from store.effects import Kept
from store.json_values import storable, storable_text
from store.tables import Run, RunItem
from store.transactions import INSERT_EVENTS, Work

_CLOSE = text(f"""
WITH events_told AS ({INSERT_EVENTS}), ledger AS ({effects.KEEP}), trace AS ({traces.WRITE})
UPDATE run_items SET state = :state, reason = :reason, error_type = :error_type, error_step = :error_step,
       error_message = :error_message, needs_attention = :needs_attention, message = :message,
       outputs = CAST(:outputs AS jsonb), is_parked = false, waits_for = NULL,
       started_at = coalesce(started_at, :now), finished_at = :now
WHERE run_id = :run AND seq = :seq
""")


async def close(
    work: Work, run: Run, item: RunItem, outcome: Outcome, kept: Sequence[Kept], records: Sequence[StepRecord]
) -> None:
    """`item` is locked by this transaction, whose clock is read."""
    await work.session.flush()
    outputs = storable(outcome.outputs)
    given = {
        "facts": work.take_facts(), "kept": effects.written(kept), "records": traces.written(records),
        "run": run.id, "seq": item.seq, "now": work.now, "state": outcome.state,
        "reason": storable_text(outcome.reason), "error_type": outcome.error_type,
        "error_step": outcome.error_step, "error_message": storable_text(outcome.error_message),
        "needs_attention": outcome.needs_attention, "message": storable_text(outcome.message),
        "outputs": json.dumps(outputs, allow_nan=False) if outputs else None,
    }  # fmt: skip
    await work.session.execute(_CLOSE, given)
