"""Deadlines while parts are killed: `python -m tests.chaos.clocks --kills 20`. Exit code 1 on any finding.

Every round opens tickets under a promise of a few seconds, answers some of them, pauses others, and kills something
right about when the rest are due. Each threshold and breach must be told once and dated at its moment, soon after
everything is up again; nothing may be told of a clock that was answered in time; every ledger must be unbroken.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from store.engines import Sessions, engine_for, sessions_of
from tests.chaos.stack import PARTS, TOKEN, Stack

TARGET, TICKETS = 8, 6
"""Seconds of the promise; tickets a round."""
SOON = 5.0
"""Seconds after /readyz by which everything that was due has been told."""

POLICY = f"""{{"kinds": ["ticket"], "calendar": null, "metrics": [
 {{"metric": "tfr", "alias": "First answer", "target": {TARGET}, "warn": [40, 80]}},
 {{"metric": "ttc", "alias": "Time to close", "target": {TARGET + 1}, "warn": [50]}}]}}"""
PREPARE = (
    "INSERT INTO sla_policies (key, name) VALUES ('storm', 'storm')",
    f"INSERT INTO sla_policy_versions (key, version, body) VALUES ('storm', 1, CAST('{POLICY}' AS jsonb))",
    "INSERT INTO topics (key, name, sla_key) VALUES ('storm', 'storm', 'storm')",
    "INSERT INTO team_topics (topic_key, team_key) VALUES ('storm', 'support')",
    "UPDATE operators SET max_dialogs = 100000",
)
#: sentence → a query that finds what must not be, of the storm's clocks
NEVER = {
    "a breach was told twice": "SELECT data ->> 'clock_id' FROM events WHERE kind = 'sla.breached'"
    " GROUP BY 1 HAVING count(*) > 1",
    "a threshold was told twice": "SELECT data ->> 'clock_id' FROM events WHERE kind = 'sla.warned'"
    " GROUP BY 1, data ->> 'percent' HAVING count(*) > 1",
    "a breach is not dated at its deadline": "SELECT c.id FROM clocks c JOIN events e ON e.kind = 'sla.breached'"
    " AND e.data ->> 'clock_id' = c.id::text WHERE e.at <> c.breached_at OR c.breached_at <> c.due_at",
    "a clock that was ended in time was called late": "SELECT c.id FROM clocks c JOIN events e"
    " ON e.kind = 'sla.breached' AND e.data ->> 'clock_id' = c.id::text WHERE c.ended_at < e.at",
    "a clock is late and nobody was told": "SELECT c.id FROM clocks c WHERE coalesce(c.ended_at, clock_timestamp() -"
    " interval '5 seconds') >= c.due_at AND coalesce(c.result, '') <> 'dropped' AND NOT EXISTS"
    " (SELECT 1 FROM clock_intervals i WHERE i.clock_id = c.id AND i.state = 'paused') AND NOT EXISTS"
    " (SELECT 1 FROM events e WHERE e.kind = 'sla.breached' AND e.data ->> 'clock_id' = c.id::text)",
    "a clock that stood still was called late": "SELECT c.id FROM clocks c WHERE c.breached_at IS NOT NULL AND EXISTS"
    " (SELECT 1 FROM clock_intervals i WHERE i.clock_id = c.id AND i.state = 'paused')",
    "thresholds were left out": "SELECT c.id FROM clocks c WHERE c.breached_at IS NOT NULL"
    " AND jsonb_array_length(c.warned) <> jsonb_array_length(c.warn)",
    "a ledger is broken": "SELECT clock_id FROM (SELECT clock_id, number, began_at, lag(ended_at) OVER own AS before,"
    " count(*) FILTER (WHERE ended_at IS NULL) OVER (PARTITION BY clock_id) AS open FROM clock_intervals"
    " WINDOW own AS (PARTITION BY clock_id ORDER BY number)) AS l JOIN clocks c ON c.id = l.clock_id"
    " WHERE (number > 1 AND before IS DISTINCT FROM l.began_at) OR (number = 1 AND l.began_at <> c.started_at)"
    " OR open <> CASE WHEN c.state = 'ended' THEN 0 ELSE 1 END",
    "a clock runs on in a closed ticket": "SELECT c.id FROM clocks c JOIN dialogs d ON d.id = c.dialog_id"
    " WHERE d.status = 'closed' AND c.state <> 'ended'",
}


class Desk:
    def __init__(self, stack: Stack) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{stack.url}/api/v1", timeout=30, headers={"Authorization": f"Bearer {TOKEN}"}
        )

    async def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Under one key until it is answered; a refusal is an answer, too."""
        key, until = uuid4().hex, time.monotonic() + 60
        while time.monotonic() < until:
            try:
                answer = await self._http.request(method, path, json=body, headers={"Idempotency-Key": key})
                if answer.status_code < 500 and answer.status_code != 202:
                    return dict(answer.json())
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{method} {path}")

    async def open(self) -> str:
        body = {
            "from": {"channel": "demo", "id": uuid4().hex, "name": "Клієнт"}, "topic": "storm", "subject": "Storm",
            "description": "Waits for an answer.",
        }  # fmt: skip
        opened = await self.ask("POST", "/tickets", body)
        if "dialog_id" not in opened:
            raise RuntimeError(f"no ticket was opened: {opened}")
        return str(opened["dialog_id"])


