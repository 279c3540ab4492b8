"""Rounds of kill -9 under load: `python -m tests.chaos.run --rounds 20`. Exit code 1 when anything was found."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from store.engines import Sessions, engine_for, sessions_of
from tests.chaos.load import OPERATORS, Ledger, Operator, clients_write
from tests.chaos.provider import Provider
from tests.chaos.stack import PARTS, Stack
from tests.chaos.verdict import command_findings, findings, unsettled

WINDOW = 5
SETTLE = 90.0


async def storm(stack: Stack, *, rounds: int, seed: int) -> list[str]:
    """Kill something in every round while people work; answer every sentence that turned out false."""
    chance = random.Random(seed)
    provider, ledger, stop = Provider(), Ledger(), asyncio.Event()
    engine = engine_for(stack.database_url)
    sessions = sessions_of(engine)
    await _prepare(sessions, await provider.start())
    people = [Operator(stack.url, name, ledger, random.Random(chance.random())) for name in OPERATORS]
    for person in people:
        await person.sign_in()
        await person.go_online()
    busy = [asyncio.create_task(p.work(stop, people)) for p in people]
    busy += [
        asyncio.create_task(clients_write(stack.url, ledger, stop, random.Random(chance.random()), people=26))
        for _ in range(3)
    ]
    found: list[str] = []
    for number in range(1, rounds + 1):
        part = chance.choice(list(PARTS))
        await asyncio.sleep(chance.uniform(1, 4))
        await asyncio.to_thread(stack.kill, part)
        took = await asyncio.to_thread(stack.wait_ready, 60)
        await asyncio.sleep(5)
        fresh = await _patiently(sessions, ledger)
        print(
            f"round {number:2}: killed {part:8} ready again after {took:5.1f} s;"
            f" acknowledged {len(ledger.acknowledged)}, offers {ledger.offers},"
            f" commands {len(ledger.answered)} + {len(ledger.pending)} pending",
            *(f"\n    FOUND {sentence}" for sentence in fresh),
            flush=True,
        )
        found += fresh
    stop.set()
    for outcome in await asyncio.gather(*busy, return_exceptions=True):
        if isinstance(outcome, Exception):
            found.append(f"a person's loop broke: {outcome!r}")
    found += await _end(sessions, ledger, people, provider)
    for person in people:
        await person.leave()
    await provider.stop()
    await engine.dispose()
    return found


async def _prepare(sessions: Sessions, provider_url: str) -> None:
    from sqlalchemy import text

    async with sessions.begin() as session:
        await session.execute(text("UPDATE teams SET transfer_window = :w"), {"w": WINDOW})
        await session.execute(text("UPDATE operators SET max_dialogs = 9"))
        await session.execute(
            text("UPDATE channels SET settings = jsonb_build_object('url', CAST(:u AS text), 'ask', true)"),
            {"u": provider_url},
        )


async def _patiently(sessions: Sessions, ledger: Ledger) -> list[str]:
    """A pooled connection of ours may have died with the server: look again once."""
    for _ in range(3):
        try:
            return await findings(sessions, ledger)
        except (SQLAlchemyError, psycopg.Error, OSError):
            await asyncio.sleep(1)
    return ["the database did not answer the examiner"]


async def _end(sessions: Sessions, ledger: Ledger, people: list[Operator], provider: Provider) -> list[str]:
    names = {p.name: p for p in people}
    outcomes: dict[str, int] = {}
    began, left = time.monotonic(), dict[str, int]()
    while time.monotonic() - began < SETTLE:
        for key, (name, _) in ledger.pending.items():
            if outcomes.get(key, 202) == 202:
                answer = await names[name].ask(key)
                outcomes[key] = answer.status_code if answer is not None else 0
        left = await unsettled(sessions)
        if not any(left.values()) and 202 not in outcomes.values() and 0 not in outcomes.values():
            break
        await asyncio.sleep(1)
    found = [f"after {SETTLE:.0f} s there are still {n} {what}" for what, n in left.items() if n]
    found += [f"a command answered 202 has no answer: {k}" for k, s in outcomes.items() if s in (0, 202, 404)]
    found += await findings(sessions, ledger) + await command_findings(sessions, ledger, outcomes)
    if twice := [i for i, n in provider.taken.items() if n > 1]:
        found.append(f"the provider took {len(twice)} messages more than once")
    print(
        f"settled after {time.monotonic() - began:.1f} s; provider took {sum(provider.taken.values())} messages;"
        f" 202 ended as {dict(Counter(outcomes.values()))};"
        f" unanswered {len(ledger.unanswered)}, refused {ledger.refused}"
    )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeat a run's choices")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with Stack() as stack:
        found = asyncio.run(storm(stack, rounds=options.rounds, seed=options.seed))
    for sentence in found:
        print("FOUND", sentence)
    print(f"{options.rounds} rounds, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
