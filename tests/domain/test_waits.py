"""Until when a dialog waits (DECISIONS 17, 24); the words are in test_queues.py."""

from datetime import timedelta

import pytest

from domain.decisions import WAITS
from domain.queues import Ground, why_waiting
from tests.domain.values import MICROSECOND, NOON, OLHA, person, waiting

AUTO = Ground()
SOON = NOON + timedelta(minutes=2)


def wait(dialog=None, ground=AUTO, people=(), **more):
    told = why_waiting(dialog or waiting(), "queued", ground, people, now=NOON, **more)
    assert told.reason in WAITS
    return told


def test_what_nobody_can_get_waits_for_the_reason_of_the_decision():
    told = wait(people=[person(held=5)])
    assert (told.reason, told.until) == ("all_at_limit", None)
    assert told.decision.excluded == {"at_limit": 1}


def test_one_put_into_the_queue_on_purpose_that_nobody_could_get_is_told_the_other_reason():
    assert wait(waiting(is_forced=True), people=[person(held=5)]).reason == "all_at_limit"


def test_it_is_judged_by_the_method_of_its_team():
    assert wait(ground=Ground(method="round_robin"), people=[person(OLHA)]).decision.method == "round_robin"


def test_where_only_the_excluded_are_there_it_says_until_when():
    dialog = waiting(excluded=[OLHA])
    told = wait(dialog, people=[person(OLHA)], ends_alone_at=SOON)
    assert (told.reason, told.until) == ("only_excluded_online", SOON)


@pytest.mark.parametrize("ends", [None, NOON, NOON - MICROSECOND])
def test_an_end_that_has_passed_or_is_unknown_is_not_promised(ends):
    assert wait(waiting(excluded=[OLHA]), people=[person(OLHA)], ends_alone_at=ends).until is None


def test_the_end_of_an_exclusion_helps_nobody_where_it_is_not_what_stands_in_the_way():
    told = wait(waiting(excluded=[OLHA]), people=[person(OLHA, status="away")], ends_alone_at=SOON)
    assert (told.reason, told.until) == ("nobody_online", None)
