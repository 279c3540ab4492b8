"""Working time between moments, and the moment by which so much has passed.

A second counts when the wall clock of the calendar's zone stands inside an interval: an hour the switch to summer time
leaves out does not exist, one that is repeated counts twice. Inside everything is whole microseconds since 1970.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from domain.calendars.calendars import DAY, Calendar
from domain.calendars.zones import offsets
from domain.errors import NoWorkingTimeError

HORIZON = timedelta(days=30 * 365 + 8)
"""Thirty years: what lies farther ahead is no deadline."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_DAY_SECONDS = DAY * 60
_UNIX_DAY, _UNIX_WEEKDAY = date(1970, 1, 1).toordinal(), date(1970, 1, 1).weekday()
#: days before a moment on which an interval may have begun that holds it
_LONGEST = 1
_FIRST_YEAR, _LAST_YEAR = 2, 9998


class _Year(NamedTuple):
    """The working time of one year of UTC: disjoint, ascending; `before[n]`: how much lies before interval n."""

    begins: "array[int]"
    ends: "array[int]"
    before: "array[int]"
    total: int

    def until(self, moment: int) -> int:
        """How much of the year's working time lies before the moment."""
        last = bisect_right(self.begins, moment) - 1
        if last < 0:
            return 0
        return self.before[last] + min(moment, self.ends[last]) - self.begins[last]

    def when(self, amount: int) -> int:
        """The earliest moment before which `amount` of the year's working time lies; 0 < amount ≤ total."""
        last = bisect_left(self.before, amount) - 1
        return self.begins[last] + amount - self.before[last]


def add_working(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The earliest moment by which `amount` of working time has passed since `start`: no time at all leaves it where it
    is, a whole day's work ends with the day. In UTC.

    Raises NoWorkingTimeError when the calendar has not so much within HORIZON, ValueError for a negative amount.
    """
    if amount < timedelta():
        raise ValueError("working time only goes forward")
    begin, left = _microseconds(start), amount // _MICROSECOND
    if left == 0:
        return _moment(begin)
    horizon = begin + HORIZON // _MICROSECOND
    found = begin + left if calendar.counts_always else _found(calendar, begin, left, horizon)
    if found is None or found > horizon or found >= _new_year(_LAST_YEAR + 1):
        raise NoWorkingTimeError("The calendar has not so much working time within thirty years.")
    return _moment(found)


def _found(calendar: Calendar, begin: int, left: int, horizon: int) -> int | None:
    first = _year_of(begin)
    for number in range(first, min(_year_of(horizon), _LAST_YEAR) + 1):
        year = _year(calendar, number)
        passed = year.until(begin) if number == first else 0
        if left <= year.total - passed:
            return year.when(passed + left)
        left -= year.total - passed
    return None


def working_between(calendar: Calendar, begin: datetime, end: datetime) -> timedelta:
    """Working time from one moment to another; negative when the second comes first."""
    since, until = _microseconds(begin), _microseconds(end)
    if since > until:
        return -working_between(calendar, end, begin)
    if calendar.counts_always:
        return timedelta(microseconds=until - since)
    first, last = _year_of(since), _year_of(until)
    whole = sum(_year(calendar, number).total for number in range(first, last))
    return timedelta(microseconds=whole + _year(calendar, last).until(until) - _year(calendar, first).until(since))


def counted(calendar: Calendar, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches that count between two moments, ascending, none touching another. In UTC."""
    since, until = _microseconds(begin), _microseconds(end)
    found: list[tuple[int, int]] = []
    for low, high in _stretches(calendar, since, until) if since < until else ():
        if found and found[-1][1] == low:
            low, _ = found.pop()
        found.append((low, high))
    return [(_moment(low), _moment(high)) for low, high in found]


def _stretches(calendar: Calendar, since: int, until: int) -> Iterator[tuple[int, int]]:
    if calendar.counts_always:
        yield since, until
        return
    for number in range(_year_of(since), _year_of(until) + 1):
        year = _year(calendar, number)
        for n in range(bisect_right(year.ends, since), bisect_left(year.begins, until)):
            yield max(since, year.begins[n]), min(until, year.ends[n])


@lru_cache(maxsize=256)
def _year(calendar: Calendar, number: int) -> _Year:
    since, until = _new_year(number), _new_year(number + 1)
    begins, ends = array("q"), array("q")
    for low, high in sorted(_mapped(calendar, since // _SECOND, until // _SECOND)):
        if ends and low * _SECOND <= ends[-1]:
            ends[-1] = max(ends[-1], high * _SECOND)
        else:
            begins.append(low * _SECOND)
            ends.append(high * _SECOND)
    sums = array("q", accumulate((high - low for low, high in zip(begins, ends, strict=True)), initial=0))
    total = sums.pop()
    return _Year(begins, ends, sums, total)


def _mapped(calendar: Calendar, since: int, until: int) -> Iterator[tuple[int, int]]:
    """The intervals by the wall clock as stretches of UTC between two seconds, one for each offset in force."""
    exceptions = {day.toordinal() - _UNIX_DAY: intervals for day, intervals in calendar.exceptions.items()}
    for begin, end, ahead in offsets(calendar.zone, since, until):
        for day in range((begin + ahead) // _DAY_SECONDS - _LONGEST, (end + ahead) // _DAY_SECONDS + 1):
            intervals = calendar.weekly[(day + _UNIX_WEEKDAY) % 7]
            if day in exceptions:
                intervals = exceptions[day]
            midnight = day * _DAY_SECONDS - ahead
            for first, last in intervals:
                low, high = midnight + first * 60, midnight + last * 60
                if low < end and high > begin:
                    yield max(low, begin), min(high, end)


def _new_year(number: int) -> int:
    return (date(number, 1, 1).toordinal() - _UNIX_DAY) * _DAY_SECONDS * _SECOND


def _year_of(moment: int) -> int:
    if moment >= _new_year(_LAST_YEAR + 1):
        return _LAST_YEAR
    return max(_moment(moment).year, _FIRST_YEAR)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
