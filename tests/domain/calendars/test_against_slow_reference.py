"""The quick arithmetic and somebody with a clock in hand agree, in every zone and around every switch."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given

from domain.calendars.reckoning import add_working, counted, working_between
from domain.errors import NoWorkingTimeError
from tests.domain.calendars import slow_reference
from tests.domain.calendars.strategies import amounts, calendars
from tests.domain.strategies import patient, thorough

DAYS = timedelta(days=9)


@patient
@given(calendars(), amounts)
def test_time_between_is_what_the_wall_clock_shows(found, length):
    calendar, start = found
    assert working_between(calendar, start, start + length) == slow_reference.working_between(
        calendar, start, start + length
    )


@patient
@given(calendars(), amounts)
def test_the_deadline_is_where_the_wall_clock_shows_it(found, amount):
    calendar, start = found
    until = start + DAYS
    expected = slow_reference.add_working(calendar, start, amount, until)
    try:
        answered = add_working(calendar, start, amount)
    except NoWorkingTimeError:
        answered = None
    if expected is None:
        assert answered is None or answered > until
    else:
        assert answered == expected


@patient
@given(calendars(), amounts)
def test_the_stretches_that_count_are_the_ones_the_wall_clock_shows(found, length):
    calendar, start = found
    assert counted(calendar, start, start + length) == slow_reference.merged(
        slow_reference.stretches(calendar, start, start + length)
    )


@thorough
@given(calendars(), amounts)
def test_what_is_added_lies_between(found, amount):
    calendar, start = found
    try:
        due = add_working(calendar, start, amount)
    except NoWorkingTimeError:
        return
    assert working_between(calendar, start, due) == amount
    assert working_between(calendar, due, start) == -amount
    if amount:
        assert working_between(calendar, start, due - timedelta(microseconds=1)) < amount


@thorough
@given(calendars(), amounts)
def test_what_lies_between_is_added_again(found, length):
    calendar, start = found
    end = start + length
    between = working_between(calendar, start, end)
    back = add_working(calendar, start, between)
    assert back <= end
    assert working_between(calendar, back, end) == timedelta()


@thorough
@given(calendars(), amounts, amounts)
def test_two_stretches_one_after_the_other_are_one(found, first, second):
    calendar, start = found
    middle, end = start + first, start + first + second
    assert working_between(calendar, start, middle) + working_between(calendar, middle, end) == working_between(
        calendar, start, end
    )
    pieces = counted(calendar, start, end)
    assert sum((high - low for low, high in pieces), timedelta()) == working_between(calendar, start, end)
    assert all(start <= low < high <= end for low, high in pieces)
    assert all(one[1] < other[0] for one, other in pairwise(pieces))
