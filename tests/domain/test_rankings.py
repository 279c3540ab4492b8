"""Which operator gets it: each method and each of its tie-breaks (P94 to P97)."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.distribution import Decision, Method, decide
from tests.domain import slow_reference
from tests.domain.strategies import dialogs, patient, people, thorough
from tests.domain.values import IRYNA, OLHA, TARAS, ago, person, uid, waiting

BY_LOAD = [Method.LEAST_LOADED, Method.TOPIC_PRIORITY]
both_orders = pytest.mark.parametrize("turned", [False, True], ids=["as listed", "turned round"])


def winner(method: str, *people, turned: bool = False):
    return decide(waiting(), people[::-1] if turned else people, method).winner


@pytest.mark.parametrize("method", BY_LOAD)
@both_orders
def test_the_one_with_the_fewest_dialogs_gets_it(method, turned):
    busier_but_idle_for_longer = person(OLHA, held=3, last_assigned_at=ago(90), last_closed_at=ago(90))
    assert (
        winner(method, busier_but_idle_for_longer, person(TARAS, held=2, last_closed_at=ago(1)), turned=turned) == TARAS
    )


@pytest.mark.parametrize("method", BY_LOAD)
def test_dialogs_count_not_the_share_of_the_limit(method):
    assert winner(method, person(OLHA, held=3, limit=50), person(TARAS, held=2, limit=3)) == TARAS


@pytest.mark.parametrize("method", BY_LOAD)
def test_dialogs_of_all_channels_count(method):
    assert winner(method, person(OLHA, held={"mail": 3}), person(TARAS, held={"demo": 2})) == TARAS


@pytest.mark.parametrize("method", BY_LOAD)
@both_orders
def test_among_equal_loads_the_earliest_last_close_wins(method, turned):
    olha = person(OLHA, held=1, last_closed_at=ago(5), last_assigned_at=ago(60))
    taras = person(TARAS, held=1, last_closed_at=ago(9), last_assigned_at=ago(1))
    assert winner(method, olha, taras, turned=turned) == TARAS


@pytest.mark.parametrize("method", BY_LOAD)
@both_orders
def test_who_never_closed_one_comes_before_who_did(method, turned):
    olha = person(OLHA, last_closed_at=ago(600), last_assigned_at=ago(600))
    taras = person(TARAS, last_closed_at=None, last_assigned_at=ago(1))
    assert winner(method, olha, taras, turned=turned) == TARAS


@pytest.mark.parametrize("method", BY_LOAD)
@both_orders
def test_among_equal_closes_the_longest_since_the_last_assignment_wins(method, turned):
    olha = person(OLHA, last_closed_at=ago(5), last_assigned_at=ago(2))
    taras = person(TARAS, last_closed_at=ago(5), last_assigned_at=ago(3))
    assert winner(method, olha, taras, turned=turned) == TARAS


@both_orders
def test_round_robin_prefers_the_one_who_waited_longest_whatever_the_load(turned):
    olha = person(OLHA, held=0, last_assigned_at=ago(2), last_closed_at=ago(90))
    taras = person(TARAS, held=4, last_assigned_at=ago(3), last_closed_at=ago(1))
    assert winner("round_robin", olha, taras, turned=turned) == TARAS


@both_orders
def test_round_robin_begins_with_those_who_never_had_one(turned):
    olha, taras = person(OLHA, last_assigned_at=ago(9999)), person(TARAS, last_assigned_at=None)
    assert winner("round_robin", olha, taras, turned=turned) == TARAS


@pytest.mark.parametrize("method", list(Method))
@both_orders
def test_complete_equals_are_told_apart_by_their_id(method, turned):
    assert winner(method, person(TARAS), person(IRYNA), person(OLHA), turned=turned) == OLHA


@pytest.mark.parametrize("method", list(Method))
def test_who_cannot_get_it_never_wins_however_idle(method):
    out = [
        person(uid(11), is_light=True), person(uid(12), status="away"), person(uid(13), is_connected=False),
        person(uid(14), limit=0), person(uid(15), daily_quota=0), person(uid(16), teams=["sales"]),
    ]  # fmt: skip
    assert winner(method, *out, person(OLHA, held=4, last_assigned_at=ago(0), last_closed_at=ago(0))) == OLHA
    assert winner(method, *out) is None


@pytest.mark.parametrize("method", list(Method))
def test_a_dialog_kept_for_somebody_goes_to_them_when_they_can_get_it(method):
    dialog = waiting(reserved_for=TARAS)
    decision = decide(dialog, [person(OLHA), person(TARAS, held=4, last_assigned_at=ago(0))], method)
    assert (decision.winner, decision.reason) == (TARAS, "reserved_for")


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("away", [person(TARAS, held=5), person(TARAS, status="offline")], ids=["full", "offline"])
def test_a_dialog_kept_for_somebody_who_cannot_get_it_goes_on_as_usual(method, away):
    decision = decide(waiting(reserved_for=TARAS), [away, person(OLHA)], method)
    assert (decision.winner, decision.reason) == (OLHA, method)


def test_being_kept_for_somebody_leaves_the_others_in_their_order():
    everybody = [person(uid(n), held=n) for n in range(5)]
    shown = decide(waiting(reserved_for=uid(3)), everybody, "least_loaded").candidates
    assert [c["operator_id"] for c in shown] == [str(uid(n)) for n in (3, 0, 1, 2, 4)]


@thorough
@given(people(), dialogs(), st.sampled_from(list(Method)))
def test_the_winner_and_all_behind_are_ranked_as_the_slow_reference_ranks_them(everybody, dialog, method):
    decision: Decision = decide(dialog, everybody, method)
    order = slow_reference.ranked(dialog, everybody, method)
    assert decision.winner == (order[0] if order else None)
    assert [c["operator_id"] for c in decision.candidates] == [str(i) for i in order]


@patient
@given(people(least=1), dialogs(), st.sampled_from(list(Method)), st.randoms(use_true_random=False))
def test_the_order_in_which_people_are_listed_decides_nothing(everybody, dialog, method, random):
    shuffled = random.sample(everybody, len(everybody))
    assert decide(dialog, shuffled, method) == decide(dialog, everybody, method)


@patient
@given(people(least=2), dialogs(), st.sampled_from(list(Method)))
def test_taking_away_a_loser_changes_no_winner(everybody, dialog, method):
    first = decide(dialog, everybody, method).winner
    assume(first is not None)
    for loser in [p for p in everybody if p.operator_id != first]:
        rest = [p for p in everybody if p is not loser]
        assert decide(dialog, rest, method).winner == first
