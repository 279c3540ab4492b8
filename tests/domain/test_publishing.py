"""What differs between versions, what starts a version by itself, who may start it."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.errors import ForbiddenError
from domain.launch_rights import is_among, names_system, require_may_launch
from domain.permissions import GRANTS, Viewer
from domain.publishing import automatic_triggers, changes, trigger_kinds
from domain.runs import failures_of, lanes_of, room_for

ME = UUID(int=7)


def viewer(role: str, *teams: str) -> Viewer:
    return Viewer(ME, "Me", frozenset({role}), frozenset(p.value for p in GRANTS[role]), frozenset(teams))


def test_steps_are_compared_by_their_ids():
    before = {"title": "A", "do": [{"id": "a", "x": 1}, {"id": "b"}], "tags": ["x"]}
    after = {"title": "B", "do": [{"id": "b"}, {"id": "c"}, {"id": "a", "x": 2}], "tags": ["x", "y"]}
    assert changes(before, after) == [
        {"path": "/title", "change": "changed", "before": "A", "after": "B"},
        {"path": "/do/a/x", "change": "changed", "before": 1, "after": 2},
        {"path": "/do/c", "change": "added", "after": {"id": "c"}},
        {"path": "/do", "change": "reordered", "before": ["a", "b"], "after": ["b", "a"]},
        {"path": "/tags/1", "change": "added", "after": "y"},
    ]
    assert changes(before, before) == []


def test_triggers_without_a_person_become_rows():
    canonical = {
        "inputs": {"a": {}, "b": {}},
        "triggers": [
            {"manual": {"from": ["table"]}},
            {"event": "dialog.closed", "if": "true"},
            {"schedule": {"cron": "0 1 * * *"}},
            {"webhook": {"path": "in", "secret": "S"}, "inputs": {"a": 1}},
        ],
    }
    rows = automatic_triggers(canonical)
    assert [(r["position"], r["kind"], r["match"]) for r in rows] == [
        (1, "event", "dialog.closed"), (2, "schedule", "0 1 * * *"), (3, "webhook", "in"),
    ]  # fmt: skip
    assert rows[2]["body"]["takes"] == ["b"]
    assert trigger_kinds(canonical) == ["manual", "event", "schedule", "webhook"]


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (None, True), ({}, True), ({"roles": ["operator"]}, True), ({"roles": ["admin"]}, False),
        ({"teams": ["support"]}, True), ({"teams": ["vip"]}, False), ({"users": [str(ME)]}, True),
        ({"users": ["ME@here"]}, True), ({"roles": ["admin"], "teams": ["support"]}, True),
    ],
)  # fmt: skip
def test_an_audience_is_any_of_those_it_names(audience, expected):
    assert is_among(viewer("operator", "support"), audience, "me@here") is expected


def test_who_may_not_send_starts_nothing_that_sends():
    listed = {"launch": {"roles": ["operator", "light_agent", "system"]}}
    require_may_launch(viewer("operator"), listed, ["message.send", "http:bank"], None)
    require_may_launch(viewer("light_agent"), listed, ["dialog.note"], None)
    for who, capabilities in ((viewer("light_agent"), ["message.send"]), (viewer("operator"), ["dialog.assign"])):
        with pytest.raises(ForbiddenError):
            require_may_launch(who, listed, capabilities, None)
    require_may_launch(viewer("operator"), {**listed, "run_as": "system"}, ["dialog.assign"], None)
    assert names_system(listed)
    assert not names_system({})


def test_the_window_counts_those_at_work_and_bounds_those_that_wait():
    assert room_for(20, running=5, waiting=3) == 15
    assert room_for(20, running=25, waiting=0) == 0
    assert room_for(50, running=0, waiting=9_990) == 10
    assert [lanes_of(n) for n in (1, 20, 50)] == [1, 2, 4]
    assert failures_of({"max_failures": "5%", "on_error": "stop"}) == ("stop", None, 5.0)
    assert failures_of(None) == ("continue", None, None)
