"""Why a dialog waits, as a drain at this moment would judge it (P110)."""

import pytest

from domain.decisions import WAITS, explain
from domain.dialogs import Place
from domain.queues import Ground, why_waiting
from tests.domain.values import NOON, OLHA, person, waiting


@pytest.mark.parametrize(
    ("ground", "place", "people", "reason"),
    [
        (Ground(is_active=False), Place.QUEUED, [person(OLHA)], "team_inactive"),
        (Ground(is_auto=False), Place.QUEUED, [person(OLHA)], "manual"),
        (Ground(), Place.UNASSIGNED, [person(OLHA)], "manual"),
        (Ground(), Place.QUEUED, [person(OLHA)], "next_in_line"),
        (Ground(), Place.QUEUED, [person(OLHA, status="away")], "nobody_online"),
        (Ground(), Place.QUEUED, [person(OLHA, held=5)], "all_at_limit"),
        (Ground(), Place.QUEUED, [person(OLHA, daily_quota=0)], "all_at_quota"),
        (Ground(), Place.QUEUED, [], "team_empty"),
    ],
)
def test_one_word_for_the_reason(ground, place, people, reason):
    wait = why_waiting(waiting(), place, ground, people, now=NOON)
    assert wait.reason == reason
    assert reason in WAITS


def test_a_forced_dialog_waits_although_somebody_has_room():
    assert why_waiting(waiting(is_forced=True), Place.QUEUED, Ground(), [person(OLHA)], now=NOON).reason == "forced"


def test_equal_loads_are_told_with_what_broke_the_tie():
    first = {"name": "Olha", "load": 1, "last_closed_at": None, "last_assigned_at": None}
    closed_later = {**first, "name": "Taras", "last_closed_at": "2026-11-22T09:00:00+00:00"}
    told = explain("least_loaded", "assigned", "least_loaded", "arrived", [first, closed_later], {"at_limit": 2})
    assert told.tie_break == "equal loads: the earlier last closing."
    assert told.says == "Olha came first of 2: equal loads: the earlier last closing. Out: 2 at the limit."
    assert explain("least_loaded", "assigned", "x", "arrived", [first, {**first, "load": 2}], {}).tie_break is None
    assert explain("round_robin", "assigned", "x", "arrived", [first, first], {}).tie_break
    assert "last operator" in explain("least_loaded", "assigned", "reserved_for", "closed", [first], {}).says
    assert explain("by_hand", "assigned", "taken", "taken", [], {}).says == "A person decided. (taken)"
