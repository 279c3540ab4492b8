"""A clock, its ledger, and what may happen to it. Derived by reckoning.py; kept as rows by store/clocks."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.calendars.calendars import Calendar
from domain.clocks.metrics import Metric


@dataclass(frozen=True, slots=True)
class Interval:
    """One line of the ledger: `state` is running or paused, `cause` the fact's name, `ended_at` None of the last one.

    `changed`: what a new aim changed, each as (before, after).
    """

    number: int
    state: str
    began_at: datetime
    cause: str
    actor_kind: str = "system"
    actor_id: UUID | None = None
    ended_at: datetime | None = None
    changed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clock:
    """One stretch of one metric. `state`: running, paused, ended; `result` of an ended one: met, breached, dropped.

    The ledger is the truth; `due_at` (of a paused or ended one: the last it had) and `next_at` (earliest threshold or
    deadline that has not fired, of a running one) are derived from it, the target and the calendar.
    """

    id: UUID
    metric: Metric
    cycle: int
    started_at: datetime
    target: int
    calendar: Calendar
    ledger: tuple[Interval, ...]
    state: str = "running"
    status: str = ""
    alias: str = ""
    warn: tuple[int, ...] = ()
    warned: tuple[int, ...] = ()
    policy: tuple[str, int] | None = None
    calendar_ref: tuple[str, int] | None = None
    due_at: datetime | None = None
    next_at: datetime | None = None
    breached_at: datetime | None = None
    ended_at: datetime | None = None
    result: str | None = None

    @property
    def key(self) -> tuple[Metric, str]:
        return self.metric, self.status


@dataclass(frozen=True, slots=True)
class Firing:
    """A threshold (`percent` of the target) or, with percent None, the deadline was passed at `at`. Fires once."""

    clock: Clock
    at: datetime
    percent: int | None = None
