"""What is kept about a decision: why me, why nobody (P110, P111, B1, DECISIONS 18)."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.distribution import NEXT_CANDIDATES, Method, decide, why_nobody, why_not
from tests.domain.strategies import dialogs, people, thorough
from tests.domain.values import IRYNA, OLHA, TARAS, ago, person, uid, waiting

AWAY, LOST = person(uid(21), status="away"), person(uid(22), is_connected=False)
LIGHT, STRANGER = person(uid(23), is_light=True), person(uid(24), teams=["sales"])
FULL, FULL_HERE = person(uid(25), held=5), person(uid(26), held=1, channel_limits={"demo": 1})
SATED, EXCLUDED = person(uid(27), daily_quota=0), person(uid(28))


@pytest.mark.parametrize("method", list(Method))
def test_a_decision_says_which_dialog_which_team_by_which_method_and_who(method):
    decision = decide(waiting(7, team="sales"), [person(OLHA, teams=["sales"])], method)
    assert (decision.dialog_id, decision.team, decision.method) == (uid(7), "sales", method)
    assert (decision.winner, decision.reason) == (OLHA, method)


def test_it_shows_each_candidate_with_load_limit_and_both_moments_the_winner_first():
    olha = person(OLHA, held=2, limit=9, last_closed_at=ago(5), last_assigned_at=ago(7))
    taras = person(TARAS, held=1)
    assert decide(waiting(), [olha, taras], "least_loaded").candidates == (
        {"operator_id": str(TARAS), "load": 1, "limit": 5, "last_closed_at": None, "last_assigned_at": None},
        {
            "operator_id": str(OLHA),
            "load": 2,
            "limit": 9,
            "last_closed_at": "2026-03-02T11:55:00+00:00",
            "last_assigned_at": "2026-03-02T11:53:00+00:00",
        },
    )


def test_it_shows_the_winner_and_the_ten_next_and_no_more():
    shown = decide(waiting(), [person(uid(n), held=n, limit=99) for n in range(30)], "least_loaded").candidates
    assert [c["load"] for c in shown] == list(range(11))
    assert NEXT_CANDIDATES == 10


def test_it_counts_by_reason_who_of_the_team_was_out_and_leaves_strangers_out_of_it():
    everybody = [
        person(OLHA),
        AWAY,
        person(uid(31), status="busy"),
        LOST,
        LIGHT,
        FULL,
        FULL_HERE,
        SATED,
        EXCLUDED,
        STRANGER,
    ]
    decision = decide(waiting(excluded=[uid(28)]), everybody, "least_loaded")
    assert decision.winner == OLHA
    assert decision.excluded == {
        "not_online": 2, "connection_lost": 1, "light_agent": 1, "at_limit": 1, "at_channel_limit": 1, "at_quota": 1,
        "excluded": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("team", "reason"),
    [
        ([], "team_empty"),
        ([STRANGER], "team_empty"),
        ([LIGHT], "team_empty"),
        ([LIGHT, STRANGER], "team_empty"),
        ([AWAY], "nobody_online"),
        ([LOST], "nobody_online"),
        ([AWAY, LOST, LIGHT], "nobody_online"),
        ([EXCLUDED], "only_excluded_online"),
        ([EXCLUDED, AWAY, LIGHT], "only_excluded_online"),
        ([SATED], "all_at_quota"),
        ([SATED, EXCLUDED, LOST], "all_at_quota"),
        ([FULL], "all_at_limit"),
        ([FULL, AWAY], "all_at_limit"),
        ([FULL, EXCLUDED], "all_at_limit"),
        ([FULL, FULL_HERE, SATED], "all_at_limit"),
        ([FULL_HERE], "all_at_channel_limit"),
        ([FULL_HERE, AWAY, LIGHT], "all_at_channel_limit"),
        ([FULL_HERE, SATED, EXCLUDED], "all_at_channel_limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_dialog_nobody_gets_is_told_in_one_word_why(team, reason):
    decision = decide(waiting(excluded=[uid(28)]), team, "least_loaded")
    assert (decision.winner, decision.reason, decision.candidates) == (None, reason, ())
    assert sum(decision.excluded.values()) == len([p for p in team if p is not STRANGER])


WORDS = ("not_online", "connection_lost", "light_agent", "excluded", "at_limit", "at_channel_limit", "at_quota")


@given(st.dictionaries(st.sampled_from(WORDS), st.integers(1, 99)))
def test_how_many_are_out_for_a_reason_never_changes_the_word(out):
    assert why_nobody(out) == why_nobody(dict.fromkeys(out, 1))


@given(st.sets(st.sampled_from(WORDS)))
def test_the_word_never_hides_somebody_who_is_there(out):
    there = out & {"excluded", "at_limit", "at_channel_limit", "at_quota"}
    word = why_nobody(dict.fromkeys(out, 1))
    assert (word in ("team_empty", "nobody_online")) == (not there)
    assert (word == "all_at_limit") == ("at_limit" in there)
    assert (word == "team_empty") == (out <= {"light_agent"})


@thorough
@given(people(), dialogs(), st.sampled_from(list(Method)))
def test_everybody_of_the_team_is_either_shown_or_counted_and_the_whole_is_json(everybody, dialog, method):
    decision = decide(dialog, everybody, method)
    members = [p for p in everybody if dialog.team in p.teams]
    assert len(decision.candidates) + sum(decision.excluded.values()) == len(members)
    assert Counter(decision.excluded) == Counter(r for p in members if (r := why_not(p, dialog)))
    assert json.loads(json.dumps([list(decision.candidates), dict(decision.excluded)]))
    assert (decision.winner is None) == (decision.candidates == ())


def test_a_winner_is_never_among_those_counted_out():
    decision = decide(waiting(), [person(OLHA), person(TARAS), person(IRYNA, held=5)], "round_robin")
    assert {c["operator_id"] for c in decision.candidates} == {str(OLHA), str(TARAS)}
    assert decision.excluded == {"at_limit": 1}
