"""The page about tickets and promises does what it says, pasted one block after another."""

from __future__ import annotations

import pytest

from tests.chaos.stack import PASSWORD, TOKEN, Stack
from tests.docs import tour

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def printed(stack: Stack) -> list[list[str]]:
    return [told.splitlines() for told in tour.run(stack.url, PASSWORD, TOKEN, "docs/tickets-and-sla.md")]


def test_a_calendar_a_policy_and_a_topic_are_made(printed: list[list[str]]) -> None:
    assert printed[1] == ["parcels  1", "parcels  1", "parcels  parcels  parcels"]


def test_a_ticket_has_its_author_and_its_clocks(printed: list[list[str]]) -> None:
    online, ticket, *clocks = printed[2]
    assert (online, ticket) == ("online", "ticket  open  owned  high  A torn box  Ольга")
    assert sorted(clocks) == ["tfr  First answer  running  900", "ttc  Time to close  running  28800"]


def test_a_deadline_is_explained(printed: list[list[str]]) -> None:
    first, to_close = sorted(printed[3])
    assert "15 min of working time by the calendar parcels, version 1 (Europe/Kyiv)" in first
    assert "15 min in all." in first
    assert "8 h in all." in to_close


def test_an_answer_ends_one_clock_and_pending_stops_the_other(printed: list[list[str]]) -> None:
    queued, pending, *clocks = printed[4]
    assert (queued, pending) == ("queued", "pending")
    assert sorted(clocks) == ["tfr  ended  met", "ttc  paused  None"]


def test_an_edit_asks_before_it_moves_clocks_and_then_does(printed: list[list[str]]) -> None:
    reopened, refused, *moves = printed[5]
    assert (reopened, refused) == ("open", "409  confirmation_needed  1")
    assert [move.split("  ")[0] for move in moves] == ["ttc"]
    assert printed[6] == ["succeeded  1"]


def test_those_who_watch_are_told_and_everything_is_in_the_log(printed: list[list[str]]) -> None:
    lines = printed[7]
    assert lines[:3] == ["True", "True", "critical"]
    assert any("Високий → Критичний" in line for line in lines)
    assert any(line.startswith("Супервізор") and "watcher" in line for line in lines)
    assert "priority  high  critical" in lines
    assert "status  open  pending" in lines
