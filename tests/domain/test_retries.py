"""When an attempt is made again: by type, by count, by what the other side asks for."""

from __future__ import annotations

import pytest

from domain.actions.manifests import Retry
from domain.retries import pause_after
from domain.walks.ports import StepError

RETRY = Retry(max_attempts=3, initial=1, factor=2, longest=3, on=frozenset({"unavailable", "rate_limited"}))


@pytest.mark.parametrize(
    ("type", "details", "attempts", "pause"),
    [
        ("unavailable", {}, 1, 1.0),
        ("unavailable", {}, 2, 2.0),
        ("unavailable", {}, 3, None),
        ("unavailable", {"retry_after": 30}, 1, 30.0),
        ("timeout", {}, 1, None),
        ("rate_limited", {}, 1, 1.0),
        ("rate_limited", {}, 50, 3.0),
        ("rate_limited", {"retry_after": 7}, 50, 7.0),
    ],
)
def test_the_pause_before_the_next_attempt(type: str, details: dict[str, int], attempts: int, pause: float) -> None:
    assert pause_after(StepError(type, "…", details=details), RETRY, attempts) == pause


def test_what_needs_a_person_is_not_tried_again() -> None:
    assert pause_after(StepError("unavailable", "…", needs_attention=True), RETRY, 1) is None


def test_being_limited_is_not_waited_for_where_the_step_says_so() -> None:
    assert pause_after(StepError("rate_limited", "…"), Retry(on=frozenset()), 1) is None
