"""Policies as people write them, and what they promise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendars.calendars import ALWAYS
from domain.clocks.metrics import Metric
from domain.clocks.policies import Chosen, Norms, Policy, Promise, body_of, norms_of, plan_for, policy_of
from domain.errors import InvalidError
from tests.domain.clocks.scenes import OFFICE, WITH_LUNCH

TFR = {"metric": "tfr", "alias": "First answer", "target": 900, "warn": [80, 50, 80], "targets": {"critical": 300}}
TIS = {"metric": "tis", "status": "in_progress", "target": 14_400}


def test_a_policy_is_read_as_it_is_written() -> None:
    policy = policy_of({"kinds": ["ticket", "chat"], "calendar": "office", "metrics": [TFR, TIS]})
    assert policy == Policy(
        (
            Promise(Metric.TFR, 900, "", "First answer", (50, 80), {"critical": 300}),
            Promise(Metric.TIS, 14_400, "in_progress"),
        ),
        frozenset({"ticket", "chat"}),
        "office",
    )
    assert policy_of(body_of(policy)) == policy


def test_a_policy_is_about_tickets_unless_it_says_otherwise() -> None:
    assert policy_of({"metrics": [TFR]}).kinds == {"ticket"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metrics": []}, "metrics"),
        ({"metrics": None}, "metrics"),
        ({"metrics": [TFR] * 21}, "metrics"),
        ({"metrics": ["tfr"]}, "metrics.0"),
        ({"metrics": [TFR, TFR]}, "metrics.1.metric"),
        ({"metrics": [TIS, TIS]}, "metrics.1.metric"),
        ({"metrics": [{**TFR, "metric": "accept"}]}, "metrics.0.metric"),
        ({"metrics": [{**TFR, "metric": []}]}, "metrics.0.metric"),
        ({"metrics": [{"metric": "tfr"}]}, "metrics.0.target"),
        ({"metrics": [{**TFR, "target": 0}]}, "metrics.0.target"),
        ({"metrics": [{**TFR, "target": -5}]}, "metrics.0.target"),
        ({"metrics": [{**TFR, "target": 10**30}]}, "metrics.0.target"),
        ({"metrics": [{**TFR, "target": 1.5}]}, "metrics.0.target"),
        ({"metrics": [{**TFR, "target": True}]}, "metrics.0.target"),
        ({"metrics": [{**TFR, "target": "900"}]}, "metrics.0.target"),
        ({"metrics": [{**TFR, "warn": [0]}]}, "metrics.0.warn"),
        ({"metrics": [{**TFR, "warn": [100]}]}, "metrics.0.warn"),
        ({"metrics": [{**TFR, "warn": [True]}]}, "metrics.0.warn"),
        ({"metrics": [{**TFR, "warn": list(range(1, 30))}]}, "metrics.0.warn"),
        ({"metrics": [{**TFR, "warn": 50}]}, "metrics.0.warn"),
        ({"metrics": [{**TFR, "targets": {"critical": 0}}]}, "metrics.0.targets.critical"),
        ({"metrics": [{**TFR, "targets": {"worst": 5}}]}, "metrics.0.targets"),
        ({"metrics": [{**TFR, "targets": [5]}]}, "metrics.0.targets"),
        ({"metrics": [{**TFR, "alias": "a\x00b"}]}, "metrics.0.alias"),
        ({"metrics": [{**TFR, "alias": "\ud800"}]}, "metrics.0.alias"),
        ({"metrics": [{**TFR, "alias": "x" * 101}]}, "metrics.0.alias"),
        ({"metrics": [{**TFR, "status": "open"}]}, "metrics.0.status"),
        ({"metrics": [{**TIS, "status": None}]}, "metrics.0.status"),
        ({"metrics": [{**TIS, "status": "closed"}]}, "metrics.0.status"),
        ({"metrics": [{**TFR, "color": 1}]}, "metrics.0.color"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["letter"]}, "kinds"),
        ({"kinds": "ticket"}, "kinds"),
        ({"kinds": [[]]}, "kinds"),
        ({"kinds": [""]}, "kinds"),
        ({"calendar": ""}, "calendar"),
        ({"calendar": 5}, "calendar"),
        ({"calender": "office"}, "calender"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        policy_of({"metrics": [TFR], **change}, frozenset({"normal", "critical"}))
    assert refused.value.extra["field"] == field


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_NAMES = ("kinds", "calendar", "metrics", "metric", "status", "alias", "target", "warn", "targets")


_objects = st.dictionaries(st.sampled_from(_NAMES), json_values, max_size=5)


@given(st.dictionaries(st.sampled_from(_NAMES), json_values | st.lists(_objects, max_size=3)))
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        policy = policy_of(body)
    except InvalidError as refused:
        place = refused.extra["field"]
    else:
        place = ""
        assert policy_of(body_of(policy)) == policy
    assert place.split(".")[0] in {"", *_NAMES}


def test_a_name_no_text_may_hold_is_told_back_spelled_out() -> None:
    with pytest.raises(InvalidError) as refused:
        policy_of({"metrics": [TFR], "\ud800\x00": 1})
    assert refused.value.extra["field"] == "\\ud800\\x00"


def test_a_priority_may_have_its_own_target() -> None:
    policy = policy_of({"metrics": [TFR]})
    plans = {p: plan_for(policy, "ticket", p, None, Norms()) for p in (None, "normal", "critical")}
    assert [plans[p].targets[0].seconds for p in (None, "normal", "critical")] == [900, 900, 300]


def test_a_kind_the_policy_is_not_about_is_promised_nothing_but_norms() -> None:
    plan = plan_for(policy_of({"metrics": [TFR]}), "chat", None, None, Norms(60, 120), policy_ref=("standard", 1))
    assert [(t.metric, t.seconds) for t in plan.targets] == [("accept", 60), ("respond", 120)]
    assert plan.policy is None


@pytest.mark.parametrize(("kind", "targets"), [("chat", 2), ("ticket", 2), ("comment", 0), ("group", 0)])
def test_norms_concern_chats_and_tickets(kind: str, targets: int) -> None:
    assert len(plan_for(None, kind, None, None, Norms(60, 120)).targets) == targets


def test_p60_an_empty_norm_of_a_team_means_the_global_one() -> None:
    assert norms_of(None, 30, Norms(60, 120)) == Norms(60, 30)
    assert norms_of(None, None, Norms()) == Norms()


def test_the_calendar_is_the_topics_else_the_policys_else_every_second_counts() -> None:
    policy = policy_of({"calendar": "lunch", "metrics": [TFR]})
    topics, own = Chosen(OFFICE, ("office", 2)), Chosen(WITH_LUNCH, ("lunch", 1))
    norms = Norms(60)
    both = plan_for(policy, "ticket", None, topics, norms, policy_calendar=own)
    assert (both.calendar_for(Metric.TFR), both.calendar_for(Metric.ACCEPT)) == ((OFFICE, ("office", 2)),) * 2
    policys = plan_for(policy, "ticket", None, None, norms, policy_calendar=own)
    assert policys.calendar_for(Metric.TFR) == (WITH_LUNCH, ("lunch", 1))
    assert policys.calendar_for(Metric.ACCEPT) == (ALWAYS, None)
    assert plan_for(policy, "ticket", None, None, norms).calendar_for(Metric.TFR) == (ALWAYS, None)


def test_norms_are_no_policys() -> None:
    plan = plan_for(policy_of({"metrics": [TFR]}), "ticket", None, None, Norms(60), policy_ref=("standard", 4))
    assert (plan.policy_for(Metric.TFR), plan.policy_for(Metric.ACCEPT)) == (("standard", 4), None)
