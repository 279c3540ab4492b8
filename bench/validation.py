"""Definitions: from text to every diagnostic, milliseconds. Needs no stack.

Each built-in definition, then one of 200 steps, the most a definition may have. Reading alone is beside, and what
safe PyYAML takes for the same text, which tells no places.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import yaml
from rich.console import Console

from bench.figures import RUNS, Report, Target, middle, show
from bench.running import arguments
from bench.stacks import Stack
from domain.actions.catalogue import catalogue
from domain.definitions import reading
from domain.definitions.checking import check, full_check
from domain.definitions.loading import load
from domain.expressions import compile_condition, compile_value
from macros.catalogue import built_ins as built_in_macros
from processes.catalogue import built_ins as built_in_processes

STEPS = 200
BOUND = 150.0
"""Milliseconds of the largest."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def large_definition(steps: int = STEPS) -> str:
    """Blocks of ten steps: conditions, texts, branches, calls outside, loops."""
    head = (
        "dsl: 1\nkind: process\nname: large\ntitle: Велике визначення\ninputs:\n"
        "  low: { label: Низька, type: integer, default: 2 }\nvars: { total: 0 }\ndo:\n"
    )
    block = """\
  - id: note_{n}
    if: dialog.status in ['open', 'pending'] and inputs.low > {n}
    call: add_note
    with: {{ text: "Крок {n}: {{{{ contact.first_name | default('клієнт') }}}}, {{{{ dialog.subject }}}}" }}
  - id: ask_{n}
    call: http
    with: {{ connection: core-banking, method: GET, path: "/v2/x/{{{{ inputs.low }}}}", pick: {{ state: body.state }} }}
    retry: {{ max_attempts: 3, initial: 1s, on: [timeout, unavailable] }}
  - id: pick_{n}
    switch:
      - when: steps.ask_{n}.result.state == 'active' and not contact.blocked
        do:
          - {{ id: tag_{n}, call: add_tag, with: {{ tag: "t-{{{{ vars.total }}}}" }} }}
          - {{ id: sum_{n}, set: {{ total: "{{{{ vars.total + 1 }}}}" }} }}
      - else: true
        do:
          - {{ id: log_{n}, call: log, with: {{ text: "{{{{ steps.ask_{n}.result.status }}}}" }} }}
  - id: each_{n}
    for: {{ in: "{{{{ dialog.tags }}}}", each: one, at: nth, max: 20 }}
    do:
      - {{ id: inner_{n}, call: remove_tag, with: {{ tag: "{{{{ one }}}}" }} }}
  - id: heard_{n}
    listen: {{ any: [message.received, dialog.closed], timeout: 1h }}
  - {{ id: wait_here_{n}, if: not steps.heard_{n}.timed_out, wait: 15m }}
"""
    return head + "".join(block.format(n=n) for n in range(steps // 10))


async def measure(_stack: Stack | None, quick: bool) -> Report:
    """Takes no stack; has the shape of the other programs."""
    times = 3 if quick else 10
    _compile_anew()
    report = Report(
        "Validating a definition, milliseconds each", ("definition", "KB", "check", "with tests", "read", "PyYAML")
    )
    large = 0.0
    for name, text in [*built_in_processes(), *built_in_macros(), (f"{STEPS} steps", large_definition())]:
        is_large = name.endswith("steps")
        assert not [d.message for d in check(load(text), catalogue()) if d.is_error]
        took = _each(lambda text=text: check(load(text), catalogue()), times)
        tested = "" if is_large else _each(lambda text=text: full_check(load(text), catalogue()), times)
        read = _each(lambda text=text: load(text), times)
        beside = _each(lambda text=text: yaml.load(text, Loader=_LOADER), times)
        report.row(name, len(text.encode()) / 1024, took, tested, read, beside)
        large = took if is_large else large
    report.targets.append(Target(f"a definition of {STEPS} steps", large, BOUND, "ms"))
    report.notes.append("Every expression is compiled anew each time, as at the first pause in typing.")
    return report


def _compile_anew() -> None:
    """The checks see each expression as if for the first time."""
    reading.compile_condition = compile_condition.__wrapped__  # type: ignore[attr-defined]
    reading.compile_value = compile_value.__wrapped__  # type: ignore[attr-defined]


def _each(work: Callable[[], Any], times: int) -> float:
    """Milliseconds a call, the median of the runs."""
    found = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - start) / times * 1e3)
    return middle(found)


def main() -> None:
    show(asyncio.run(measure(None, arguments(__doc__).quick)), Console(width=120))


if __name__ == "__main__":
    main()
