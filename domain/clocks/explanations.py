"""Why a clock is due when it is: its start, its promise, what counted and what stood still, in words and as data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.calendars.reckoning import counted, working_between
from domain.clocks.aims import remaining
from domain.clocks.clocks import Clock, Interval
from domain.clocks.words import amount, changes, day, hour, moment, version, word

NameOf = Callable[[UUID], str | None]
Stretch = tuple[datetime, datetime]
#: days told one by one; of more, the first ones and the last
_MOST_DAYS = 7
_FIRST_DAYS = 4
#: who did it says nothing that the cause does not
_SAYS_WHO = frozenset({"message.received"})


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is told: `language` uk or en, `now` by the database's clock, names of people, the zone to tell moments in
    (empty: the calendar's).
    """

    language: str
    now: datetime
    name_of: NameOf = lambda _: None
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger and what counted in it so far. `words`: its cause, `changes`: what a new aim changed."""

    interval: Interval
    words: str
    changes: str
    actor: str
    seconds: float
    counted: tuple[Stretch, ...]


def name(clock: Clock, language: str) -> str:
    """What people call the clock: its alias, else its metric."""
    return clock.alias or word(clock.metric, language, status=word(clock.status, language) if clock.status else "")


def ledger(clock: Clock, reader: Reader) -> tuple[Line, ...]:
    """Every line: what stood still counts nothing."""
    return tuple(_line(clock, line, reader) for line in clock.ledger)


def why(clock: Clock, reader: Reader) -> str:
    """The sentences that answer "why is this due then?"."""
    told = [_head(clock, reader), _promise(clock, reader), _start(clock, reader), _counting(clock, reader)]
    pauses = [_pause(clock, line, reader) for line in clock.ledger if line.state == "paused" and not _is_empty(line)]
    if pauses:
        told.append(word("stood_still", reader.language, list="; ".join(pauses)))
    told += [
        word("aimed", reader.language, at=_moment(clock, line.began_at, reader),
             cause=cause(line, reader, clock.status), changes=changed)
        for line in clock.ledger
        if (changed := changes(line.changed, reader.language))
    ]  # fmt: skip
    if clock.breached_at is not None and clock.breached_at != clock.due_at:
        told.append(word("breached_before", reader.language, at=_moment(clock, clock.breached_at, reader)))
    return " ".join(told)


def cause(line: Interval, reader: Reader, status: str = "") -> str:
    """Why a line of the ledger began, and who did that. `status`: the one its clock is about."""
    changed = line.changed.get("status")
    status = str(changed[1]) if changed else status
    key = "ticket.status_changed" if line.cause == "ticket.reopened" and line.state == "paused" else line.cause
    told = word(key, reader.language, status=word(status, reader.language) if status else "…")
    return told if line.cause in _SAYS_WHO else f"{told} — {actor(line, reader)}"


def actor(line: Interval, reader: Reader) -> str:
    found = reader.name_of(line.actor_id) if line.actor_kind == "user" and line.actor_id is not None else None
    return found or word(line.actor_kind, reader.language)


def leading(clock: Clock, now: datetime) -> list[Stretch]:
    """What counted up to the deadline, or will: these stretches make the target. Of what ended or stands still before
    it: what counted so far.
    """
    found: list[Stretch] = []
    for line in clock.ledger:
        if line.state == "running":
            end = line.ended_at or clock.due_at or max(now, line.began_at)
            found += counted(clock.calendar, line.began_at, min(end, clock.due_at) if clock.due_at else end)
    return found


def outlived(clock: Clock) -> bool:
    """Whether it ended unbroken after the moment it was last due: it stood still meanwhile, so that was no deadline."""
    if clock.breached_at is not None or clock.due_at is None or clock.ended_at is None:
        return False
    return clock.due_at <= clock.ended_at


def _line(clock: Clock, line: Interval, reader: Reader) -> Line:
    until = line.ended_at or max(reader.now, line.began_at)
    is_running = line.state == "running"
    stretches = counted(clock.calendar, line.began_at, until) if is_running else []
    seconds = working_between(clock.calendar, line.began_at, until).total_seconds() if is_running else 0.0
    return Line(
        line, cause(line, reader, clock.status), changes(line.changed, reader.language), actor(line, reader), seconds,
        tuple(stretches),
    )  # fmt: skip


def _is_empty(line: Interval) -> bool:
    return line.ended_at == line.began_at


def _zone(clock: Clock, reader: Reader) -> str:
    return reader.zone or clock.calendar.zone


def _moment(clock: Clock, at: datetime, reader: Reader) -> str:
    zone = _zone(clock, reader)
    return moment(at, zone, reader.language, reader.now.astimezone(ZoneInfo(zone)).year)


def _head(clock: Clock, reader: Reader) -> str:
    language, now = reader.language, reader.now
    called = name(clock, language)
    due = _moment(clock, clock.due_at, reader) if clock.due_at else word("no_moment", language)
    left = remaining(clock, now)
    if clock.result is not None and clock.ended_at is not None:
        if outlived(clock):
            key, ended = f"{clock.result}_standing", _moment(clock, clock.ended_at, reader)
            return word(key, language, name=called, ended=ended, left=amount(left, language))
        return word(clock.result, language, name=called, due=due, ended=_moment(clock, clock.ended_at, reader))
    if clock.state == "paused":
        key = "stands_still_late" if left < timedelta() else "stands_still"
        return word(key, language, name=called, left=amount(left, language), late=amount(left, language))
    if clock.due_at is None:
        return word("never_due", language, name=called)
    if clock.due_at <= now:
        return word("was_due", language, name=called, due=due, late=amount(left, language))
    return word("is_due", language, name=called, due=due)


def _promise(clock: Clock, reader: Reader) -> str:
    language = reader.language
    target = amount(timedelta(seconds=clock.target), language)
    if clock.calendar_ref is None and clock.calendar.counts_always:
        told = word("always", language, target=target)
    else:
        named = version(clock.calendar_ref, language) if clock.calendar_ref else clock.calendar.zone
        told = word("by_calendar", language, target=target, calendar=named, zone=clock.calendar.zone)
    if clock.policy is not None:
        return told + word("by_policy", language, policy=version(clock.policy, language))
    return told + word("by_norm", language)


def _start(clock: Clock, reader: Reader) -> str:
    first = clock.ledger[0]
    return word(
        "started",
        reader.language,
        start=_moment(clock, clock.started_at, reader),
        cause=cause(first, reader, clock.status),
    )


def _pause(clock: Clock, line: Interval, reader: Reader) -> str:
    begin, why_so = _moment(clock, line.began_at, reader), cause(line, reader, clock.status)
    if line.ended_at is None:
        return word("since", reader.language, begin=begin, cause=why_so)
    return word("until", reader.language, begin=begin, end=_moment(clock, line.ended_at, reader), cause=why_so)


def _counting(clock: Clock, reader: Reader) -> str:
    language, zone = reader.language, _zone(clock, reader)
    stretches = leading(clock, reader.now)
    if not stretches:
        return word("nothing_counted", language)
    tz = ZoneInfo(zone)
    year = reader.now.astimezone(tz).year
    days = [list(of_day) for _, of_day in groupby(_by_day(stretches, tz), lambda s: s[0].astimezone(tz).date())]
    told = [_day(of_day, zone, language, year) for of_day in days]
    if len(days) > _MOST_DAYS:
        last = _MOST_DAYS - _FIRST_DAYS - 1
        skipped = days[_FIRST_DAYS : len(days) - last]
        total = amount(_total(s for of_day in skipped for s in of_day), language)
        more = word("more_days", language, count=str(len(skipped)), total=total)
        told = [*told[:_FIRST_DAYS], more, *told[-last:]]
    return word("counted", language, list="; ".join(told), total=amount(_total(stretches), language))


def _day(stretches: list[Stretch], zone: str, language: str, year: int) -> str:
    spans = ", ".join(f"{hour(a, zone)}–{_end(a, b, zone)}" for a, b in stretches)
    return f"{day(stretches[0][0], zone, language, year)} {spans} ({amount(_total(stretches), language)})"


def _end(begin: datetime, end: datetime, zone: str) -> str:
    """Midnight at the end of a day is 24:00 of that day."""
    tz = ZoneInfo(zone)
    is_next = end.astimezone(tz).date() > begin.astimezone(tz).date()
    return "24:00" if is_next else hour(end, zone)


def _total(stretches: Iterable[Stretch]) -> timedelta:
    return sum((b - a for a, b in stretches), timedelta())


def _by_day(stretches: Iterable[Stretch], tz: ZoneInfo) -> Iterable[Stretch]:
    """The stretches cut at the zone's midnights."""
    for begin, end in stretches:
        while begin < end:
            local = begin.astimezone(tz)
            midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), tz)
            cut = min(end, max(midnight.astimezone(end.tzinfo), begin + timedelta(microseconds=1)))
            yield begin, cut
            begin = cut
