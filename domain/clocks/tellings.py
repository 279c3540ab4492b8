"""A clock as it is told to whoever asks for it: its state, its ledger with what counted, and why it is due then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.clocks.aims import remaining
from domain.clocks.clocks import Clock
from domain.clocks.deadlines import deadline_of
from domain.clocks.explanations import Line, Reader, ledger, name, outlived, why
from domain.clocks.metrics import NORMS

#: counted stretches told one by one; of a clock with more, each line tells the sum of every day
MOST_STRETCHES = 400
#: days told at the end of a line that counted more of them
MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Counted:
    """From `begin` to `end` (of a day: its first and last counted moment) `seconds` of the calendar's time counted."""

    begin: datetime
    end: datetime
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {"from": self.begin, "to": self.end, "seconds": self.seconds}


def told(clock: Clock, reader: Reader) -> dict[str, Any]:
    """`remaining` in seconds of the calendar, negative when overdue, of an ended one null. Moments are datetimes.

    `counted_by`: how each line tells what counted: `stretch`, or `day` where there are more than MOST_STRETCHES.
    """
    lines = ledger(clock, reader)
    by_day = sum(len(line.counted) for line in lines) > MOST_STRETCHES
    zone = reader.zone or clock.calendar.zone
    at = deadline_of(clock)
    return {
        "id": clock.id,
        "metric": clock.metric.value,
        "alias": clock.alias,
        "name": name(clock, reader.language),
        "status": clock.status or None,
        "kind": "norm" if clock.metric in NORMS else "sla",
        "cycle": clock.cycle,
        "state": clock.state,
        "result": clock.result,
        "target": clock.target,
        "started_at": clock.started_at,
        "due_at": None if outlived(clock) or (clock.state == "paused" and not clock.breached_at) else clock.due_at,
        "remaining": remaining(clock, reader.now).total_seconds() if clock.state != "ended" else None,
        "is_overdue": at is not None and at <= reader.now,
        "warn": list(clock.warn),
        "warned": list(clock.warned),
        "breached_at": clock.breached_at,
        "ended_at": clock.ended_at,
        "policy": _ref(clock.policy),
        "calendar": _ref(clock.calendar_ref),
        "zone": zone,
        "counted_by": "day" if by_day else "stretch",
        "ledger": [_line(line, ZoneInfo(zone) if by_day else None) for line in lines],
        "why": why(clock, reader),
    }


def by_day(stretches: Iterable[tuple[datetime, datetime]], zone: ZoneInfo) -> list[Counted]:
    """The sum of each day of the zone, in order; a stretch over midnight counts for both."""
    days: list[Counted] = []
    for begin, end in stretches:
        while begin < end:
            local = begin.astimezone(zone)
            midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone).astimezone(UTC)
            cut = min(end, max(midnight, begin + timedelta(microseconds=1)))
            seconds = (cut - begin).total_seconds()
            if days and days[-1].begin.astimezone(zone).date() == local.date():
                days[-1] = Counted(days[-1].begin, cut, days[-1].seconds + seconds)
            else:
                days.append(Counted(begin, cut, seconds))
            begin = cut
    return days


def _line(line: Line, zone: ZoneInfo | None) -> dict[str, Any]:
    interval = line.interval
    stretches: Sequence[Counted]
    if zone is None:
        stretches = [Counted(a, b, (b - a).total_seconds()) for a, b in line.counted]
    else:
        stretches = by_day(line.counted, zone)
    shown = stretches[-MOST_DAYS:]
    return {
        "number": interval.number,
        "state": interval.state,
        "from": interval.began_at,
        "to": interval.ended_at,
        "cause": interval.cause,
        "words": line.words,
        "actor": {"kind": interval.actor_kind, "id": interval.actor_id, "name": line.actor},
        "changes": line.changes or None,
        "changed": interval.changed,
        "seconds": line.seconds,
        "counted": [one.as_json() for one in shown],
        "left_off": len(stretches) - len(shown),
    }


def _ref(named: tuple[str, int] | None) -> dict[str, Any] | None:
    return {"key": named[0], "version": named[1]} if named else None
