"""How every program is started: its own stack, its table, its exit code."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from rich.console import Console

from bench.figures import Report, show
from bench.stacks import Stack, running_stack

Measure = Callable[[Stack, bool], Awaitable[Report]]
"""(stack, quick) → report."""


def run(measure: Measure, about: str | None) -> None:
    """Exit code 0 whatever the figures are: they are for a person to read."""
    quick = arguments(about).quick
    with running_stack() as stack:
        report = within_loop(measure, stack, quick)
    show(report, Console(width=120))
    leave()


def arguments(about: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter and smaller: to see that it runs, not to quote")
    return parser.parse_args()


def within_loop(measure: Measure, stack: Stack, quick: bool) -> Report:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(measure, stack, quick))


async def _measure(measure: Measure, stack: Stack, quick: bool) -> Report:
    return await measure(stack, quick)


def leave() -> None:
    """With the Temporal SDK loaded the interpreter may abort at exit (temporalio/sdk-python#300)."""
    sys.stdout.flush()
    os._exit(0)
