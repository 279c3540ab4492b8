"""Chosen status and living connection: two facts, neither stands for the other."""

from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import InvalidError

HEARTBEAT = timedelta(seconds=15)
LEASE = timedelta(seconds=45)
LONGEST_LEASE = timedelta(hours=24)
GRACE = timedelta(minutes=5)


class Presence(StrEnum):
    ONLINE = "online"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"


def require_lease(seconds: int) -> None:
    """Raises InvalidError outside 1 s to 24 h."""
    if not 1 <= seconds <= LONGEST_LEASE.total_seconds():
        raise InvalidError("A lease lasts from 1 second to 24 hours.", field="lease")


def is_connected(lease_until: datetime | None, now: datetime) -> bool:
    return lease_until is not None and lease_until > now


def can_receive(status: str, lease_until: datetime | None, now: datetime) -> bool:
    """Only those online with a living lease get dialogs and offers (DECISIONS 26)."""
    return status == Presence.ONLINE and is_connected(lease_until, now)
