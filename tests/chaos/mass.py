"""Mass runs while parts are killed: `python -m tests.chaos.mass --items 2000 --kills 10`. Exit code 1 on any finding.

Two runs one after another: a message to every client (an item is a workflow), and a redistribution (items in batches).
The kills are spread over the stages of a run: just launched, waiting for approval, and every tenth of the way.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import httpx
from sqlalchemy import text

from store.engines import Sessions, engine_for, sessions_of
from tests.chaos.load import Ledger, Operator
from tests.chaos.provider import Provider
from tests.chaos.run import _patiently
from tests.chaos.stack import TOKEN, Stack

PARTS = ("worker", "server", "mass", "worker", "mass", "temporal", "mass", "postgres")
STORIES = ("message", "redistribute")
LONGEST = 900.0

CROWD = text("""
WITH people AS (
    INSERT INTO contacts (id, name) SELECT gen_random_uuid(), 'Клієнт ' || n FROM generate_series(1, :n) AS n
    RETURNING id
), faces AS (
    INSERT INTO identities (id, contact_id, channel_key, address)
    SELECT gen_random_uuid(), id, 'demo', id::text FROM people RETURNING id, contact_id
)
INSERT INTO dialogs (id, channel_key, identity_id, contact_id, team_key, status, place, operator_id, last_operator_id,
                     opened_at, waiting_since, assigned_at, first_assigned_at, last_client_message_at, last_message_at)
SELECT gen_random_uuid(), 'demo', faces.id, contact_id, 'support', :status, :place, :operator, :operator, now(), now(),
       CASE WHEN :place = 'owned' THEN now() END, CASE WHEN :place = 'owned' THEN now() END, now(), now()
