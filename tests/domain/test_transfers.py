"""Offers: windows, the deadline that decides, the truth for the late, where the dialog goes (I3, P127 to P135)."""

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidError, OfferEndedError, OfferExpiredError
from domain.transfers import EXCLUDES, WINDOW, Offer, require_window, returns_to_sender, state_at, why_too_late
from tests.domain.strategies import patient
from tests.domain.values import MICROSECOND, NOON

DEADLINE = NOON.replace(minute=3, second=41)
ENDED = [state for state in Offer if state != Offer.PENDING]


def test_the_window_is_two_minutes_unless_the_team_says_otherwise():
    assert timedelta(minutes=2) == WINDOW


@pytest.mark.parametrize("seconds", [5, 6, 120, 86_399, 86_400])
def test_a_window_lasts_from_five_seconds_to_a_day(seconds):
    require_window(seconds)


@pytest.mark.parametrize("seconds", [4, 0, -120, 86_401, 10**30, -(10**30)])
def test_any_other_window_is_refused_by_field(seconds):
    with pytest.raises(InvalidError, match="5 seconds to 24 hours") as refusal:
        require_window(seconds)
    assert refusal.value.extra == {"field": "transfer_window"}


def test_an_offer_is_pending_to_the_last_microsecond_and_expired_at_its_deadline():
    assert state_at("pending", DEADLINE, DEADLINE - MICROSECOND) == "pending"
    assert state_at("pending", DEADLINE, DEADLINE) == "expired"
    assert state_at("pending", DEADLINE, DEADLINE + MICROSECOND) == "expired"


def test_an_offer_without_a_deadline_waits_for_ever():
    assert state_at("pending", None, NOON + timedelta(days=9999)) == "pending"


@pytest.mark.parametrize("state", ENDED)
@pytest.mark.parametrize("late", [-MICROSECOND, timedelta(), MICROSECOND], ids=["before", "at", "after"])
def test_an_offer_that_ended_stays_as_it_ended_whatever_the_deadline(state, late):
    assert state_at(state, DEADLINE, DEADLINE + late) == state


@patient
@given(st.lists(st.integers(-5, 5), min_size=2).map(sorted))
def test_an_expired_offer_never_comes_back_to_life(offsets):
    told = [state_at("pending", DEADLINE, DEADLINE + n * MICROSECOND) for n in offsets]
    assert told == sorted(told, key=["pending", "expired"].index)
    assert told.count("pending") == sum(n < 0 for n in offsets)


@pytest.mark.parametrize(
    ("state", "holder", "text"),
    [
        ("expired", "Olha", "The offer expired at 12:03:41 UTC, now with Olha."),
        ("expired", None, "The offer expired at 12:03:41 UTC, and nobody holds the dialog now."),
        ("accepted", "Taras", "The offer was accepted at 12:02:07 UTC, now with Taras."),
        ("declined", "Olha", "The offer was declined at 12:02:07 UTC, now with Olha."),
        ("declined", None, "The offer was declined at 12:02:07 UTC, and nobody holds the dialog now."),
        ("cancelled", "Olha", "The offer was cancelled at 12:02:07 UTC, now with Olha."),
        ("rescinded", None, "The offer was rescinded at 12:02:07 UTC, and nobody holds the dialog now."),
    ],
)
@pytest.mark.parametrize("zone", [0, 2, -5], ids=["UTC", "UTC+2", "UTC-5"])
def test_who_clicks_too_late_is_told_what_happened_when_and_who_has_it(state, holder, text, zone):
    deadline, ended = (
        at.astimezone(timezone(timedelta(hours=zone))) for at in (DEADLINE, DEADLINE.replace(minute=2, second=7))
    )
    refusal = why_too_late(Offer(state), deadline, ended, holder)
    assert refusal.detail == text
    assert refusal.extra == {"state": state}
    assert type(refusal) is (OfferExpiredError if state == "expired" else OfferEndedError)


def test_an_expiry_is_dated_at_its_deadline_not_when_it_was_carried_out():
    refusal = why_too_late("expired", DEADLINE, DEADLINE + timedelta(minutes=30), "Olha")
    assert "at 12:03:41 UTC" in refusal.detail


@pytest.mark.parametrize("state", ENDED)
def test_without_a_moment_the_truth_is_shorter(state):
    text = why_too_late(state, None, None, None).detail
    assert " at " not in text
    assert text.endswith(", and nobody holds the dialog now.")


@pytest.mark.parametrize(
    ("fallback", "online", "returns"),
    [("return", True, True), ("return", False, False), ("pool", True, False), ("pool", False, False)],
)
def test_an_offer_nobody_took_returns_only_to_a_sender_who_is_online_where_the_team_returns(fallback, online, returns):
    assert returns_to_sender(fallback, sender_is_online=online) == returns


@pytest.mark.parametrize("state", list(Offer))
def test_only_who_declined_or_let_it_expire_is_not_offered_it_again(state):
    assert (state in EXCLUDES) == (state in ("declined", "expired"))
