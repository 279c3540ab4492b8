"""Keeping why a dialog went to whom, or to nobody."""

import json
import time
from collections.abc import Sequence
from uuid import UUID

from domain.distribution import Decision
from store.statements import Statement
from store.transactions import Work

#: the decisions of the JSON array `:decisions`, in its order
INSERT_DECISIONS = """
INSERT INTO decisions (dialog_id, team_key, method, outcome, winner_id, reason, cause, actor_id, candidates, excluded,
                       took, at)
SELECT dialog_id, team_key, method, outcome, winner_id, reason, cause, actor_id, candidates, excluded, took, at
FROM ROWS FROM (jsonb_to_recordset(CAST(:decisions AS jsonb)) AS (
    dialog_id uuid, team_key text, method text, outcome text, winner_id uuid, reason text, cause text, actor_id uuid,
    candidates jsonb, excluded jsonb, took float8, at timestamptz)) WITH ORDINALITY AS made ORDER BY ordinality
"""
_STORE = Statement(INSERT_DECISIONS)


async def store_decisions(
    work: Work, decisions: Sequence[Decision], cause: str, began: float, *, actor: UUID | None = None
) -> None:
    """`began`: of time.perf_counter(), when the first could be decided."""
    if decisions:
        await work.ask(_STORE, decisions=written(work, decisions, cause, began, actor=actor))


def written(
    work: Work, decisions: Sequence[Decision], cause: str, began: float, *, actor: UUID | None = None
) -> str:  # fmt: skip
    """As INSERT_DECISIONS takes them."""
    took = round((time.perf_counter() - began) * 1000 / max(1, len(decisions)), 3)
    rows = [
        {
            "dialog_id": str(d.dialog_id), "team_key": d.team, "method": d.method,
            "outcome": "assigned" if d.winner else "waiting", "winner_id": str(d.winner) if d.winner else None,
            "reason": d.reason, "cause": cause, "actor_id": str(actor) if actor else None,
            "candidates": list(d.candidates), "excluded": dict(d.excluded), "took": took, "at": work.now.isoformat(),
        }
        for d in decisions
    ]  # fmt: skip
    return json.dumps(rows)
