"""Facts in plain words: each that a dialog can have is told in a sentence."""

from datetime import UTC, datetime

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


AT = datetime(2026, 11, 23, 12, 17, tzinfo=UTC)
DUE = "2026-11-23T12:20:00+00:00"
BREACH = {"metric": "tfr", "alias": "First answer", "status": "", "due_at": DUE, "target": 900}


@pytest.mark.parametrize(
    ("kind", "data", "en", "uk"),
    [
        ("sla.warned", {**BREACH, "percent": 80},
         "First answer is due in 3 min, at 14:20 (80 % of the time has passed).",
         "First answer: термін за 3 хв, о 14:20 (минуло 80 %)."),
        ("sla.breached", BREACH, "First answer was due at 14:20.", "First answer: термін був о 14:20."),
        ("sla.breached", {**BREACH, "metric": "tis", "alias": "", "status": "pending"},
         "Time in the status pending was due at 14:20.", "Час у статусі «в очікуванні»: термін був о 14:20."),
        ("sla.breached", {**BREACH, "due_at": "2026-11-22T12:20:00+00:00"}, "First answer was due on Sun 22 Nov 14:20.",
         "First answer: термін був нд 22 лист. 14:20."),
        ("dialog.accept_late", BREACH, "Nobody had accepted it by 14:20, as the team's norm wants.",
         "Ніхто не прийняв діалог до 14:20, як того хоче норма групи."),
        ("dialog.answer_late", BREACH, "Taras had not answered by 14:20, as the team's norm wants.",
         "Оператор (Taras) не відповів до 14:20, як того хоче норма групи."),
    ],
)  # fmt: skip
def test_what_clocks_did_is_told_in_both_languages_by_the_clock_on_the_wall(kind, data, en, uk):
    for language, said in (("en", en), ("uk", uk)):
        assert sentence(Entry(kind, "The system", "Taras", "support", data, AT, language, "Europe/Kyiv")) == said


def test_a_merge_is_told_on_both_sides():
    gone = Entry("dialog.merged", "Olha", "nobody", "support", {"into": "x", "into_number": 12047})
    assert sentence(gone) == "Olha merged it into ticket 12-047."
    came = Entry("dialog.merged", "Olha", "nobody", "support", {"from": "x", "from_number": 12048})
    assert sentence(came) == "Olha merged ticket 12-048 into it."
