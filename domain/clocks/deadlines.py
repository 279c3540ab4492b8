"""Which deadline of its clocks presses a dialog, and whether it is late: what lists, folders and definitions ask."""

from collections.abc import Iterable
from datetime import datetime

from domain.clocks.clocks import Clock
from domain.clocks.metrics import NORMS


def deadline_of(clock: Clock) -> datetime | None:
    """When the promise was, or will be, broken: of a clock that was breached that moment, else a running one's due.

    None: it presses nobody. Norms are between a team and its operators; what stands still is due at no known moment.
    """
    if clock.state == "ended" or clock.metric in NORMS:
        return None
    return clock.breached_at or (clock.due_at if clock.state == "running" else None)


def earliest(clocks: Iterable[Clock]) -> datetime | None:
    """The deadline that presses most."""
    return min((at for clock in clocks if (at := deadline_of(clock)) is not None), default=None)


def is_overdue(clocks: Iterable[Clock], now: datetime) -> bool:
    """Whether a promise is broken and not made good by an answer or the closing; a deadline passed counts as broken."""
    at = earliest(clocks)
    return at is not None and at <= now
