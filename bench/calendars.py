"""Working time a year ahead, microseconds each. Needs no stack.

By calendars of several kinds: the first time, which lays out the years, and every time after. Beside: the same walked
day by day over the zone's wall clock, which keeps nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from bench.figures import RUNS, Report, Target, middle, show
from bench.running import arguments
from bench.stacks import Stack
from domain.calendars import reckoning, zones
from domain.calendars.calendars import ALWAYS, Calendar
from domain.calendars.reading import DAYS, calendar_of
from domain.calendars.reckoning import add_working, counted, working_between
from store.demo_calendars import OFFICE

START = datetime(2026, 3, 2, 7, 31, 12, 345678, tzinfo=UTC)
YEAR = timedelta(days=365)
BOUND = 1000.0
"""Microseconds; of office hours also the first time."""
OFFICE_HOURS = "office hours, public holidays"
SHIFTS = {"zone": "America/New_York", "weekly": {day: ["00:00-04:00", "06:00-11:30", "12:00-20:00"] for day in DAYS}}
NIGHTS = {"zone": "Europe/Kyiv", "weekly": {day: ["22:00-06:00"] for day in DAYS}}
CALENDARS = {
    OFFICE_HOURS: calendar_of(OFFICE),
    "three shifts every day": calendar_of(SHIFTS),
    "nights": calendar_of(NIGHTS),
    "every second": ALWAYS,
}


async def measure(_stack: Stack | None, quick: bool) -> Report:
    """Takes no stack; has the shape of the other programs."""
    times = 200 if quick else 2_000
    report = Report(
        "Working time a year ahead, microseconds each",
        ("calendar", "first time", "after", "between", "what counted", "day by day", "day by day ÷ after"),
    )
    slowest = 0.0
    for name, calendar in CALENDARS.items():
        amount = working_between(calendar, START, START + YEAR)
        due = add_working(calendar, START, amount)
        assert due == _day_by_day(calendar, START, amount)
        cold = middle([_first_time(calendar, amount) for _ in range(RUNS * 3)])
        warm = _each(lambda calendar=calendar, amount=amount: add_working(calendar, START, amount), times)
        between = _each(lambda calendar=calendar, due=due: working_between(calendar, START, due), times)
        shown = _each(lambda calendar=calendar, due=due: counted(calendar, START, due), times // 50)
        plain = _each(lambda calendar=calendar, amount=amount: _day_by_day(calendar, START, amount), times // 50)
        report.row(name, cold, warm, between, shown, plain, plain / warm)
        slowest = max(slowest, warm)
        if name == OFFICE_HOURS:
            report.targets.append(Target("a year ahead by office hours, the first time", cold, BOUND, "µs"))
    report.targets.append(Target("a year ahead after that, the slowest of four", slowest, BOUND, "µs"))
    report.notes.append("The first time reads the zone's offsets and lays out two years; both are kept.")
    return report


def _first_time(calendar: Calendar, amount: timedelta) -> float:
    reckoning._year.cache_clear()
    zones.offsets.cache_clear()
    began = time.perf_counter()
    add_working(calendar, START, amount)
    return (time.perf_counter() - began) * 1e6


def _day_by_day(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """What anybody would write: each day's intervals by the wall clock, taken to UTC, until enough has passed."""
    zone = ZoneInfo(calendar.zone)
    day = start.astimezone(zone).date() - timedelta(days=1)
    while True:
        midnight = datetime.combine(day, datetime.min.time())
        for begin, end in calendar.exceptions.get(day, calendar.weekly[day.weekday()]):
            low = max(start, (midnight + timedelta(minutes=begin)).replace(tzinfo=zone).astimezone(UTC))
            high = (midnight + timedelta(minutes=end)).replace(tzinfo=zone).astimezone(UTC)
            if high - low >= amount:
                return low + amount
            amount -= max(high - low, timedelta())
        day += timedelta(days=1)


def _each(work: Callable[[], Any], times: int) -> float:
    """Microseconds a call, the median of the runs."""
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - began) / times * 1e6)
    return middle(found)


def main() -> None:
    show(asyncio.run(measure(None, arguments(__doc__).quick)), Console(width=120))


if __name__ == "__main__":
    main()