async def storm(stack: Stack, *, kills: int, seed: int) -> list[str]:
    """Every sentence about the clocks that turned out false."""
    chance = random.Random(seed)
    engine = engine_for(stack.database_url)
    sessions = sessions_of(engine)
    async with sessions.begin() as session:
        for statement in PREPARE:
            await session.execute(text(statement))
    desk, found = Desk(stack), list[str]()
    for number in range(1, kills + 1):
        began = time.monotonic()
        tickets = [await desk.open() for _ in range(TICKETS)]
        await desk.ask("POST", f"/dialogs/{tickets[0]}/closure")
        await desk.ask("PUT", f"/dialogs/{tickets[1]}/status", {"status": "pending"})
        part = chance.choice(list(PARTS))
        await asyncio.sleep(max(0.0, began + TARGET + chance.uniform(-1.5, 1.5) - time.monotonic()))
        await asyncio.to_thread(stack.kill, part)
        took = await asyncio.to_thread(stack.wait_ready, 60)
        await asyncio.sleep(SOON + max(0.0, began + TARGET + 3 - time.monotonic()))
        fresh = await _findings(sessions, TICKETS * number)
        print(
            f"round {number:2}: killed {part:8} ready again after {took:4.1f} s",
            *(f"\n    FOUND {sentence}" for sentence in fresh),
            flush=True,
        )
        found += fresh
        for ticket in tickets[1:]:
            await desk.ask("POST", f"/dialogs/{ticket}/closure")
    found += await _findings(sessions, TICKETS * kills)
    await engine.dispose()
    return found


async def _findings(sessions: Sessions, tickets: int) -> list[str]:
    """A pooled connection of ours may have died with the server: look again."""
    for _ in range(3):
        try:
            return await _look(sessions, tickets)
        except (SQLAlchemyError, OSError):
            await asyncio.sleep(1)
    return ["the database did not answer the examiner"]


async def _look(sessions: Sessions, tickets: int) -> list[str]:
    found = []
    async with sessions() as session:
        kept = await session.scalar(text("SELECT count(DISTINCT dialog_id) FROM clocks"))
        if kept != tickets:
            found.append(f"{kept} tickets have clocks, of {tickets}")
        for sentence, query in NEVER.items():
            if rows := (await session.execute(text(query))).all():
                found.append(f"{sentence}: {len(rows)}, e.g. {rows[0][0]}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeat a storm's choices")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with Stack() as stack:
        found = asyncio.run(storm(stack, kills=options.kills, seed=options.seed))
    for sentence in found:
        print("FOUND", sentence)
    print(f"{len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
