"""Cron lines."""

import pytest

from domain.definitions.crons import parse_cron


def test_each_field_is_a_set_of_values() -> None:
    minutes, hours, days, months, weekdays = parse_cron("*/20 8-10,18 1 jan-mar mon")
    assert (minutes, hours) == ({0, 20, 40}, {8, 9, 10, 18})
    assert (days, months, weekdays) == ({1}, {1, 2, 3}, {1})


@pytest.mark.parametrize("line", ["* * * * *", "0 10 * * 1-5", "5/15 * * * *", "0 0 31 12 7", "1,2,3 */2 1-15/3 * sun"])
def test_it_is_read(line: str) -> None:
    parse_cron(line)


@pytest.mark.parametrize(
    "line",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
     "*/0 * * * *", "a * * * *", "1,,2 * * * *", "@daily", "1-2-3 * * * *", "٣ * * * *", "9" * 300],
)  # fmt: skip
def test_it_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_cron(line)
