"""Why a dialog waits (P110, DECISIONS 17, 19, 24)."""

from datetime import timedelta

import pytest

from domain.decisions import WAITS
from domain.queues import Ground, why_waiting
from tests.domain.values import MICROSECOND, NOON, OLHA, person, waiting

AUTO = Ground()
SOON = NOON + timedelta(minutes=2)


def wait(dialog=None, place="queued", ground=AUTO, people=(), **more):
    told = why_waiting(dialog or waiting(), place, ground, people, now=NOON, **more)
    assert told.reason in WAITS
    return told


def test_in_a_team_that_is_not_active_nothing_else_matters():
    assert wait(ground=Ground(is_active=False, is_auto=False), people=[person()]).reason == "team_inactive"


@pytest.mark.parametrize(("place", "ground"), [("unassigned", AUTO), ("queued", Ground(is_auto=False))])
def test_where_nobody_distributes_somebody_must_take_it(place, ground):
    told = wait(place=place, ground=ground, people=[person()])
    assert (told.reason, told.decision, told.until) == ("manual", None, None)


def test_what_nobody_can_get_waits_for_the_reason_of_the_decision():
    told = wait(people=[person(held=5)])
    assert (told.reason, told.until) == ("all_at_limit", None)
    assert told.decision.excluded == {"at_limit": 1}


def test_what_somebody_could_get_is_next_unless_it_was_put_into_the_queue_on_purpose():
    assert wait(people=[person(OLHA)]).reason == "next_in_line"
    assert wait(waiting(is_forced=True), people=[person(OLHA)]).reason == "forced"
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
