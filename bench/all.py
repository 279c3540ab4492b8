"""Every program in order on one stack of its own: PostgreSQL with fsync, Temporal, one server, one worker.

The tables come as they are measured; at the end all targets once more. Takes about fifteen minutes (--quick: three).
"""

from __future__ import annotations

import traceback

from rich.console import Console

from bench import (
    calendars,
    clocks,
    commands,
    drain,
    expressions,
    histories,
    inbound,
    lists,
    lives,
    macros,
    mass_runs,
    room,
    tickets,
    validation,
    waits,
    walks,
)
from bench.figures import Target, show, show_targets
from bench.running import arguments, leave, within_loop
from bench.stacks import running_stack

#: lists come last: their million dialogs stay
PROGRAMS = (
    expressions, validation, walks, calendars, commands, inbound, room, drain, histories, lives, macros, mass_runs,
    waits, tickets, clocks, lists,
)  # fmt: skip


def main() -> None:
    quick = arguments(__doc__).quick
    console = Console(width=120)
    targets: list[Target] = []
    with running_stack() as stack:
        for program in PROGRAMS:
            try:
                report = within_loop(program.measure, stack, quick)
            except Exception:
                console.print(f"{program.__name__} broke off:\n{traceback.format_exc()}", markup=False, highlight=False)
                continue
            show(report, console)
            targets += report.targets
    console.print("All targets", style="bold")
    show_targets(targets, console)
    leave()


if __name__ == "__main__":
    main()
