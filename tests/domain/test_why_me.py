"""A stored decision in words: rule, tie-break, who was out (B1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decisions import OUT, RULES, WAITS, explain
from domain.distribution import Method, decide, why_nobody
from tests.domain.strategies import dialogs, patient, people
from tests.domain.test_decisions import WORDS
from tests.domain.values import OLHA, TARAS, ago, person, uid, waiting

BY_LOAD = [Method.LEAST_LOADED, Method.TOPIC_PRIORITY]


def told(*people, method="least_loaded", **facts):
    """Why the winner got it; names as the store adds them."""
    decision = decide(waiting(**facts), people, method)
    shown = [{**c, "name": {str(OLHA): "Olha", str(TARAS): "Taras"}.get(c["operator_id"])} for c in decision.candidates]
    outcome = "assigned" if decision.winner else "waiting"
    return explain(decision.method, outcome, decision.reason, "arrived", shown, decision.excluded)


@pytest.mark.parametrize("method", BY_LOAD)
@pytest.mark.parametrize(
    ("olha", "taras", "tie_break"),
    [
        ({"held": 1}, {"held": 2}, None),
        ({"last_closed_at": ago(9)}, {"last_closed_at": ago(5)}, "equal loads: the earlier last closing."),
        ({}, {"last_closed_at": ago(5)}, "equal loads: the earlier last closing."),
        (
            {"last_assigned_at": ago(9)}, {"last_assigned_at": ago(5)},
            "equal loads and closings: the longer wait since the last assignment.",
        ),
        ({}, {}, "equal in everything: the older account."),
    ],
    ids=["load", "closing", "never closed", "assignment", "account"],
)  # fmt: skip
def test_the_tie_break_named_is_the_one_that_decided(method, olha, taras, tie_break):
    why = told(person(TARAS, **taras), person(OLHA, **olha), method=method)
    assert why.tie_break == tie_break
    assert why.says == f"Olha came first of 2: {tie_break or RULES[method]}"


def test_in_turn_only_equal_waits_need_a_tie_break():
    assert (
        told(
            person(OLHA, last_assigned_at=ago(9)), person(TARAS, last_assigned_at=ago(5)), method="round_robin"
        ).tie_break
        is None
    )
    assert told(person(OLHA), person(TARAS), method="round_robin").tie_break == "equal waits: the older account."


def test_a_single_candidate_needs_no_tie_break():
    assert told(person(OLHA)).says == f"Olha came first of 1: {RULES['least_loaded']}"


def test_a_crowd_is_not_made_smaller_than_it_was():
    """Ten next candidates are stored: of more it must not be said that there were eleven."""
    why = told(*[person(uid(n), held=n, limit=99) for n in range(1, 31)])
    assert why.says.startswith("Olha came first of 11 or more: ")
    assert told(*[person(uid(n), held=n, limit=99) for n in range(1, 11)]).says.startswith("Olha came first of 10: ")


def test_those_who_were_out_are_counted_in_words():
    why = told(person(OLHA), person(uid(8), status="away"), person(uid(9), held=5), person(uid(10), held=5))
    assert why.says.endswith(" Out: 2 at the limit, 1 not online.")


def test_a_dialog_kept_for_its_operator_says_so():
    assert told(person(OLHA), person(TARAS), reserved_for=TARAS).says.startswith(
        "It was reserved for its last operator"
    )


def test_a_persons_decision_is_told_with_its_cause():
    assert explain("by_hand", "assigned", "by_hand", "taken_over_limit", [], {}).says == (
        "A person decided. (taken over limit)"
    )


def test_what_a_run_gave_is_no_persons_decision():
    assert explain("by_hand", "assigned", "by_run", "assigned", [], {}).says == (
        "A process or a macro decided. (assigned)"
    )


def test_a_dialog_nobody_got_is_told_why():
    assert told(person(OLHA, held=5)).says == "Everybody online is at the limit. Out: 1 at the limit."
    assert told().says == "The team has nobody who may hold dialogs."


@pytest.mark.parametrize("method", list(Method))
def test_every_method_has_words(method):
    assert RULES[method]


@pytest.mark.parametrize("word", WORDS)
def test_every_reason_to_be_out_has_words(word):
    assert word in OUT


@patient
@given(st.sets(st.sampled_from(WORDS)))
def test_every_reason_to_wait_has_words(out):
    assert why_nobody(dict.fromkeys(out, 1)) in WAITS


@patient
@given(people(), dialogs(), st.sampled_from(list(Method)))
def test_no_decision_is_left_without_words(everybody, dialog, method):
    decision = decide(dialog, everybody, method)
    outcome = "assigned" if decision.winner else "waiting"
    why = explain(decision.method, outcome, decision.reason, "arrived", decision.candidates, decision.excluded)
    assert why.rule == RULES[method]
    assert "_" not in why.says
