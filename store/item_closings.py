"""The end of an item that lived in one transaction: its events, its ledger, its trace and its row in one statement."""

import json
from collections.abc import Sequence
from typing import Any

from domain.runs import Totals
from domain.walks.ports import Outcome, StepRecord
from store import effects, traces
from store.effects import Kept
from store.engines import Sessions
from store.item_ends import takes_turns
from store.json_values import storable, storable_text
from store.run_wakes import workflow_of
from store.runs import tell_finished, verdict_of
from store.statements import Statement
from store.tables import Run, RunItem
from store.transactions import INSERT_EVENTS, Work, transact

_WRITTEN = f"WITH events_told AS ({INSERT_EVENTS}), ledger AS ({effects.KEEP}), trace AS ({traces.WRITE})"
_ITEM = """
UPDATE run_items SET state = :state, reason = :reason, error_type = :error_type, error_step = :error_step,
       error_message = :error_message, needs_attention = :needs_attention, message = :message,
       outputs = CAST(:outputs AS jsonb), is_parked = false, waits_for = NULL,
       started_at = coalesce(started_at, :now), finished_at = statement_timestamp()
WHERE run_id = :run AND seq = :seq
"""
# Its commit waits for no disk: `make_lasting` waits once for a whole batch. What a crash of PostgreSQL takes away until
# then it takes whole, with the item's end: the item is pending again, and walked again. Nothing can have come of it in
# between: it does nothing outside the database, and whatever acts on its rows (a number for its events, a reaction
# done, a command) commits behind it in the same log, which is written in order.
_CLOSE = Statement(f"{_WRITTEN} {_ITEM} RETURNING set_config('synchronous_commit', 'off', true)")
_LASTING = Statement("SELECT pg_logical_emit_message(true, 'items', '')")
_CLOSE_MACRO = Statement(f"""
{_WRITTEN}, item AS ({_ITEM}), rung AS (
    UPDATE reactions SET done_at = clock_timestamp()
    WHERE workflow_id = :workflow AND done_at IS NULL AND not_before <= clock_timestamp()
)
UPDATE runs SET status = :status, phase = 'done', message = :message, finished_at = statement_timestamp()
WHERE id = :run
""")


async def close(
    work: Work, run: Run, seq: int, outcome: Outcome, kept: Sequence[Kept], records: Sequence[StepRecord]
) -> None:
    """The item is locked by this transaction, whose clock is read."""
    await work.session.flush()
    await work.follow()
    await work.ask(_CLOSE, **_given(work, run, seq, outcome, kept, records))


async def make_lasting(sessions: Sessions) -> None:
    """What `close` has ended is on disk when this returns; nobody is told before."""
    await transact(sessions, lambda work: work.ask(_LASTING))


async def close_macro(
    work: Work, run: Run, item: RunItem, outcome: Outcome, kept: Sequence[Kept], records: Sequence[StepRecord]
) -> None:
    """The item and its run with it; both are locked by this transaction. For one that nobody else waits for: no parent,
    no schedule, no other launch behind it.
    """
    await work.session.flush()
    totals = Totals.of({outcome.state: 1})
    status = verdict_of(run, totals)
    tell_finished(work, run, status, totals)
    await work.follow()
    given = _given(work, run, item.seq, outcome, kept, records)
    await work.ask(_CLOSE_MACRO, **given, status=status, workflow=workflow_of(run))


def is_alone(run: Run) -> bool:
    """Whether `close_macro` is all there is to do at its end."""
    is_waited_for = run.parent_run is not None or run.trigger_kind == "schedule" or takes_turns(run)
    return run.kind == "macro" and not run.is_dry and not is_waited_for


def _given(
    work: Work, run: Run, seq: int, outcome: Outcome, kept: Sequence[Kept], records: Sequence[StepRecord]
) -> dict[str, Any]:
    outputs = storable(outcome.outputs)
    return {
        "facts": work.take_facts(), "kept": effects.written(kept), "records": traces.written(records),
        "run": run.id, "seq": seq, "now": work.now, "state": outcome.state,
        "reason": storable_text(outcome.reason), "error_type": outcome.error_type,
        "error_step": outcome.error_step, "error_message": storable_text(outcome.error_message),
        "needs_attention": outcome.needs_attention, "message": storable_text(outcome.message),
        "outputs": json.dumps(outputs, allow_nan=False) if outputs else None,
    }  # fmt: skip
