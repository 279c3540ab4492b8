"""When a clock is due, by its ledger, its target and its calendar; and what fires when such a moment has passed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.calendars.reckoning import add_working, working_between
from domain.clocks.clocks import Clock, Firing, Interval
from domain.errors import NoWorkingTimeError


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The clocks as they now are, those that ended too, in the order given; and what fired, in order of time."""

    clocks: tuple[Clock, ...]
    firings: tuple[Firing, ...] = ()


def due_of(clock: Clock) -> datetime | None:
    """When the target is reached; while it stands still, or once it has ended: as if the last run had gone on.

    None: never, as it has not run yet or its calendar has not so much working time.
    """
    return _reached(clock, timedelta(seconds=clock.target), goes_on=True)


def remaining(clock: Clock, now: datetime) -> timedelta:
    """How much of the target is left, in the calendar's time; negative when it is overdue."""
    runs = (line for line in clock.ledger if line.state == "running")
    counted = (working_between(clock.calendar, r.began_at, r.ended_at or max(now, r.began_at)) for r in runs)
    return timedelta(seconds=clock.target) - sum(counted, timedelta())


def timed(clock: Clock) -> Clock:
    """The clock with `due_at` and `next_at` as its ledger, target and calendar make them."""
    due_at = due_of(clock)
    if clock.state != "running":
        return replace(clock, due_at=due_at, next_at=None)
    upcoming = next((at for at, _ in _unfired(clock)), None)
    return replace(clock, due_at=due_at, next_at=upcoming)


def settle(clocks: Iterable[Clock], at: datetime) -> Reckoned:
    """What was due by now fires, each at its own moment: every threshold passed, in order, then the deadline."""
    kept: list[Clock] = []
    firings: list[Firing] = []
    for clock in clocks:
        if clock.state == "running" and clock.next_at is not None and clock.next_at <= at:
            clock, fired = fire(clock, at)
            firings += fired
        kept.append(clock)
    return Reckoned(tuple(kept), tuple(sorted(firings, key=lambda f: f.at)))


def fire(clock: Clock, at: datetime) -> tuple[Clock, list[Firing]]:
    """Whatever this clock has passed by `at` and not told yet."""
    fired: list[Firing] = []
    for moment, percent in _unfired(clock):
        if moment > at:
            break
        if percent is None:
            clock = replace(clock, breached_at=moment, due_at=moment)
        else:
            clock = replace(clock, warned=tuple(sorted({*clock.warned, percent})))
        fired.append(Firing(clock, moment, percent))
    if not fired:
        return clock, []
    upcoming = next((m for m, _ in _unfired(clock)), None) if clock.state == "running" else None
    clock = replace(clock, next_at=upcoming)
    return clock, [replace(f, clock=replace(f.clock, next_at=upcoming)) for f in fired]


def _unfired(clock: Clock) -> list[tuple[datetime, int | None]]:
    """The moments ahead, or passed and not told, ascending. After the breach there is nothing to warn of."""
    if clock.breached_at is not None:
        return []
    whole = timedelta(seconds=clock.target)
    steps = [(whole * percent / 100, percent) for percent in clock.warn if percent not in clock.warned]
    moments: list[tuple[datetime, int | None]] = []
    for amount, percent in [*steps, (whole, None)]:
        moment = _reached(clock, amount)
        if moment is None:
            break
        moments.append((moment, percent))
    return moments


def _reached(clock: Clock, amount: timedelta, *, goes_on: bool = False) -> datetime | None:
    """The moment by which so much was counted. None: it was not; `goes_on`: as if the last run had no end."""
    left, last = amount, None
    for line in clock.ledger:
        if line.state != "running":
            continue
        if line.ended_at is None:
            return _ahead(clock, line, left)
        worked = working_between(clock.calendar, line.began_at, line.ended_at)
        if worked >= left:
            return _ahead(clock, line, left)
        last, before = line, left
        left -= worked
    return _ahead(clock, last, before) if goes_on and last is not None else None


def _ahead(clock: Clock, line: Interval, amount: timedelta) -> datetime | None:
    try:
        return add_working(clock.calendar, line.began_at, amount)
    except NoWorkingTimeError:
        return None
