"""Whether an item may go on, asked within the transaction that goes on; and what its workflow has to tell by the way.

A pause or a cancellation is thus never overtaken by an effect that begins after it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select, text

from domain.errors import NotFoundError
from domain.run_messages import AFTER, BEFORE, Bearings
from domain.runs import ENDED, ITEM_ENDED
from store import effects, traces
from store.effects import Kept
from store.json_values import storable
from store.tables import Effect, Run, RunItem
from store.transactions import INSERT_EVENTS, GroundMovedError, Work

ENDED_ELSEWHERE, PAUSED, CANCELLED = "ended", "paused", "cancelled"
_STOPS = frozenset({"finish_step", "now"})
_STATE = text("""
SELECT r.status, r.phase, r.kind, i.state, i.is_parked, i.dialog_id, i.contact_id,
       coalesce(r.cancel_mode, CASE WHEN i.reason LIKE 'restarted_by:%' THEN 'finish_step' END) AS cancel_mode
FROM runs r LEFT JOIN run_items i ON i.run_id = r.id AND i.seq = :seq WHERE r.id = :run
""")
_LOOK = text("""
WITH taken AS (
    UPDATE reactions SET done_at = clock_timestamp()
    WHERE workflow_id = :me AND done_at IS NULL AND not_before <= clock_timestamp() AND kind <> 'event'
)
SELECT r.status, r.phase, r.kind, i.state, i.is_parked, i.dialog_id, i.contact_id,
       coalesce(r.cancel_mode, CASE WHEN i.reason LIKE 'restarted_by:%' THEN 'finish_step' END) AS cancel_mode,
       EXISTS (SELECT FROM reactions e WHERE e.workflow_id = :me AND e.kind = 'event' AND e.done_at IS NULL) AS is_told,
       EXISTS (SELECT FROM run_items p WHERE p.run_id = :run AND p.state = 'pending') AS has_more
FROM runs r LEFT JOIN run_items i ON i.run_id = r.id AND i.seq = :seq WHERE r.id = :run
""")
_WRITE_DOWN = text(f"""
WITH told AS ({INSERT_EVENTS}), trace AS ({traces.WRITE}), ledger AS ({effects.KEEP_NEW}), acted_on AS (
    UPDATE reactions SET done_at = clock_timestamp() WHERE id = ANY(:done) AND done_at IS NULL
), moved AS (
    UPDATE run_items SET is_parked = :parks, state = CASE WHEN :parks THEN 'waiting' ELSE 'running' END,
           waits_for = CAST(:waits_for AS jsonb)
    WHERE :moves AND run_id = :run AND seq = :seq AND state IN ('running','waiting')
)
SELECT count(*) FROM ledger
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


@dataclass(frozen=True, slots=True)
class Passage:
    """An item before an effect: its run, what stands in its way, whether the ledger knows the effect."""

    run: Run
    halted: str | None
    is_known: bool


async def passage(work: Work, bearings: Bearings, key: str) -> Passage:
    """What `halted` tells, with the run and the ledger's answer, in one statement. Raises NotFoundError."""
    asked = (
        select(Run, RunItem.state, RunItem.reason, Effect.key)
        .outerjoin(RunItem, and_(RunItem.run_id == Run.id, RunItem.seq == bearings.seq))
        .outerjoin(Effect, Effect.key == key)
        .where(Run.id == bearings.run_id)
    )
    row = (await work.session.execute(asked)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such run.")
    run, is_replaced = row.Run, (row.reason or "").startswith("restarted_by:")
    standing = _Standing(run.status, run.phase, row.state, run.cancel_mode or ("finish_step" if is_replaced else None))
    return Passage(run, halted_by(standing, bearings), row.key is not None)


@dataclass(frozen=True, slots=True)
class _Standing:
    status: str
    phase: str
    state: str | None
    cancel_mode: str | None


async def look(work: Work, bearings: Bearings) -> Any:
    """The rows an item stands on, after the reactions that only wake it were taken. `is_told`: events wait for it;
    `has_more`: items of its run have not begun.
    """
    given = {"me": bearings.workflow_id, "run": bearings.run_id, "seq": bearings.seq}
    return (await work.session.execute(_LOOK, given)).one()


async def write_down(
    work: Work, bearings: Bearings, kept: Sequence[Kept] = (), parks: dict[str, Any] | None = None
) -> None:
    """The records of the steps so far, the reactions acted on, the effects done here; an item that was parked is at
    work again, or waits from now on for what `parks` says. One statement.

    Raises GroundMovedError when somebody else has done one of these effects meanwhile.
    """
    moves = (bearings.is_back or parks is not None) and bearings.seq not in _PHASES
    if not (bearings.records or bearings.done or kept or moves):
        return
    await work.session.flush()
    await work.follow()
    given = {
        "facts": work.take_facts(), "records": traces.written(bearings.records), "kept": effects.written(kept),
        "done": list(bearings.done), "run": bearings.run_id, "seq": bearings.seq, "moves": moves,
        "parks": parks is not None, "waits_for": None if parks is None else json.dumps(storable(parks)),
    }  # fmt: skip
    if await work.session.scalar(_WRITE_DOWN, given) != len(kept):
        raise GroundMovedError
