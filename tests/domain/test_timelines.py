"""Facts in plain words: each that a dialog can have is told in a sentence."""

import pytest

from domain.events import Fact
from domain.timelines import TOLD_BY_MESSAGES, Entry, sentence

OF_DIALOGS = [
    f for f in Fact if f.split(".")[0] in ("dialog", "ticket", "message", "transfer") and f not in TOLD_BY_MESSAGES
]


@pytest.mark.parametrize("fact", OF_DIALOGS)
def test_every_fact_of_a_dialog_has_words(fact):
    said = sentence(Entry(fact.value, "Olha", "Taras", "support", {}))
    assert said.endswith(".")
    assert said[0].isupper()


def test_before_after_and_cause_are_told():
    changed = Entry(
        "dialog.topic_changed", "Olha", "nobody", "support", {"before": {"topic": None}, "after": {"topic": "a"}}
    )
    assert sentence(changed) == "Olha changed the topic: none → a."
    waits = Entry("dialog.queued", "The client", "nobody", "support", {"cause": "transfer_expired"})
    assert sentence(waits) == "It waits in support, in the queue (transfer expired)."
    declined = Entry("transfer.declined", "Taras", "Taras", "support", {"reason": "too busy"})
    assert sentence(declined) == "The offer to Taras was declined: too busy."


def test_a_kind_without_words_is_told_by_its_name():
    assert sentence(Entry("custom.thing_done", "x", "y", "z", {})) == "custom thing done"
