"""Driving something: N tasks that repeat one act for a while, and how long each act took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.figures import middle, percentile


@dataclass(slots=True)
class Taken:
    """Milliseconds of each act, by kind; `seconds` of wall time."""

    seconds: float = 0.0
    by_kind: dict[str, list[float]] = field(default_factory=dict)

    @property
    def all(self) -> list[float]:
        return [value for values in self.by_kind.values() for value in values]

    @property
    def per_second(self) -> float:
        return len(self.all) / self.seconds if self.seconds else 0.0

    def p(self, share: float, kind: str | None = None) -> float:
        return percentile(self.by_kind.get(kind, []) if kind else self.all, share)


Act = Callable[[int, int], Awaitable[str]]
"""(which task, which turn) → the kind of what was done."""


async def drive(act: Act, *, in_flight: int, seconds: float) -> Taken:
    """Every task begins its next act when the last is answered; acts under way at the end are waited for."""
    taken = Taken()
    began = time.perf_counter()

    async def one(task: int) -> None:
        turn = 0
        while time.perf_counter() - began < seconds:
            at = time.perf_counter()
            kind = await act(task, turn)
            taken.by_kind.setdefault(kind, []).append((time.perf_counter() - at) * 1000)
            turn += 1

    await asyncio.gather(*(one(task) for task in range(in_flight)))
    taken.seconds = time.perf_counter() - began
    return taken


def p50(runs: list[Taken], kind: str | None = None) -> float:
    return middle([run.p(0.5, kind) for run in runs])


def p95(runs: list[Taken], kind: str | None = None) -> float:
    return middle([run.p(0.95, kind) for run in runs])


def rate(runs: list[Taken]) -> float:
    return middle([run.per_second for run in runs])
