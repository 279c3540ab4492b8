"""Nights, weekends, holidays, breaks, and every way a clock may be put forward or back."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from domain.calendars.calendars import ALWAYS, Calendar
from domain.calendars.reading import calendar_of
from domain.calendars.reckoning import HORIZON, add_working, counted, working_between
from domain.calendars.zones import known_zones, offsets
from domain.errors import NoWorkingTimeError

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WORKDAYS, "sat", "sun")


def office(*intervals, days=WORKDAYS, zone="Europe/Kyiv", **exceptions):
    weekly = {day: list(intervals or ("09:00-18:00",)) for day in days}
    return calendar_of({"zone": zone, "weekly": weekly, "exceptions": exceptions.get("exceptions", {})})


def at(said, zone="Europe/Kyiv", fold=0):
    """In UTC: a moment of the repeated hour equals none of another zone."""
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def hours(number):
    return timedelta(hours=number)


def test_a_24_hour_target_over_nights_and_a_weekend_lands_on_the_right_working_minute():
    # Thursday 15:37: 2 h 23 min that day, 9 h on Friday, 9 h on Monday, 3 h 37 min on Tuesday
    assert add_working(office(), at("2026-11-19T15:37"), hours(24)) == at("2026-11-24T12:37")


def test_a_night_does_not_count():
    assert add_working(office(), at("2026-11-18T17:30"), hours(1)) == at("2026-11-19T09:30")


def test_a_weekend_does_not_count():
    assert working_between(office(), at("2026-11-20T18:00"), at("2026-11-23T09:00")) == timedelta()
    assert add_working(office(), at("2026-11-21T12:00"), timedelta(seconds=1)) == at("2026-11-23T09:00:01")


def test_a_holiday_does_not_count_and_a_shortened_day_counts_as_long_as_it_is():
    calendar = office(exceptions={"2026-12-25": [], "2026-12-31": ["09:00-13:00"]})
    assert add_working(calendar, at("2026-12-24T17:00"), hours(2)) == at("2026-12-28T10:00")
    assert add_working(calendar, at("2026-12-31T12:00"), hours(2)) == at("2027-01-01T10:00")


def test_a_day_off_may_be_a_working_one_for_once():
    calendar = office(exceptions={"2026-11-21": ["10:00-14:00"]})
    assert add_working(calendar, at("2026-11-20T17:00"), hours(2)) == at("2026-11-21T11:00")


def test_a_lunch_break_does_not_count():
    calendar = office("09:00-13:00", "14:00-18:00")
    assert add_working(calendar, at("2026-11-18T12:30"), hours(1)) == at("2026-11-18T14:30")
    assert counted(calendar, at("2026-11-18T12:30"), at("2026-11-18T14:30")) == [
        (at("2026-11-18T12:30"), at("2026-11-18T13:00")),
        (at("2026-11-18T14:00"), at("2026-11-18T14:30")),
    ]


def test_a_target_of_exactly_one_day_ends_with_the_day_and_not_next_morning():
    assert add_working(office(), at("2026-11-18T09:00"), hours(9)) == at("2026-11-18T18:00")
    assert add_working(office("09:00-13:00", "14:00-18:00"), at("2026-11-18T09:00"), hours(4)) == at("2026-11-18T13:00")


def test_no_time_at_all_leaves_the_moment_where_it_is():
    assert add_working(office(), at("2026-11-21T12:00"), timedelta()) == at("2026-11-21T12:00")


def test_a_night_shift_goes_on_over_midnight_and_belongs_to_the_day_it_begins_on():
    nights = office("22:00-06:00", days=("fri",))
    assert add_working(nights, at("2026-11-20T23:30"), hours(1)) == at("2026-11-21T00:30")
    assert counted(nights, at("2026-11-20T00:00"), at("2026-11-22T00:00")) == [
        (at("2026-11-20T22:00"), at("2026-11-21T06:00"))
    ]


def test_an_exception_replaces_what_begins_on_its_day_and_leaves_the_night_before():
    nights = office("22:00-06:00", days=EVERY_DAY, exceptions={"2026-12-25": []})
    assert counted(nights, at("2026-12-24T12:00"), at("2026-12-27T00:00")) == [
        (at("2026-12-24T22:00"), at("2026-12-25T06:00")),
        (at("2026-12-26T22:00"), at("2026-12-27T00:00")),
    ]


@pytest.mark.parametrize("calendar", [ALWAYS, office("00:00-24:00", days=EVERY_DAY)], ids=["always", "every_day"])
def test_24_7_loses_no_minute_at_midnight_over_a_whole_year(calendar):
    begin = at("2026-01-01T00:00")
    for day in range(0, 366, 5):
        end = begin + timedelta(days=day, seconds=86_399)
        assert working_between(calendar, begin, end) == timedelta(days=day, seconds=86_399)
        assert add_working(calendar, begin, timedelta(days=day, seconds=86_399)) == end
    assert counted(calendar, begin, begin + timedelta(days=800)) == [(begin, begin + timedelta(days=800))]


def test_the_hour_that_summer_time_leaves_out_does_not_exist():
    """Kyiv, 29 March 2026: after 02:59:59 comes 04:00."""
    sundays = office("00:00-08:00", days=("sun",))
    assert working_between(sundays, at("2026-03-28T12:00"), at("2026-03-29T12:00")) == hours(7)
    assert add_working(sundays, at("2026-03-29T02:30"), hours(1)) == at("2026-03-29T04:30")
    gone = office("03:00-04:00", days=("sun",))
    assert working_between(gone, at("2026-03-28T12:00"), at("2026-03-29T12:00")) == timedelta()


def test_the_hour_that_winter_time_repeats_counts_twice():
    """Kyiv, 25 October 2026: after 03:59:59 comes 03:00 once more."""
    sundays = office("00:00-08:00", days=("sun",))
    assert working_between(sundays, at("2026-10-24T12:00"), at("2026-10-25T12:00")) == hours(9)
    assert add_working(sundays, at("2026-10-25T02:30"), hours(1)) == at("2026-10-25T03:30")
    assert add_working(sundays, at("2026-10-25T02:30"), hours(2)) == at("2026-10-25T03:30", fold=1)
    twice = office("03:15-03:45", days=("sun",))
    assert counted(twice, at("2026-10-25T00:00"), at("2026-10-25T12:00")) == [
        (at("2026-10-25T03:15"), at("2026-10-25T03:45")),
        (at("2026-10-25T03:15", fold=1), at("2026-10-25T03:45", fold=1)),
    ]


@pytest.mark.parametrize(("friday", "monday"), [("2026-03-27", "2026-03-30"), ("2026-10-23", "2026-10-26")])
def test_office_hours_keep_to_the_wall_clock_over_both_switches(friday, monday):
    assert add_working(office(), at(f"{friday}T17:00"), hours(2)) == at(f"{monday}T10:00")
    assert working_between(office(), at(f"{friday}T09:00"), at(f"{monday}T18:00")) == hours(18)


def test_a_switch_of_half_an_hour():
    """Lord Howe: 5 April 2026 from 02:00 back to 01:30; 4 October 2026 from 02:00 on to 02:30."""
    zone = "Australia/Lord_Howe"
    nights = office("00:00-06:00", days=("sun",), zone=zone)
    assert working_between(nights, at("2026-04-04T12:00", zone), at("2026-04-05T12:00", zone)) == hours(6.5)
    assert working_between(nights, at("2026-10-03T12:00", zone), at("2026-10-04T12:00", zone)) == hours(5.5)


def test_a_day_that_a_zone_skipped_has_no_working_time():
    """Samoa crossed the date line: after Thursday 29 December 2011 came Saturday the 31st."""
    zone = "Pacific/Apia"
    always = office("00:00-24:00", days=EVERY_DAY, zone=zone)
    begin, end = at("2011-12-29T12:00", zone), at("2011-12-31T12:00", zone)
    assert working_between(always, begin, end) == hours(24)
    fridays = office(days=("fri",), zone=zone)
    assert working_between(fridays, begin, end) == timedelta()
    assert add_working(fridays, begin, hours(1)) == at("2012-01-06T10:00", zone)


def test_microseconds_are_kept():
    start = at("2026-11-20T17:59:59.999999")
    assert add_working(office(), start, timedelta(microseconds=1)) == at("2026-11-20T18:00")
    assert add_working(office(), start, timedelta(microseconds=2)) == at("2026-11-23T09:00:00.000001")


def test_moments_of_any_zone_mean_the_same():
    start = at("2026-11-18T17:30")
    assert add_working(office(), start.astimezone(ZoneInfo("Asia/Tokyo")), hours(1)) == at("2026-11-19T09:30")
    assert add_working(office(), start, hours(1)).tzinfo is UTC


def test_years_are_crossed_without_a_seam():
    nights = office("22:00-06:00", days=EVERY_DAY)
    assert counted(nights, at("2026-12-31T23:00"), at("2027-01-01T05:00")) == [
        (at("2026-12-31T23:00"), at("2027-01-01T05:00"))
    ]
    assert working_between(office(), at("2026-01-01T00:00"), at("2036-01-01T00:00")) == hours(9) * 2608


@pytest.mark.parametrize("calendar", [ALWAYS, office("09:00-09:01", days=("mon",))], ids=["always", "a_minute_a_week"])
def test_what_lies_beyond_thirty_years_is_no_deadline(calendar):
    start = at("2026-11-20T17:00")
    with pytest.raises(NoWorkingTimeError):
        add_working(calendar, start, HORIZON + timedelta(microseconds=1))
    with pytest.raises(NoWorkingTimeError):
        add_working(calendar, datetime(9998, 12, 31, tzinfo=UTC), timedelta(days=300))
    with pytest.raises(NoWorkingTimeError):
        add_working(calendar, start, timedelta.max)


def test_a_calendar_without_any_time_is_found_out():
    with pytest.raises(NoWorkingTimeError):
        add_working(Calendar("UTC", ((),) * 7), at("2026-11-20T17:00"), timedelta(seconds=1))


def test_working_time_does_not_go_back():
    with pytest.raises(ValueError):
        add_working(ALWAYS, at("2026-11-20T17:00"), timedelta(seconds=-1))


@pytest.mark.parametrize("zone", sorted(known_zones()))
def test_every_zone_that_is_known_has_its_offsets(zone):
    pieces = offsets(zone, 0, 2**31)
    assert pieces[0][0] == 0
    assert pieces[-1][1] == 2**31
    assert all(one[1] == other[0] and one[2] != other[2] for one, other in pairwise(pieces))
