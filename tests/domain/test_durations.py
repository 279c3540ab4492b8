"""Durations and rates: what people write, read back as it was."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.durations import LONGEST, format_duration, parse_duration
from domain.rates import Rate, format_rate, parse_rate


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30s", timedelta(seconds=30)), ("15m", timedelta(minutes=15)), ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)), ("1h30m", timedelta(hours=1, minutes=30)), ("0s", timedelta(0)),
        ("90m", timedelta(minutes=90)), ("250ms", timedelta(milliseconds=250)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
    ],
)  # fmt: skip
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "5",
        "PT1H",
        "1h 30m",
        "30m1h",
        "1h1h",
        "-5m",
        "1.5h",
        "5M",
        "٣d",
        "10001d",
        "999999999d",
        "1d\n",
        "9" * 99,
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST))
def test_a_duration_is_written_as_it_is_read(duration: timedelta) -> None:
    whole = duration - duration % timedelta(milliseconds=1)
    assert parse_duration(format_duration(duration)) == whole


def test_a_duration_is_written_shortly() -> None:
    assert format_duration(timedelta(hours=26)) == "1d2h"
    assert format_duration(timedelta(0)) == "0s"
    assert format_duration(-timedelta(minutes=15)) == "-15m"


@pytest.mark.parametrize(
    ("text", "rate"), [("25/s", Rate(25, 1)), ("300/m", Rate(300, 60)), ("1000/h", Rate(1000, 3600))]
)
def test_a_rate_is_read_and_written(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate
    assert format_rate(rate) == text


@pytest.mark.parametrize("text", ["", "30 per second", "0/s", "5/d", "-1/s", "1.5/s", "9999999/s", "٣/s", "5/s\n"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        parse_rate(text)
