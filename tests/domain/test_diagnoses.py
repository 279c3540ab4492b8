"""Why no dialog comes to an operator (P112, P113)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.capacity import Limits, Load
from domain.diagnoses import Standing, TeamStanding, diagnose, gets_dialogs
from tests.domain.values import NOON, ago

SUPPORT = TeamStanding(is_auto=True, is_active=True, topics=["payment", "delivery"], queued=3, unassigned=0)
FINE = Standing(
    now=NOON, is_active=True, may_hold=True, status="online", status_reason=None,
    lease_until=NOON + timedelta(seconds=45), seen_at=ago(0.1), limits=Limits(5, {"mail": 2}),
    load=Load(2, {"mail": 1, "demo": 1}), contacts_today=3, daily_quota=10, teams={"support": SUPPORT}, excluded_from=0,
)  # fmt: skip


def failing(**facts) -> dict[str, str]:
    return {c.check: c.says for c in diagnose(replace(FINE, **facts)) if not c.ok}


def test_nothing_is_wrong_with_somebody_who_is_there_with_room():
    assert failing() == {}
    assert gets_dialogs(diagnose(FINE))


@pytest.mark.parametrize(
    ("facts", "check", "says"),
    [
        ({"is_active": False}, "account", "The account is deactivated."),
        ({"may_hold": False}, "role", "No role of this person has the right dialog.hold."),
        ({"status": "busy"}, "status", "The chosen status is busy. Only online receives."),
        (
            {"status": "away", "status_reason": "lunch"}, "status",
            "The chosen status is away (lunch). Only online receives.",
        ),
        ({"lease_until": NOON, "seen_at": ago(2)}, "connection", "The connection is lost: last seen 120 s ago."),
        ({"lease_until": None, "seen_at": None}, "connection", "There has never been a connection."),
        ({"load": Load(5, {"demo": 5})}, "limit", "5 of 5 slots are taken."),
        ({"load": Load(7, {"demo": 7})}, "limit", "7 of 5 slots are taken."),
        ({"contacts_today": 10}, "quota", "10 of 10 clients today. Only clients met today may still come."),
        ({"teams": {}}, "teams", "This person is in no team."),
        (
            {"teams": {"b": replace(SUPPORT, is_auto=False), "a": replace(SUPPORT, is_active=False)}}, "teams",
            "None of the teams distributes automatically: a, b.",
        ),
    ],
)  # fmt: skip
def test_each_thing_that_keeps_every_dialog_away(facts, check, says):
    assert failing(**facts)[check] == says
    assert not gets_dialogs(diagnose(replace(FINE, **facts)))


@pytest.mark.parametrize(
    ("facts", "check", "says"),
    [
        ({"load": Load(2, {"mail": 2})}, "channel_limit", "2 of 2 slots of the channel mail are taken."),
        ({"excluded_from": 2}, "exclusions",
         "2 waiting dialogs exclude this person after a decline, an expiry or a release."),
        ({"teams": {"support": replace(SUPPORT, topics=[])}}, "topics",
         "No topic leads to these teams: only dialogs without a topic, or moved there, come."),
        ({"teams": {"support": replace(SUPPORT, queued=0)}}, "waiting", "Nothing is queued in these teams."),
        ({"teams": {"support": replace(SUPPORT, queued=0, unassigned=4)}}, "waiting",
         "Nothing is queued in these teams. 4 wait to be taken by hand."),
    ],
)  # fmt: skip
def test_each_thing_that_only_narrows(facts, check, says):
    assert failing(**facts) == {check: says}
    assert gets_dialogs(diagnose(replace(FINE, **facts)))


def test_everything_is_looked_at_in_the_order_distribution_asks():
    assert [c.check for c in diagnose(FINE)] == [
        "account", "role", "status", "connection", "limit", "channel_limit", "quota", "teams", "topics", "exclusions",
        "waiting",
    ]  # fmt: skip


def test_each_channel_with_a_limit_is_told_on_its_own():
    checks = [c for c in diagnose(replace(FINE, limits=Limits(5, {"sms": 0, "mail": 2}))) if c.check == "channel_limit"]
    assert [(c.facts["channel"], c.ok) for c in checks] == [("mail", True), ("sms", False)]


def test_the_quota_is_told_as_actual_of_quota():
    [quota] = [c for c in diagnose(FINE) if c.check == "quota"]
    assert (quota.says, quota.facts) == ("3 of 10 clients today.", {"actual": 3, "quota": 10})
    [free] = [c for c in diagnose(replace(FINE, daily_quota=None)) if c.check == "quota"]
    assert (free.ok, free.says) == (True, "3 clients today, no quota.")


def test_one_working_team_is_enough_and_the_idle_ones_are_named():
    teams = {"support": SUPPORT, "sales": replace(SUPPORT, is_auto=False)}
    [said] = [c for c in diagnose(replace(FINE, teams=teams)) if c.check == "teams"]
    assert (said.ok, said.says) == (True, "Dialogs come from: support. Not automatic or not active: sales.")
