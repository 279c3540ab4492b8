"""Whether an item may go on, asked within the transaction that goes on; and what its workflow has to tell by the way.

A pause or a cancellation is thus never overtaken by an effect that begins after it.
"""

from typing import Any

from sqlalchemy import text

from domain.run_messages import AFTER, BEFORE, Bearings
from domain.runs import ENDED, ITEM_ENDED
from store import run_items, traces
from store.reactions import finish
from store.transactions import Work

ENDED_ELSEWHERE, PAUSED, CANCELLED = "ended", "paused", "cancelled"
_STOPS = frozenset({"finish_step", "now"})
_STATE = text("""
SELECT r.status, r.phase, i.state, i.dialog_id, i.contact_id,
       coalesce(r.cancel_mode, CASE WHEN i.reason LIKE 'restarted_by:%' THEN 'finish_step' END) AS cancel_mode
FROM runs r LEFT JOIN run_items i ON i.run_id = r.id AND i.seq = :seq WHERE r.id = :run
""")
_PHASES = {BEFORE: "before", AFTER: "after"}


async def standing_of(work: Work, bearings: Bearings) -> Any:
    """The rows an item stands on: status, phase, state, cancel_mode, dialog_id, contact_id."""
    return (await work.session.execute(_STATE, {"run": bearings.run_id, "seq": bearings.seq})).one()


async def halted(work: Work, bearings: Bearings) -> str | None:
    """None: go on. Otherwise the item has ended, its run is paused, or it is cancelled."""
    return halted_by(await standing_of(work, bearings), bearings)


def halted_by(row: Any, bearings: Bearings) -> str | None:
    if has_ended(row, bearings):
        return ENDED_ELSEWHERE
    stops = row.cancel_mode in _STOPS or (bearings.seq in _PHASES and row.cancel_mode is not None)
    if stops:
        return None if bearings.is_cleanup else CANCELLED
    return PAUSED if row.status == "paused" else None


def has_ended(row: Any, bearings: Bearings) -> bool:
    if row.status in ENDED:
        return True
    if bearings.seq in _PHASES:
        return bool(row.phase != _PHASES[bearings.seq])
    return row.state is None or row.state in ITEM_ENDED


async def write_down(work: Work, bearings: Bearings) -> None:
    """The records of the steps so far, the reactions acted on; an item that was parked is at work again."""
    await traces.write(work, bearings.run_id, bearings.seq, bearings.records)
    if bearings.done:
        await finish(work.session, bearings.done)
    if bearings.is_back and bearings.seq not in _PHASES:
        await run_items.park(work, bearings.run_id, bearings.seq, None)
