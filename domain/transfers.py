"""Offers of a dialog from one operator to another: how each ends, exactly once."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.errors import DomainError, InvalidError, OfferEndedError, OfferExpiredError

WINDOW = timedelta(seconds=120)
SHORTEST_WINDOW = timedelta(seconds=5)
LONGEST_WINDOW = timedelta(hours=24)


class Offer(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    RESCINDED = "rescinded"
    EXPIRED = "expired"


class Fallback(StrEnum):
    RETURN = "return"
    POOL = "pool"


#: how an offer that ended so leaves the dialog: True = the one it was offered to is not offered it again
EXCLUDES = frozenset({Offer.DECLINED, Offer.EXPIRED})


def require_window(seconds: int) -> None:
    """Raises InvalidError outside 5 s to 24 h."""
    if not SHORTEST_WINDOW.total_seconds() <= seconds <= LONGEST_WINDOW.total_seconds():
        raise InvalidError("A transfer window lasts from 5 seconds to 24 hours.", field="transfer_window")


def state_at(state: str, deadline: datetime | None, now: datetime) -> str:
    """The state everybody must be told at `now`: the deadline decides, not the moment a timer wakes."""
    if state == Offer.PENDING and deadline is not None and now >= deadline:
        return Offer.EXPIRED
    return state


def why_too_late(state: str, deadline: datetime | None, ended_at: datetime | None, holder: str | None) -> DomainError:
    """The truth for someone who clicks on an offer that is over."""
    now_with = f", now with {holder}" if holder else ", and nobody holds the dialog now"
    moment = deadline if state == Offer.EXPIRED else ended_at
    at = f" at {moment.astimezone(UTC):%H:%M:%S} UTC" if moment else ""
    if state == Offer.EXPIRED:
        return OfferExpiredError(f"The offer expired{at}{now_with}.", state=state)
    return OfferEndedError(f"The offer was {state}{at}{now_with}.", state=state)


def returns_to_sender(fallback: str, *, sender_is_online: bool) -> bool:
    """Expired and declined offers go back to a sender who is there, else to the pool. Cancelling always returns."""
    return fallback == Fallback.RETURN and sender_is_online