FROM faces
""")
SLOTS = text("""
INSERT INTO reservations (dialog_id, operator_id, kind, channel_key)
SELECT id, operator_id, 'held', channel_key FROM dialogs WHERE place = 'owned' AND operator_id = :operator
""")

#: sentence → a query that finds what must not be, of one run
NEVER = {
    "an item has not ended": "SELECT seq FROM run_items WHERE run_id = :run AND finished_at IS NULL",
    "an item failed": "SELECT error_type || ' ' || coalesce(error_message, '') FROM run_items"
    " WHERE run_id = :run AND state = 'failed'",
    "a client has more than one message of the run": "SELECT dialog_id FROM messages WHERE run_id = :run"
    " GROUP BY dialog_id HAVING count(*) > 1",
    "a message of the run is not settled": "SELECT id FROM messages WHERE run_id = :run"
    " AND delivery IN ('queued', 'sending')",
    "a dialog was assigned twice by the run": "SELECT dialog_id FROM events WHERE run_id = :run"
    " AND kind = 'dialog.assigned' GROUP BY dialog_id HAVING count(*) > 1",
    "the run's end is not told exactly once": "SELECT count(*) FROM events WHERE run_id = :run"
    " AND kind = 'run.finished' HAVING count(*) <> 1",
    "an effect was left open": "SELECT key FROM effects WHERE run_id = :run AND status = 'started'",
    "somebody still listens": "SELECT workflow_id FROM subscriptions WHERE run_id = :run",
}


class Desk:
    """An administrator who launches and a supervisor who approves, both patient."""

    def __init__(self, stack: Stack, supervisor: Operator) -> None:
        self._stack, self._supervisor = stack, supervisor
        self._http = httpx.AsyncClient(
            base_url=f"{stack.url}/api/v1", timeout=60, headers={"Authorization": f"Bearer {TOKEN}"}
        )

    async def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> dict[str, Any]:
        """Until it is answered; a refusal is an error."""
        headers = {"Idempotency-Key": key} if key else {}
        until = time.monotonic() + 90
        while True:
            try:
                answer = await self._http.request(method, path, json=body, headers=headers)
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return dict(answer.json())
            except httpx.TransportError:
                pass
            if time.monotonic() > until:
                raise TimeoutError(f"{method} {path}")
            await asyncio.sleep(0.3)

    async def approve(self) -> None:
        """The supervisor's list holds what the supervisor may decide; the launcher's does not."""
        answer = await self._supervisor.get("/approvals")
        for approval in answer.json()["items"] if answer else []:
            path = f"/approvals/{approval['id']}/decision"
            await self._supervisor.command("POST", path, {"approved": True})

    async def watch(self, run_id: str, on_progress: Callable[[float, str], Awaitable[None]]) -> dict[str, Any]:
        """Until the run has ended. Raises TimeoutError."""
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            run = await self.ask("GET", f"/runs/{run_id}")
            if run["status"] == "awaiting_approval":
                await on_progress(0.0, run["status"])
                await self.approve()
            totals = run["totals"]
            ended = sum(totals[s] for s in ("succeeded", "skipped", "failed", "cancelled"))
            if run.get("finished_at"):
                return run
            await on_progress(ended / max(1, run["total"]), run["status"])
            await asyncio.sleep(0.2)
        raise TimeoutError(f"the run is still {run['status']} with {totals}")


async def storm(stack: Stack, *, items: int, kills: int, seed: int, stories: Collection[str]) -> list[str]:
    """Every sentence about the runs that turned out false."""
    chance = random.Random(seed)
    provider, ledger = Provider(), Ledger()
    engine = engine_for(stack.database_url)
    sessions = sessions_of(engine)
    await _prepare(sessions, await provider.start())
    people = {n: Operator(stack.url, n, ledger, chance) for n in ("olha", "taras", "iryna", "supervisor")}
    for person in people.values():
        await person.sign_in()
    desk = Desk(stack, people["supervisor"])
    found: list[str] = []
    if "message" in stories:
        found += await _message_everybody(stack, desk, sessions, chance, items, kills, provider)
    for name in ("olha", "taras", "iryna"):
        await people[name].go_online()
    if "redistribute" in stories:
        found += await _redistribute(stack, desk, sessions, chance, items, kills, people["olha"].id)
    found += await _patiently(sessions, ledger)
    await provider.stop()
    await engine.dispose()
    return found


async def _prepare(sessions: Sessions, provider_url: str) -> None:
    async with sessions.begin() as session:
        await session.execute(text("UPDATE teams SET auto = false"))
        await session.execute(text("UPDATE operators SET max_dialogs = 100000"))
        await session.execute(
            text("UPDATE channels SET settings = jsonb_build_object('url', CAST(:u AS text), 'ask', true)"),
            {"u": provider_url},
        )


async def _crowd(sessions: Sessions, n: int, status: str, place: str, operator: str | None) -> None:
    async with sessions.begin() as session:
        await session.execute(CROWD, {"n": n, "status": status, "place": place, "operator": operator})
        if operator is not None:
            await session.execute(SLOTS, {"operator": operator})


async def _message_everybody(
    stack: Stack, desk: Desk, sessions: Sessions, chance: random.Random, items: int, kills: int, provider: Provider
) -> list[str]:
    await _crowd(sessions, items, "new", "unassigned", None)
    order = {
        "selection": {"where": {"field": "dialog.place", "op": "eq", "value": "unassigned"}},
        "inputs": {"text": "Добрий день, {contact.first_name}!"},
        "confirm": items,
    }
    run = await _run(stack, desk, chance, "mass-message", order, kills)
    found = await _findings(sessions, run, items)
    taken = sum(provider.taken.values())
    if twice := [i for i, n in provider.taken.items() if n > 1]:
        found.append(f"the provider took {len(twice)} messages more than once")
    if taken != items:
        found.append(f"the provider took {taken} messages of {items}")
    return found


async def _redistribute(
    stack: Stack, desk: Desk, sessions: Sessions, chance: random.Random, items: int, kills: int, operator: str
) -> list[str]:
    async with sessions.begin() as session:
        await session.execute(text("UPDATE dialogs SET status = 'closed', place = NULL WHERE place = 'unassigned'"))
        await session.execute(text("UPDATE teams SET auto = true"))
    await _crowd(sessions, items, "open", "owned", operator)
    order = {"selection": {"operator": operator}, "inputs": {"tell_contact": False}, "confirm": items}
    run = await _run(stack, desk, chance, "redistribute-operator", order, kills)
    found = await _findings(sessions, run, items)
    async with sessions() as session:
        left = await session.scalar(text("SELECT count(*) FROM dialogs WHERE operator_id = :o"), {"o": operator})
        lost = await session.scalar(text("SELECT count(*) FROM dialogs WHERE status = 'open' AND place <> 'owned'"))
    if left:
        found.append(f"{left} dialogs are still with who was to give them away")
    if lost:
        found.append(f"{lost} dialogs are with nobody though there is room")
    return found


async def _run(
    stack: Stack, desk: Desk, chance: random.Random, definition: str, order: dict[str, Any], kills: int
) -> dict[str, Any]:
    began = time.monotonic()
    stages = [i / kills for i in range(kills)]
    killed: list[str] = []

    async def on_progress(share: float, status: str) -> None:
        if stages and share >= stages[0]:
            stages.pop(0)
            part = chance.choice(PARTS)
            await _kill(stack, part)
            killed.append(part)
            print(f"  {definition}: {share:4.0%} {status}: killed {part}", flush=True)
            await asyncio.to_thread(stack.wait_ready, 60)

    launched = await desk.ask("POST", f"/processes/{definition}/runs", order, key=f"{definition}-{chance.random()}")
    run = await desk.watch(launched["run_id"], on_progress)
    took = time.monotonic() - began
    print(f"{definition}: {run['status']} {run['totals']} in {took:.0f} s with {len(killed)} kills", flush=True)
    return run


async def _kill(stack: Stack, part: str) -> None:
    """Whoever was just killed is being started again: wait for it, then kill it."""
    for _ in range(100):
        try:
            await asyncio.to_thread(stack.kill, part)
            return
        except LookupError:
            await asyncio.sleep(0.3)
    raise LookupError(f"no {part} came back")


async def _findings(sessions: Sessions, run: dict[str, Any], items: int) -> list[str]:
    found = []
    if run["total"] != items or sum(run["totals"].get(s, 0) for s in run["totals"] if s != "total") != items:
        found.append(f"totals do not equal the items: {run['total']}, {run['totals']}, wanted {items}")
    if run["status"] != "succeeded":
        found.append(f"the run ended as {run['status']}: {run.get('reason')}")
    async with sessions() as session:
        for sentence, query in NEVER.items():
            if rows := (await session.execute(text(query), {"run": run["id"]})).all():
                found.append(f"{sentence}: {len(rows)}, e.g. {rows[0][0]}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10, help="of each run")
    parser.add_argument("--story", choices=STORIES, action="append", help="only this one")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeat a storm's choices")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with Stack() as stack:
        found = asyncio.run(
            storm(stack, items=options.items, kills=options.kills, seed=options.seed, stories=options.story or STORIES)
        )
    for sentence in found:
        print("FOUND", sentence)
    print(f"{len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
