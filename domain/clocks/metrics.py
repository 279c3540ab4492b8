"""What is measured, and what is promised of it."""

from dataclasses import dataclass
from enum import StrEnum

from domain.calendars.calendars import Calendar


class Metric(StrEnum):
    TFR = "tfr"
    """First response: from the opening of a cycle to the first operator message the client sees."""
    NRT = "nrt"
    """Next response: from the first unanswered client message after the first response to the answer."""
    TTC = "ttc"
    """Time to close: from the opening of a cycle to the closing, without pending and resolved."""
    TIS = "tis"
    """Time in one status: from entering it to leaving it."""
    ACCEPT = "accept"
    """A team's norm: from beginning to wait for an operator to being given to one."""
    RESPOND = "respond"
    """A team's norm: an operator who holds the dialog answers the client's first unanswered message."""


NORMS = frozenset({Metric.ACCEPT, Metric.RESPOND})
#: these stand still while a ticket is pending or resolved
PAUSING = frozenset({Metric.NRT, Metric.TTC})


@dataclass(frozen=True, slots=True)
class Target:
    """`seconds` of the calendar's time, at least 1. `warn`: percents of it, ascending, each from 1 to 99.

    `status`: of TIS the status it is about, else ''. `alias`: how the metric is called where this policy holds.
    """

    metric: Metric
    seconds: int
    warn: tuple[int, ...] = ()
    status: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is promised to one dialog as it now is: its kind, topic, priority and team are taken into account.

    `policy`, `calendar_ref`: key and version, None where nothing was chosen (norms alone; every hour counts).
    Norms go by the topic's calendar, never by a policy's own: `norms_calendar`, where that is another one.
    """

    targets: tuple[Target, ...]
    calendar: Calendar
    policy: tuple[str, int] | None = None
    calendar_ref: tuple[str, int] | None = None
    norms_calendar: Calendar | None = None
    norms_calendar_ref: tuple[str, int] | None = None

    def target_for(self, metric: Metric, status: str = "") -> Target | None:
        return next((t for t in self.targets if t.metric == metric and t.status == status), None)

    def calendar_for(self, metric: Metric) -> tuple[Calendar, tuple[str, int] | None]:
        if metric in NORMS and self.norms_calendar is not None:
            return self.norms_calendar, self.norms_calendar_ref
        return self.calendar, self.calendar_ref

    def policy_for(self, metric: Metric) -> tuple[str, int] | None:
        """A norm is no policy's."""
        return None if metric in NORMS else self.policy
