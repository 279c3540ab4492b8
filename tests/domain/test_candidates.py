"""Who can get a dialog and why somebody cannot (P88, P89, P99, P102, P103, P112, P113, P10)."""

import pytest
from hypothesis import given

from domain.distribution import decide, why_not
from tests.domain.slow_reference import may_get
from tests.domain.strategies import candidates, dialogs, thorough
from tests.domain.values import OLHA, TARAS, person, uid, waiting

CLIENT = uid(77)


def test_somebody_online_of_the_team_with_room_can_get_it():
    assert why_not(person(), waiting()) is None


@pytest.mark.parametrize(
    ("someone", "reason"),
    [
        (person(teams=["sales"]), "other_team"),
        (person(teams=[]), "other_team"),
        (person(is_light=True), "light_agent"),
        (person(status="busy"), "not_online"),
        (person(status="away"), "not_online"),
        (person(status="offline"), "not_online"),
        (person(is_connected=False), "connection_lost"),
        (person(held=5, limit=5), "at_limit"),
        (person(held={"demo": 2}, channel_limits={"demo": 2}), "at_channel_limit"),
        (person(daily_quota=3, contacts_today=3), "at_quota"),
        (person(daily_quota=3, contacts_today=4), "at_quota"),
        (person(daily_quota=0), "at_quota"),
    ],
)
def test_each_reason_has_its_word(someone, reason):
    assert why_not(someone, waiting()) == reason


def test_whom_the_dialog_excludes_cannot_get_it_and_others_can():
    dialog = waiting(excluded=[OLHA])
    assert why_not(person(OLHA), dialog) == "excluded"
    assert why_not(person(TARAS), dialog) is None


def test_one_of_several_teams_is_enough():
    assert why_not(person(teams=["sales", "support", "vip"]), waiting()) is None


def test_the_limit_of_another_channel_does_not_matter():
    someone = person(held={"mail": 2}, channel_limits={"mail": 2})
    assert why_not(someone, waiting(channel="demo")) is None
    assert why_not(someone, waiting(channel="mail")) == "at_channel_limit"


def test_at_the_quota_a_client_met_today_is_still_welcome():
    someone = person(daily_quota=3, contacts_today=3, known_contacts=frozenset({CLIENT}))
    assert why_not(someone, waiting(contact_id=CLIENT)) is None
    assert why_not(someone, waiting(contact_id=uid(78))) == "at_quota"


def test_a_known_client_does_not_lift_the_limits():
    someone = person(held=5, daily_quota=3, contacts_today=3, known_contacts=frozenset({CLIENT}))
    assert why_not(someone, waiting(contact_id=CLIENT)) == "at_limit"


def test_the_last_client_of_the_quota_is_let_in():
    assert why_not(person(daily_quota=3, contacts_today=2), waiting()) is None


def test_no_quota_means_any_number_of_clients():
    assert why_not(person(daily_quota=None, contacts_today=10_000), waiting()) is None


def test_a_reservation_lifts_nothing():
    assert why_not(person(OLHA, held=5), waiting(reserved_for=OLHA)) == "at_limit"
    assert why_not(person(OLHA, status="away"), waiting(reserved_for=OLHA)) == "not_online"
    assert why_not(person(OLHA), waiting(reserved_for=OLHA, excluded=[OLHA])) == "excluded"


def test_the_first_reason_told_is_the_one_most_worth_mending():
    everything = {"is_light": True, "status": "away", "is_connected": False, "held": 5, "daily_quota": 0}
    dialog = waiting(excluded=[OLHA])
    told = []
    for fixed in (
        {"teams": ["sales"]}, {}, {"is_light": False}, {"status": "online"}, {"is_connected": True},
    ):  # fmt: skip
        everything |= fixed
        told.append(why_not(person(**everything), dialog))
        everything.pop("teams", None)
    told += [why_not(person(**everything), waiting()), why_not(person(**everything | {"held": 0}), waiting())]
    assert told == [
        "other_team", "light_agent", "not_online", "connection_lost", "excluded", "at_limit", "at_quota",
    ]  # fmt: skip


@thorough
@given(candidates(), dialogs())
def test_who_can_get_a_dialog_is_what_the_slow_reference_says(someone, dialog):
    assert (why_not(someone, dialog) is None) == may_get(someone, dialog)


@thorough
@given(candidates(), dialogs())
def test_alone_one_gets_it_exactly_when_nothing_speaks_against(someone, dialog):
    winner = decide(dialog, [someone], "round_robin").winner
    assert (winner == someone.operator_id) == (why_not(someone, dialog) is None)
    assert winner in (someone.operator_id, None)
