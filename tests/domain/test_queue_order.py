"""Who leaves the queue first (P93, P96, P104)."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.distribution import Method, queue_order
from tests.domain import slow_reference
from tests.domain.strategies import queues, thorough
from tests.domain.values import uid, waiting

PLAIN = [Method.LEAST_LOADED, Method.ROUND_ROBIN]
ALL = list(Method)


def order(method, *dialogs):
    return [d.dialog_id.int for d in sorted(dialogs, key=partial(queue_order, method=method))]


@pytest.mark.parametrize("method", ALL)
def test_the_oldest_goes_first_among_equals(method):
    assert order(method, waiting(1, minutes=5), waiting(2, minutes=30), waiting(3, minutes=10)) == [2, 3, 1]


@pytest.mark.parametrize("method", ALL)
def test_a_heavier_one_goes_before_an_older_one(method):
    assert order(method, waiting(1, minutes=99), waiting(2, minutes=1, weight=1)) == [2, 1]


@pytest.mark.parametrize("method", ALL)
def test_a_lighter_weight_than_none_goes_last(method):
    assert order(method, waiting(1, minutes=99, weight=-1), waiting(2, minutes=1)) == [2, 1]


def test_under_topic_priority_the_more_important_topic_goes_before_weight_and_age():
    heavy, important = waiting(1, minutes=99, weight=50), waiting(2, minutes=1, priority=1)
    assert order("topic_priority", heavy, important) == [2, 1]


def test_under_topic_priority_weight_then_age_break_ties():
    dialogs = [
        waiting(1, priority=2, minutes=9), waiting(2, priority=2, weight=1, minutes=1),
        waiting(3, priority=2, minutes=10), waiting(4, priority=1, weight=9, minutes=99),
    ]  # fmt: skip
    assert order("topic_priority", *dialogs) == [2, 3, 1, 4]


@pytest.mark.parametrize("method", PLAIN)
def test_elsewhere_the_topic_has_no_say(method):
    assert order(method, waiting(1, minutes=9), waiting(2, minutes=1, priority=9)) == [1, 2]


@pytest.mark.parametrize("method", ALL)
def test_complete_equals_leave_in_the_order_of_their_ids(method):
    assert order(method, waiting(3), waiting(1), waiting(2)) == [1, 2, 3]


@pytest.mark.parametrize("method", ALL)
def test_being_forced_or_kept_for_somebody_does_not_move_a_dialog(method):
    dialogs = [waiting(1, minutes=3), waiting(2, minutes=2, is_forced=True), waiting(3, minutes=1, reserved_for=uid(1))]
    assert order(method, *dialogs) == [1, 2, 3]


@thorough
@given(queues(), st.sampled_from(ALL))
def test_the_order_is_what_the_slow_reference_says(dialogs, method):
    assert sorted(dialogs, key=partial(queue_order, method=method)) == slow_reference.in_queue_order(dialogs, method)


@thorough
@given(queues(), st.sampled_from(ALL))
def test_no_two_dialogs_stand_in_the_same_place(dialogs, method):
    assert len({queue_order(d, method) for d in dialogs}) == len(dialogs)
