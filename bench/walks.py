"""Walks: what the interpreter itself costs, milliseconds an item. Needs no stack.

A host that does nothing carries a body of ten steps (conditions, parameters, a switch, variables, snapshots). Beside
it: the same with its definition made ready anew, a loop, and each built-in definition with its own tests in memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from bench.figures import RUNS, Report, Target, middle, show
from bench.running import arguments
from bench.stacks import Stack
from domain.definitions.canonical import canonical_of, sha256_of
from domain.definitions.loading import load
from domain.walks.ports import Brief, Deed, Done, Outcome, StepRecord
from domain.walks.rehearsals import rehearse
from domain.walks.samples import sample_run, sample_snapshot
from domain.walks.walk import walk_item
from macros.catalogue import built_ins as built_in_macros
from processes.catalogue import built_ins as built_in_processes

BOUND = 1.0
"""Milliseconds of an item of ten steps."""
TIMES = 2_000
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SNAPSHOT = sample_snapshot("dialog")
TEN_STEPS: list[dict[str, Any]] = [
    {"call": "reopen", "with": {"reason": "Процес №{{ run.number }}"}},
    {"call": "set_topic", "if": "inputs.topic is not empty", "with": {"topic": "{{ inputs.topic }}"}},
    {"id": "route", "call": "distribute", "with": {"to": "online", "strategy": "least_loaded", "otherwise": "queue"}},
    {"call": "add_note", "with": {"text": "Новий: {{ steps.route.result.operator.name | default('черга') }}"}},
    {
        "switch": [
            {"when": "dialog.status == 'closed'", "do": [{"set": {"n": 1}}]},
            {"else": True, "do": [{"set": {"n": "{{ vars.n + 2 }}"}}]},
        ]
    },
    {"call": "add_tag", "if": "vars.n > 1 and 'vip' not in dialog.tags", "with": {"tag": "розсилка-{{ run.number }}"}},
    {"set": {"n": "{{ vars.n * 2 }}", "who": "{{ contact.first_name | upper }}"}},
    {"call": "set_field", "with": {"field": "sum", "value": "{{ vars.n }}"}},
    {"call": "close", "with": {"silent": True}},
]


class Nothing:
    """A host that answers at once."""

    def now(self) -> datetime:
        return NOON

    async def gate(self) -> None:
        return

    async def act(self, deed: Deed) -> Done:
        return Done({"changed": True, "operator": {"id": "1", "name": "Ірина"}}, snapshot=SNAPSHOT)

    def record(self, record: StepRecord) -> None:
        return

    def for_cleanup(self, seconds: float) -> Nothing:
        return self

    async def together(
        self, parts: Sequence[Callable[[], Awaitable[Any]]], *, at_once: int, compete: bool = False
    ) -> list[Any]:
        return [await part() for part in parts]


def brief_of(do: list[dict[str, Any]], *, is_known: bool) -> Brief:
    canonical = canonical_of(
        {
            "dsl": 1, "kind": "process", "name": "bench", "title": "Bench", "do": do, "vars": {"n": 0, "who": ""},
            "inputs": {"topic": {"label": "Topic", "type": "topic"}},
            "guard": "dialog.status in ['open', 'pending'] and not contact.blocked",
            "outputs": {"place": {"label": "Place", "value": "{{ dialog.operator_name | default('черга') }}"}},
        }
    )  # fmt: skip
    return Brief(
        canonical, {"topic": None}, "run-1:1", run=sample_run("bench"), snapshot=SNAPSHOT,
        sha256=sha256_of(canonical) if is_known else None,
    )  # fmt: skip


def walked(brief: Brief) -> Outcome:
    """No loop of events: nothing in this host waits."""
    try:
        walk_item(brief, Nothing()).send(None)  # type: ignore[arg-type]
    except StopIteration as done:
        outcome: Outcome = done.value
        return outcome
    raise AssertionError("it waits")


def _each(brief: Brief, times: int) -> float:
    """Milliseconds an item, the median of the runs."""
    assert walked(brief).state == "succeeded"
    found = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(times):
            walked(brief)
        found.append((time.perf_counter() - start) / times * 1e3)
    return middle(found)


async def measure(_stack: Stack | None, quick: bool) -> Report:
    """Takes no stack; has the shape of the other programs."""
    times = TIMES // 10 if quick else TIMES
    report = Report("Walks, milliseconds each", ("what", "ms"))
    ten = _each(brief_of(TEN_STEPS, is_known=True), times)
    report.row("an item of ten steps", f"{ten:.3f}")
    anew = _each(brief_of(TEN_STEPS, is_known=False), times // 4)
    report.row("the same, its definition made ready anew", f"{anew:.3f}")
    loop = {"for": {"in": "{{ [" + ",".join("1" for _ in range(200)) + "] }}", "max": 200}, "do": TEN_STEPS[3:4]}
    report.row("a loop of 200 notes", f"{_each(brief_of([TEN_STEPS[2], loop], is_known=True), times // 20):.3f}")
    for name, text in [*built_in_processes(), *built_in_macros()]:
        canonical = load(text).canonical
        assert canonical is not None
        start = time.perf_counter()
        results = rehearse(canonical)
        took = (time.perf_counter() - start) * 1e3
        assert all(result.passed for result in results), name
        report.row(f"{name}: its {len(results)} own tests", f"{took:.1f}")
    report.targets.append(Target("the walk itself, an item of ten steps", ten, BOUND, "ms"))
    report.notes.append("In a run each action adds its transaction or call; the walk adds what is shown here.")
    return report


def main() -> None:
    show(asyncio.run(measure(None, arguments(__doc__).quick)), Console(width=120))


if __name__ == "__main__":
    main()
