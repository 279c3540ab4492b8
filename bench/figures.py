"""Medians, percentiles, targets, and the tables they are printed in."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

RUNS = 3
"""Every figure is the median of this many runs."""


def percentile(values: Iterable[float], share: float) -> float:
    """Nearest rank; nan for no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def middle(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised. `is_most`: the figure may be at most `bound`, else at least."""

    name: str
    figure: float
    bound: float
    unit: str = ""
    is_most: bool = True

    @property
    def is_met(self) -> bool:
        return self.figure <= self.bound if self.is_most else self.figure >= self.bound


@dataclass(slots=True)
class Report:
    """One program's outcome: a table to read, and the targets it decides."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def row(self, *cells: object) -> None:
        self.rows.append(tuple(f"{c:,.1f}" if isinstance(c, float) else str(c) for c in cells))


def show(report: Report, console: Console) -> None:
    table = Table(title=report.title, title_justify="left")
    for index, column in enumerate(report.columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in report.rows:
        table.add_row(*row)
    console.print(table)
    for note in report.notes:
        console.print(note, style="dim", highlight=False)
    if report.targets:
        show_targets(report.targets, console)


def show_targets(targets: Iterable[Target], console: Console) -> None:
    table = Table("target", "bound", "seen", "verdict", show_edge=False)
    for target in targets:
        sign = "≤" if target.is_most else "≥"
        verdict = "[green]PASS[/]" if target.is_met else "[red]short[/]"
        table.add_row(
            target.name, f"{sign} {target.bound:,g} {target.unit}", f"{target.figure:,.2f} {target.unit}", verdict
        )
    console.print(table)
    console.print()
