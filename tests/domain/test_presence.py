"""Chosen status and living connection (P99, P101, P102, DECISIONS 26)."""

import pytest

from domain.errors import InvalidError
from domain.presence import GRACE, HEARTBEAT, LEASE, Presence, can_receive, is_connected, require_lease
from tests.domain.values import MICROSECOND, NOON


@pytest.mark.parametrize("seconds", [1, 45, 3600, 86_400])
def test_a_lease_lasts_from_one_second_to_a_day(seconds):
    require_lease(seconds)


@pytest.mark.parametrize("seconds", [0, -1, 86_401, 10**30, -(10**30)])
def test_any_other_lease_is_refused_by_field(seconds):
    with pytest.raises(InvalidError, match="1 second to 24 hours") as refusal:
        require_lease(seconds)
    assert refusal.value.extra == {"field": "lease"}


def test_a_lease_lives_until_its_end_to_the_microsecond():
    assert is_connected(NOON + MICROSECOND, NOON)
    assert not is_connected(NOON, NOON)
    assert not is_connected(NOON - MICROSECOND, NOON)


def test_who_never_had_a_lease_is_not_connected():
    assert not is_connected(None, NOON)


@pytest.mark.parametrize("status", list(Presence))
@pytest.mark.parametrize("lives", [True, False], ids=["lease alive", "lease over"])
def test_only_online_with_a_living_lease_receives(status, lives):
    lease = NOON + MICROSECOND if lives else NOON
    assert can_receive(status, lease, NOON) == (status == "online" and lives)


def test_one_lost_heartbeat_does_not_end_the_lease_and_the_grace_is_longer_than_it():
    assert 2 * HEARTBEAT < LEASE < GRACE
