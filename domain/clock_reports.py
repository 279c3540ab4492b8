"""Reports about promised time: which clocks are counted, as what, and how a share is reckoned (P217)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.clocks.metrics import Metric
from domain.errors import InvalidError

LONGEST = timedelta(days=400)
#: what is told of when nothing is said
USUAL = timedelta(days=30)


class Group(StrEnum):
    METRIC = "metric"
    TOPIC = "topic"
    TEAM = "team"
    PRIORITY = "priority"
    OPERATOR = "operator"
    DAY = "day"


class Result(StrEnum):
    MET = "met"
    BREACHED = "breached"
    DROPPED = "dropped"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Counted:
    """Clocks that ended from `begin` on and before `end`; empty sets ask nothing. None in a set means "has none"."""

    begin: datetime
    end: datetime
    metrics: frozenset[Metric] = frozenset()
    topics: frozenset[str | None] = frozenset()
    teams: frozenset[str] = frozenset()
    priorities: frozenset[str] = frozenset()
    operators: frozenset[UUID | None] = frozenset()


def require_period(begin: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The last USUAL days where nothing is said. Raises InvalidError."""
    end = end or now
    begin = begin or end - USUAL
    if begin >= end:
        raise InvalidError("from must lie before to.", field="from")
    if end - begin > LONGEST:
        raise InvalidError(f"A report is about at most {LONGEST.days} days.", field="from")
    return begin, end


def share(met: int, breached: int) -> float | None:
    """Of those that have a result; None where there are none. Rounded to four places."""
    return round(met / (met + breached), 4) if met + breached else None


FORMULA = {
    "en": (
        "Clocks that ended in the period (from counts, to does not). Share met = met / (met + breached); dropped "
        "clocks (closed without an answer, no longer promised) are not in the share. Breached: the deadline "
        "passed, whenever the answer came. Topic, team and priority are those of the clock; the operator is who holds "
        "the dialog, or held it last. Running overdue: clocks open now whose deadline has passed, whatever the period."
    ),
    "uk": (
        "Годинники, що завершилися в періоді (from включно, to ні). Частка виконаних = виконані / (виконані + "
        "порушені); скинуті (закрито без відповіді, більше не обіцяно) до частки не входять. Порушено: термін минув, "
        "коли б не надійшла відповідь. Тематика, група і пріоритет — годинника; оператор — хто тримає діалог або "
        "тримав останнім. Прострочені зараз: відкриті годинники, чий термін минув, незалежно від періоду."
    ),
}
