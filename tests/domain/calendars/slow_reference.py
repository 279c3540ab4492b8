"""Working time as anybody would find it with a clock in hand: minute by minute, looking at the wall each time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def counts(calendar, moment):
    """Whether the wall clock stands inside an interval that began on this day or on the one before."""
    wall = moment.astimezone(ZoneInfo(calendar.zone))
    minute = wall.hour * 60 + wall.minute
    for day, on_its_clock in ((wall.date(), minute), (wall.date() - timedelta(days=1), minute + 1440)):
        intervals = calendar.exceptions.get(day, calendar.weekly[day.weekday()])
        if any(begin <= on_its_clock < end for begin, end in intervals):
            return True
    return False


def working_between(calendar, begin, end):
    return sum((high - low for low, high in stretches(calendar, begin, end)), timedelta())


def stretches(calendar, begin, end):
    """Minute by minute what counts, cut to the two moments."""
    minute = begin.astimezone(UTC).replace(second=0, microsecond=0)
    while minute < end:
        if max(minute, begin) < end and counts(calendar, minute):
            yield max(minute, begin), min(minute + MINUTE, end)
        minute += MINUTE


def add_working(calendar, start, amount, until):
    """None when so much has not passed by `until`."""
    if not amount:
        return start
    for low, high in stretches(calendar, start, until):
        if amount <= high - low:
            return low + amount
        amount -= high - low
    return None


def merged(pieces):
    found: list[tuple[datetime, datetime]] = []
    for low, high in pieces:
        if found and found[-1][1] == low:
            low = found.pop()[0]
        found.append((low, high))
    return found
