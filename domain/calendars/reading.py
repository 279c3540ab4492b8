"""A calendar as people write it, and what is wrong with it.

{"zone": "Europe/Kyiv", "weekly": {"mon": ["09:00-13:00", "14:00-18:00"], "fri": ["22:00-06:00"]},
 "exceptions": {"2026-12-25": []}}
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from domain.calendars.calendars import DAY, Calendar, Intervals
from domain.calendars.zones import known_zones
from domain.errors import InvalidError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_INTERVALS = 24
"""Of one day."""
MOST_EXCEPTIONS = 2000
_LAST_MINUTE = DAY - 1
_INTERVAL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))", re.ASCII)
_DATE = re.compile(r"(?:19[7-9]\d|20\d\d|21\d\d)-\d\d-\d\d", re.ASCII)


def calendar_of(body: Mapping[str, Any]) -> Calendar:
    """Raises InvalidError with `field`, the place in the body. Intervals of one day that touch become one."""
    if unknown := sorted(str(name) for name in set(body) - {"zone", "weekly", "exceptions"}):
        raise InvalidError(f"A calendar has no {unknown[0]!r}: it has zone, weekly and exceptions.", field=unknown[0])
    calendar = Calendar(_zone(body.get("zone")), _weekly(body.get("weekly")), _exceptions(body.get("exceptions", {})))
    _require_nights_to_end(calendar)
    return calendar


def body_of(calendar: Calendar) -> dict[str, Any]:
    """The calendar as people write it; reading it answers the same calendar."""
    return {
        "zone": calendar.zone,
        "weekly": {name: _written(day) for name, day in zip(DAYS, calendar.weekly, strict=True) if day},
        "exceptions": {day.isoformat(): _written(calendar.exceptions[day]) for day in sorted(calendar.exceptions)},
    }


def _zone(given: Any) -> str:
    if not isinstance(given, str) or given not in known_zones():
        raise InvalidError(f"There is no time zone {given!r}; a name like Europe/Kyiv is expected.", field="zone")
    return given


def _weekly(given: Any) -> tuple[Intervals, ...]:
    if not isinstance(given, Mapping):
        raise InvalidError("Days with their intervals are expected, like {'mon': ['09:00-18:00']}.", field="weekly")
    if unknown := next((name for name in given if name not in DAYS), None):
        raise InvalidError(f"There is no day {unknown!r}: days are {', '.join(DAYS)}.", field=f"weekly.{unknown}")
    week = tuple(_day(given.get(name, []), f"weekly.{name}") for name in DAYS)
    if not any(week):
        raise InvalidError("The week has no working time at all: give at least one day an interval.", field="weekly")
    return week


def _exceptions(given: Any) -> dict[date, Intervals]:
    if not isinstance(given, Mapping):
        raise InvalidError("Dates with their intervals are expected, like {'2026-12-25': []}.", field="exceptions")
    if len(given) > MOST_EXCEPTIONS:
        raise InvalidError(f"At most {MOST_EXCEPTIONS} exceptions.", field="exceptions")
    return {_date(day): _day(intervals, f"exceptions.{day}") for day, intervals in given.items()}


def _date(given: Any) -> date:
    try:
        if isinstance(given, str) and _DATE.fullmatch(given):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise InvalidError(
        f"{given!r} is no date between 1970 and 2199; one like 2026-12-25 is expected.", field=f"exceptions.{given}"
    )


def _day(given: Any, place: str) -> Intervals:
    if not isinstance(given, list):
        raise InvalidError("A list of intervals is expected, like ['09:00-18:00']; [] is a day off.", field=place)
    if len(given) > MOST_INTERVALS:
        raise InvalidError(f"At most {MOST_INTERVALS} intervals a day.", field=place)
    found: list[tuple[int, int]] = []
    for low, high in sorted(_interval(one, f"{place}.{n}") for n, one in enumerate(given)):
        if found and low < found[-1][1]:
            raise InvalidError(
                f"{_said(low, high)} overlaps {_said(*found[-1])}: let one end where the other begins.",
                field=place,
            )
        if found and low == found[-1][1]:
            low = found.pop()[0]
        found.append((low, high))
    return tuple(found)


def _interval(given: Any, place: str) -> tuple[int, int]:
    read = _INTERVAL.fullmatch(given) if isinstance(given, str) else None
    if read is None:
        raise InvalidError(
            f"{given!r} is no interval; one like 09:00-18:00 is expected (22:00-06:00 goes on into the next day).",
            field=place,
        )
    first_hour, first_minute, last_hour, last_minute, *midnight = read.groups()
    begin = int(first_hour) * 60 + int(first_minute)
    end = DAY if midnight[0] else int(last_hour) * 60 + int(last_minute)
    if begin == end:
        raise InvalidError(f"{given} has no length; a whole day is 00:00-24:00.", field=place)
    return begin, end if end > begin else end + DAY


def _require_nights_to_end(calendar: Calendar) -> None:
    """No interval goes on into one of the next day: of the week first, then around every exception."""
    if not any(day and day[-1][1] > DAY for day in (*calendar.weekly, *calendar.exceptions.values())):
        return
    for number, name in enumerate(DAYS):
        tomorrow = (number + 1) % 7
        _require_apart(calendar.weekly[number], calendar.weekly[tomorrow], name, f"weekly.{DAYS[tomorrow]}")
    for day in sorted(calendar.exceptions):
        for first in (day - timedelta(days=1), day):
            second = first + timedelta(days=1)
            _require_apart(_on(calendar, first), _on(calendar, second), first.isoformat(), f"exceptions.{day}")


def _require_apart(today: Intervals, tomorrow: Intervals, said: str, place: str) -> None:
    over = today[-1][1] - DAY if today else 0
    if tomorrow and over > tomorrow[0][0]:
        raise InvalidError(
            f"{_said(*today[-1])} of {said} goes on into {_said(*tomorrow[0])} of the next day: let that one begin at "
            f"{_clock(over)} or later, or end the night earlier.",
            field=place,
        )


def _on(calendar: Calendar, day: date) -> Intervals:
    return calendar.exceptions.get(day, calendar.weekly[day.weekday()])


def _written(day: Intervals) -> list[str]:
    """What touched and became a whole day or more by that is written as two again."""
    written: list[str] = []
    for begin, end in day:
        if end - begin >= DAY and (begin, end) != (0, DAY):
            written.append(_said(begin, _LAST_MINUTE))
            begin = _LAST_MINUTE
        written.append(_said(begin, end))
    return written


def _said(begin: int, end: int) -> str:
    return f"{_clock(begin)}-{_clock(end if end <= DAY else end - DAY)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
