"""What an item's walk did, step by step: rows a person can read while it goes on and long after."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.walks.ports import StepRecord
from store.json_values import written as as_json
from store.tables import RunStep
from store.transactions import Work

#: the records of the JSON array `:records`
WRITE = """
INSERT INTO run_steps (run_id, seq, n, step_id, path, kind, title, status, started_at, finished_at, attempts,
                       inputs, result, branch, error)
SELECT :run, :seq, r.n, r.step, r.path, r.kind, r.title, r.status, r.started_at, r.finished_at, r.attempts,
       r.inputs, r.result, r.branch, r.error
FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS r (
    n bigint, step text, path text, kind text, title text, status text, started_at timestamptz,
    finished_at timestamptz, attempts bigint, inputs jsonb, result jsonb, branch jsonb, error jsonb)
ON CONFLICT (run_id, seq, n) DO UPDATE SET
    status = excluded.status, finished_at = excluded.finished_at, attempts = excluded.attempts,
    inputs = excluded.inputs, result = excluded.result, branch = excluded.branch, error = excluded.error
WHERE run_steps.finished_at IS NULL OR excluded.finished_at IS NOT NULL
"""
_WRITE = text(WRITE)
_NAMES = tuple(one.name for one in fields(StepRecord))


async def write(work: Work, run_id: UUID, seq: int, records: Iterable[StepRecord]) -> None:
    """Keep records of item `seq` (0: the phase before the items, -1: the one after); the same `n` is written over."""
    if found := tuple(records):
        await work.session.execute(_WRITE, {"run": run_id, "seq": seq, "records": written(found)})


def written(records: Iterable[StepRecord]) -> str:
    """As WRITE takes them."""
    latest = {record.n: {name: getattr(record, name) for name in _NAMES} for record in records}
    return as_json(list(latest.values()))


async def trace_of(session: AsyncSession, run_id: UUID, seq: int) -> list[dict[str, Any]]:
    """The records of one item, oldest first."""
    return (await traces_of(session, run_id, (seq,)))[seq]


async def page_of(
    session: AsyncSession, run_id: UUID, seq: int, *, after: int, limit: int, with_texts: bool
) -> tuple[list[dict[str, Any]], int | None]:
    """Records of one item, oldest first, and the `n` to go on after. Without texts: only what happened."""
    rows = await session.scalars(
        select(RunStep)
        .where(RunStep.run_id == run_id, RunStep.seq == seq, RunStep.n > after)
        .order_by(RunStep.n)
        .limit(limit + 1)
    )
    found = [row_of(step) for step in rows]
    shown = found[:limit]
    if not with_texts:
        shown = [step | {"inputs": None, "result": None, "branch": None} for step in shown]
    return shown, shown[-1]["n"] if len(found) > limit else None


async def traces_of(session: AsyncSession, run_id: UUID, seqs: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The records of several items at once."""
    rows = await session.scalars(
        select(RunStep).where(RunStep.run_id == run_id, RunStep.seq.in_(seqs)).order_by(RunStep.seq, RunStep.n)
    )
    found: dict[int, list[dict[str, Any]]] = {seq: [] for seq in seqs}
    for step in rows:
        found[step.seq].append(row_of(step))
    return found


def row_of(step: RunStep) -> dict[str, Any]:
    took = (step.finished_at - step.started_at).total_seconds() * 1000 if step.finished_at else None
    return {
        "n": step.n, "id": step.step_id, "path": step.path, "kind": step.kind, "title": step.title,
        "status": step.status, "started_at": step.started_at, "finished_at": step.finished_at,
        "ms": None if took is None else round(took, 1), "attempts": step.attempts, "inputs": step.inputs,
        "result": step.result, "branch": step.branch, "error": step.error,
    }  # fmt: skip
