"""Which seconds of some days count, asked of the wall clock minute by minute."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from domain.calendars.calendars import Calendar

HORIZON = 5 * 86_400
"""Seconds of a story at most."""


@dataclass
class SlowCalendar:
    calendar: Calendar
    base: datetime
    counts: bytes = b""

    def __post_init__(self) -> None:
        minutes = (_is_working(self.calendar, self.base + timedelta(minutes=m)) for m in range(HORIZON // 60 + 1))
        self.counts = b"".join((b"\1" if works else b"\0") * 60 for works in minutes)


def _is_working(calendar: Calendar, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(calendar.zone))
    minute = local.hour * 60 + local.minute

    def intervals(day: Any) -> Any:
        return calendar.exceptions[day] if day in calendar.exceptions else calendar.weekly[day.weekday()]

    today, yesterday = local.date(), local.date() - timedelta(days=1)
    return any(a <= minute < b for a, b in intervals(today)) or any(minute + 1440 < b for _, b in intervals(yesterday))


@cache
def seconds_of(name: str, base: datetime, calendar_named: Callable[[str], Calendar]) -> bytes:
    """Which seconds since `base` count; kept, as a calendar serves many stories."""
    assert base.tzinfo is UTC
    return SlowCalendar(calendar_named(name), base).counts
