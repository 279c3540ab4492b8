"""Lines for those who watch a ticket."""

import pytest

from domain.watching import Change, line_of


@pytest.mark.parametrize(
    ("data", "uk", "en"),
    [
        ({"metric": "tfr", "alias": "First answer", "status": ""}, "First answer", "First answer"),
        ({"metric": "tfr", "alias": "", "status": ""}, "Перша відповідь", "First response"),
        ({"metric": "tis", "alias": "", "status": "pending"}, "Час у статусі «в очікуванні»",
         "Time in the status pending"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_called_by_its_alias_else_in_words(data: dict[str, str], uk: str, en: str) -> None:
    assert line_of(Change("sla.breached", data, None, {}), None) == (f"Прострочено: {uk}", f"Overdue: {en}")
