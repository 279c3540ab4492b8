"""A calendar as people write it: what is read from it, and what is said where it is wrong."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendars.calendars import ALWAYS
from domain.calendars.reading import DAYS, body_of, calendar_of
from domain.errors import InvalidError
from tests.domain.calendars.strategies import calendars
from tests.domain.strategies import patient

OFFICE = {"mon": ["09:00-18:00"]}
MANY = [f"{hour:02}:{half}0-{hour:02}:{half}5" for hour in range(13) for half in (0, 3)]


def written(weekly=None, exceptions=None, zone="Europe/Kyiv"):
    return {"zone": zone, "weekly": OFFICE if weekly is None else weekly, "exceptions": exceptions or {}}


def test_everything_that_can_be_said():
    body = written(
        {"mon": ["14:00-18:00", "09:00-13:00"], "fri": ["22:00-06:00"]},
        {"2026-12-25": [], "2026-12-24": ["09:00-13:00"]},
    )
    calendar = calendar_of(body)
    assert calendar.weekly == (((540, 780), (840, 1080)), (), (), (), ((1320, 1800),), (), ())
    assert calendar.exceptions == {date(2026, 12, 25): (), date(2026, 12, 24): ((540, 780),)}
    assert body_of(calendar) == {
        "zone": "Europe/Kyiv",
        "weekly": {"mon": ["09:00-13:00", "14:00-18:00"], "fri": ["22:00-06:00"]},
        "exceptions": {"2026-12-24": ["09:00-13:00"], "2026-12-25": []},
    }


def test_exceptions_may_be_left_out():
    assert calendar_of({"zone": "UTC", "weekly": OFFICE}).exceptions == {}


def test_a_week_of_whole_days_is_every_second():
    week = {day: ["00:00-24:00"] for day in DAYS}
    assert calendar_of(written(week, zone="UTC")) == ALWAYS
    assert calendar_of(written(week)).counts_always


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (["09:00-13:00", "13:00-18:00"], ["09:00-18:00"]),
        (["13:00-18:00", "09:00-13:00", "18:00-24:00"], ["09:00-24:00"]),
        (["12:00-22:00", "22:00-06:00"], ["12:00-06:00"]),
        (["09:00-18:00", "18:00-09:00"], ["09:00-23:59", "23:59-09:00"]),
        (["00:00-23:00", "23:00-22:00"], ["00:00-23:59", "23:59-22:00"]),
    ],
)
def test_intervals_that_touch_become_one(day, expected):
    calendar = calendar_of(written({"mon": day}))
    assert len(calendar.weekly[0]) == 1
    assert body_of(calendar)["weekly"]["mon"] == expected
    assert calendar_of(body_of(calendar)) == calendar


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (written(zone="Europe/Kiew"), "zone", "no time zone"),
        (written(zone="../etc/passwd"), "zone", "no time zone"),
        (written(zone="localtime"), "zone", "no time zone"),
        (written(zone=None), "zone", "Europe/Kyiv is expected"),
        ({"weekly": OFFICE}, "zone", "no time zone"),
        ({"zone": "UTC"}, "weekly", "are expected"),
        (written([]), "weekly", "are expected"),
        (written({}), "weekly", "no working time at all"),
        (written({"mon": []}), "weekly", "no working time at all"),
        (written({"monday": ["09:00-18:00"]}), "weekly.monday", "no day 'monday'"),
        (written({"mon": "09:00-18:00"}), "weekly.mon", "A list of intervals"),
        (written({"mon": None}), "weekly.mon", "A list of intervals"),
        (written({"mon": ["9:00-18:00"]}), "weekly.mon.0", "no interval"),
        (written({"mon": ["09:00-18:00", "25:00-26:00"]}), "weekly.mon.1", "no interval"),
        (written({"mon": ["09:60-18:00"]}), "weekly.mon.0", "no interval"),
        (written({"mon": ["24:00-02:00"]}), "weekly.mon.0", "no interval"),
        (written({"mon": ["09:00-24:01"]}), "weekly.mon.0", "no interval"),
        (written({"mon": ["٠٩:00-18:00"]}), "weekly.mon.0", "no interval"),
        (written({"mon": ["09:00-18:00\n"]}), "weekly.mon.0", "no interval"),
        (written({"mon": [900]}), "weekly.mon.0", "no interval"),
        (written({"mon": ["09:00-09:00"]}), "weekly.mon.0", "no length; a whole day is 00:00-24:00"),
        (written({"mon": ["00:00-00:00"]}), "weekly.mon.0", "no length"),
        (written({"mon": ["09:00-13:00", "12:00-18:00"]}), "weekly.mon", "let one end where the other begins"),
        (written({"mon": ["22:00-06:00", "23:00-24:00"]}), "weekly.mon", "overlaps"),
        (written({"mon": ["22:00-06:00"], "tue": ["05:00-09:00"]}), "weekly.tue", "begin at 06:00 or later"),
        (written({"sun": ["22:00-06:00"], "mon": ["05:00-09:00"]}), "weekly.mon", "begin at 06:00 or later"),
        (written({"mon": ["18:00-09:00"], "tue": ["08:00-17:00"]}), "weekly.tue", "of mon goes on into"),
        (written({"mon": MANY}), "weekly.mon", "24"),
        (written(exceptions=[]) | {"exceptions": []}, "exceptions", "are expected"),
        (written(exceptions={"25.12.2026": []}), "exceptions.25.12.2026", "is no date"),
        (written(exceptions={"2026-02-30": []}), "exceptions.2026-02-30", "is no date"),
        (written(exceptions={"2026-W10-1": []}), "exceptions.2026-W10-1", "is no date"),
        (written(exceptions={"0001-01-01": []}), "exceptions.0001-01-01", "is no date"),
        (written(exceptions={"2026-12-25": None}), "exceptions.2026-12-25", "A list of intervals"),
        (
            written({"thu": ["22:00-06:00"]}, {"2026-12-25": ["05:00-09:00"]}), "exceptions.2026-12-25",
            "of 2026-12-24 goes on into",
        ),
        (
            written({"fri": ["05:00-09:00"]}, {"2026-12-24": ["22:00-06:00"]}), "exceptions.2026-12-24",
            "05:00-09:00 of the next day",
        ),
        (written() | {"holidays": []}, "holidays", "zone, weekly and exceptions"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(body, field, says):
    with pytest.raises(InvalidError) as refusal:
        calendar_of(body)
    assert refusal.value.extra["field"] == field
    assert says in refusal.value.detail


def test_too_many_exceptions():
    first = date(2020, 1, 1).toordinal()
    with pytest.raises(InvalidError, match="2000"):
        calendar_of(written(exceptions={date.fromordinal(first + n).isoformat(): [] for n in range(2001)}))


@patient
@given(calendars())
def test_what_is_written_is_read_as_the_same_calendar(found):
    calendar, _ = found
    assert calendar_of(body_of(calendar)) == calendar
    assert body_of(calendar_of(body_of(calendar))) == body_of(calendar)


names = st.text(max_size=4) | st.sampled_from([*DAYS, "2026-12-25", "zone", "weekly"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["09:00-18:00", "UTC"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
)


@patient
@given(st.fixed_dictionaries({"zone": json_values | st.just("UTC"), "weekly": json_values, "exceptions": json_values}))
def test_anything_at_all_is_read_or_refused(body):
    try:
        calendar = calendar_of(body)
    except InvalidError:
        return
    assert calendar_of(body_of(calendar)) == calendar
