"""The README's commands do what the README says, pasted one block after another."""

from __future__ import annotations

import re

import pytest

from tests.chaos.stack import PASSWORD, TOKEN, Stack
from tests.docs import tour


@pytest.fixture(scope="module")
def printed(stack: Stack) -> list[list[str]]:
    """The lines each block printed, in the README's order."""
    return [answer.splitlines() for answer in tour.run(stack.url, PASSWORD, TOKEN)]


pytestmark = pytest.mark.timeout(300)


def test_people_sign_in(printed: list[list[str]]) -> None:
    assert printed[0] == ["Супервізор  ['supervisor']"]


def test_a_message_is_kept_once_and_waits_for_somebody(printed: list[list[str]]) -> None:
    repeated, queue = printed[1]
    assert '"result":"repeated"' in repeated
    assert queue.split("  ", 1)[1] == "queued  nobody_online  Nobody of the team is online."


def test_whoever_comes_online_gets_it_and_the_reason_is_kept(printed: list[list[str]]) -> None:
    assert printed[2][:2] == ["online", "owned  Ольга"]
    assert printed[2][2].startswith("assigned  Ольга came first of 1: ")
    assert printed[2][3].startswith("waiting  Nobody of the team is online.")


def test_one_key_is_one_reply(printed: list[list[str]]) -> None:
    first, second, *messages = printed[3]
    assert re.search('"message_id":"[^"]+"', first)[0] == re.search('"message_id":"[^"]+"', second)[0]
    assert messages == ["1  in  None  Where is my parcel?", "2  out  sent  It is on its way."]


def test_an_offer_is_refused_made_and_accepted(printed: list[list[str]]) -> None:
    assert printed[4] == [
        "409  operator_offline  Тарас is offline.",
        "online",
        "409  offer_pending  A transfer of this dialog is already pending.",
        "accepted",
    ]


def test_an_offer_that_nobody_answers_is_over_in_time(printed: list[list[str]]) -> None:
    short, refused, holder, long = printed[5]
    assert (short, long) == ("support  5", "support  120")
    assert re.fullmatch(r"409  offer_expired  The offer expired at [\d:]{8} UTC, now with Тарас\.", refused)
    assert holder == "owned  Тарас"


def test_a_closed_dialog_takes_no_replies(printed: list[list[str]]) -> None:
    assert printed[6] == ["closed", "409  dialog_closed  The dialog is closed: reopen it first."]


def test_timeline_and_history_tell_it(printed: list[list[str]]) -> None:
    facts = [line.split("  ", 1)[1] for line in printed[7]]
    assert facts[0] == "The client opened the dialog."
    assert {"Тарас accepted it.", "The offer to Ольга expired.", "Тарас closed it."} <= set(facts)
    history = [line.split("  ", 1)[1] for line in printed[8]]
    assert (history[0], history[-1]) == ("The workflow ended", "The workflow began")
    assert "Ольга tried to offer the dialog to Тарас: refused (operator_offline)" in history


def test_the_stream_tells_every_number_after_the_one_given(printed: list[list[str]]) -> None:
    lines = printed[9]
    assert lines[-2:] == ["offline", "offline"]
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    # a sign-in just before is numbered in its own time, now and then after the number was asked for
    told = [kind for kind in kinds if kind != "user.signed_in"]
    assert told[:3] == ["dialog.opened", "message.received", "dialog.queued"]
    assert "dialog.closed" in kinds  # which starts processes of the demo, that tell of themselves
    numbers = [int(line.removeprefix("id: ")) for line in lines if line.startswith("id: ")]
    assert numbers[1:] == list(range(numbers[1], numbers[1] + len(kinds)))
