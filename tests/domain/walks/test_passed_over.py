"""A client who has another dialog open is passed over: the item is skipped (DECISIONS 14)."""

from typing import Any

import pytest

from domain.walks.memory import Memory, stage_for
from domain.walks.ports import Deed, Done, Outcome, StepError
from domain.walks.samples import START
from domain.walks.schedulers import Clockwork
from domain.walks.walk import walk_item
from tests.domain.walks.scenes import brief_of


class Refusing(Memory):
    """Every action meets the client's other dialog, and tells what it was given."""

    deeds: list[Deed]

    async def act(self, deed: Deed) -> Done:
        self.deeds = [*getattr(self, "deeds", []), deed]
        raise StepError("conflict", "There is another.", details={"code": "another_dialog_open", "dialog_id": "d2"})


def walked(*do: dict[str, Any], **more: Any) -> tuple[Outcome, Refusing]:
    clock = Clockwork(START)
    brief = brief_of(do, **more)
    host = Refusing(stage_for(brief, clock, {}))
    return clock.run(walk_item(brief, host)), host


@pytest.mark.parametrize("do", [{"call": "reopen"}, {"do": [{"call": "reopen", "id": "deep"}]}])
def test_the_item_is_skipped_and_nothing_more_is_done(do):
    outcome, host = walked(do, {"call": "close"}, on_failure=[{"call": "close"}])
    assert (outcome.state, outcome.reason, outcome.message) == ("skipped", "another_dialog_open", "There is another.")
    assert [deed.action for deed in host.deeds] == ["reopen"]


def test_who_catches_it_goes_on():
    step = {"try": [{"call": "reopen"}], "catch": {"do": [{"stop": {"status": "succeeded"}}]}}
    assert walked(step)[0].state == "succeeded"


def test_an_action_knows_what_the_walk_last_saw():
    _, host = walked({"call": "reopen"})
    assert isinstance(host.deeds[0].revision, int)
