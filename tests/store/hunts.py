"""The deadlock hunt: many connections do whatever comes to mind, for a while; what reaches the callers is written down.

`hunt` is for tests and for benches alike: it needs an empty, migrated database and a number of seconds.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from store.engines import engine_for, sessions_of
from tests.store.crowds import ACTS, Crowd

#: rewriting stored moments is a thing of tests; a hunt does it now and then only, so that work gets done
SELDOM = {"activity": 0.2, "auto": 0.3, "members": 0.4, "wake everybody": 0.3, "windows end": 0.2, "lapse": 0.5}

#: what the sweep gave away, to whom, and what had happened to both just before
_MISSED = """
SELECT d.dialog_id, d.team_key, d.winner_id, ARRAY(
    SELECT e.kind || ' ' || coalesce(e.data ->> 'cause', e.data ->> 'key', '') || ' ' || e.at::time
    FROM events e WHERE e.dialog_id = d.dialog_id OR e.operator_id = d.winner_id OR e.kind = 'settings.changed'
    ORDER BY e.id DESC LIMIT 25)
FROM decisions d WHERE d.cause = 'sweep'
"""
TIME = frozenset({"lapse", "deadline passes", "windows end", "wake everybody"})


@dataclass(slots=True)
class Bag:
    """What a hunt found. `errors`: what reached a caller without being a refusal. `deadlocks`: those the database
    counted, hidden by a retry. `broken`: promises that do not hold afterwards. `missed`: lost wake-ups."""

    seconds: float
    acts: int = 0
    told: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    unavailable: int = 0
    deadlocks: int = 0
    broken: list[str] = field(default_factory=list)
    missed: int = 0
    missing: list[str] = field(default_factory=list)
    longest: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not (self.errors or self.broken or self.missed)

    def __str__(self) -> str:
        found = {name: getattr(self, name) for name in ("errors", "broken", "missing")}
        return (
            f"{self.acts} acts in {self.seconds:.0f} s, longest {self.longest:.2f} s, deadlocks hidden by a retry"
            f" {self.deadlocks}, told unavailable {self.unavailable}, wake-ups lost {self.missed},"
            f" {', '.join(f'{name} {lines[:5]}' for name, lines in found.items())}"
        )


async def hunt(url: str, seconds: float, *, connections: int = 16, seed: int = 1, moves_time: bool = True) -> Bag:
    """Random commands, presence flips, limits and team moves from `connections` at once; then look what is left.

    Without `moves_time` nothing falls due meanwhile: then every queue must be drained with nobody waking anybody,
    beyond the drains that transactions asked for.
    """
    engine = engine_for(url, pool_size=connections + 4)
    crowd = Crowd(sessions_of(engine), clients=24)
    bag = Bag(seconds, told=crowd.told)
    try:
        await crowd.gather()
        before = await _deadlocks(crowd)
        until = time.monotonic() + seconds
        names = [name for name in ACTS if moves_time or name not in TIME]
        await asyncio.gather(
            *[_rove(crowd, bag, names, random.Random(seed * 1000 + i), until) for i in range(connections)]
        )
        bag.unavailable = sum(n for what, n in crowd.told.items() if what.endswith(": unavailable"))
        if moves_time:
            await crowd.wake_everybody()
        while await crowd.stage.carry_out_drains():
            pass
        bag.broken = [b for b in await crowd.stage.broken_promises() if not b.startswith("I2 within")]
        bag.missed = (await crowd.stage.sweep()).missed
        bag.missing = [str(tuple(row)) for row in await crowd.stage.sql(_MISSED)]
        bag.deadlocks = await _deadlocks(crowd) - before
    finally:
        await engine.dispose()
    return bag


async def _rove(crowd: Crowd, bag: Bag, names: Sequence[str], dice: random.Random, until: float) -> None:
    weights = [SELDOM.get(name, 1.0) for name in names]
    while time.monotonic() < until:
        [name] = dice.choices(names, weights)
        began = time.monotonic()
        try:
            await crowd.act(name, dice.choice)
        except Exception as error:
            bag.errors.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
        bag.acts += 1
        bag.longest = max(bag.longest, time.monotonic() - began)


async def _deadlocks(crowd: Crowd) -> int:
    async with crowd.sessions() as session:
        await session.execute(text("SELECT pg_stat_force_next_flush()"))
        counted = await session.scalar(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
    return int(counted or 0)
