"""The life of a dialog as far as time goes: what of its facts decides which clocks run since when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.clocks.metrics import Metric


@dataclass(frozen=True, slots=True)
class Happening:
    """A fact of the events catalogue as clocks see it. `data`: the event's own (before, after, cycle)."""

    fact: str
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A metric that runs, or stands still, since `start`; `pauses` in it, the last one open while it stands still."""

    start: datetime
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """`cycle_at`: the opening, conversion or reopening from closed. `responded_at`: first response of the cycle.
    `waiting_since`: the first client message nobody has answered. `queued_since`: it waits for an operator.
    `held_since`: an operator holds it. `pauses`: pending and resolved stretches of the cycle.
    """

    kind: str
    status: str
    status_since: datetime
    cycle: int
    cycle_at: datetime
    responded_at: datetime | None = None
    waiting_since: datetime | None = None
    queued_since: datetime | None = None
    held_since: datetime | None = None
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()

    def after(self, happening: Happening) -> "Life":
        """The life with one more fact. Facts that say nothing about time change nothing."""
        ...

    def spans(self) -> dict[tuple[Metric, str], Span]:
        """What runs now, whatever is promised."""
        ...
