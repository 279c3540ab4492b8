"""`wait` and `listen`: until a moment, or until something happens."""

from datetime import datetime, timedelta
from typing import Any

from domain.definitions.shapes import Ear, EventPattern, Listen, Pause, Wait
from domain.durations import LONGEST, parse_duration
from domain.expressions import ExpressionError, compile_condition
from domain.expressions.values import moment_of
from domain.walks.courses import Course, seconds_in, span_of
from domain.walks.interrupts import Overdue
from domain.walks.ports import Event, Listening, StepError
from domain.walks.traces import Entry


async def do_wait(course: Course, step: Wait, entry: Entry) -> dict[str, Any]:
    until = await _end_of(course, step.wait, entry)
    entry.inputs = {"until": course.plain(until)}
    stop_at = min(until, course.deadline.at)
    if stop_at > entry.now:
        course.walk.tracer.write(course.effects, entry, "running", None)
        await course.effects.wait(stop_at, step=entry.step, path=entry.path)
    if until > course.deadline.at:
        raise Overdue(course.deadline)
    return {"until": course.plain(until)}


async def _end_of(course: Course, pause: Pause, entry: Entry) -> datetime:
    if pause.for_ is None:
        moment = moment_of(course.value(pause.until, entry.now))
        if moment is None:
            raise StepError("expression", "'until' needs a moment, such as 2026-01-31T09:00:00Z or now() + hours(2)")
        return moment
    span = _span(course.value(str(pause.for_), entry.now))
    if pause.calendar is not None:
        return await course.effects.working_time(pause.calendar, entry.now, seconds_in(span))
    return entry.now + span


def _span(value: Any) -> timedelta:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError as error:
            raise StepError("expression", str(error)) from None
    if not isinstance(value, timedelta):
        raise StepError("expression", "'for' needs a duration, such as 15m or 2h")
    return min(max(value, timedelta(0)), LONGEST)


async def do_listen(course: Course, step: Listen, entry: Entry) -> dict[str, Any]:
    ear = step.listen
    seconds = seconds_in(span_of(ear.timeout))
    left = course.left(entry.now)
    ignored: list[dict[str, Any]] = []
    entry.inputs = {"events": [pattern.event for pattern in ear.events], "timeout": str(ear.timeout)}
    course.walk.tracer.write(course.effects, entry, "running", None)
    wanted_count = len(ear.all) if ear.all is not None else 1
    heard = await course.effects.listen(
        Listening(
            step=entry.step,
            path=entry.path,
            kinds=tuple(dict.fromkeys(pattern.event for pattern in ear.events)),
            since=_since(course, ear),
            seconds=min(seconds, left),
            wanted=_Wanted(course, ear.events, entry.now, ignored),
            count=wanted_count,
        )
    )
    if ignored:
        entry.branch = {"ignored": ignored}
    timed_out = len(heard) < wanted_count
    entry.extras["timed_out"] = timed_out
    if not timed_out:
        return _heard(heard, wanted_count)
    if left <= seconds and course.effects.now() >= course.deadline.at:
        raise Overdue(course.deadline)
    if ear.on_timeout == "fail":
        raise StepError("timeout", f"nothing happened for {ear.timeout}")
    return {"timed_out": True}


def _since(course: Course, ear: Ear) -> datetime:
    """The end of the step before, or of the one named."""
    scope = course.scope
    return scope.latest if ear.since is None else scope.ended.get(ear.since, scope.latest)


def _heard(events: tuple[Event, ...], count: int) -> dict[str, Any]:
    last = events[-1]
    told = {**last.payload, "event": last.event, "at": last.at, "timed_out": False}
    if count > 1:
        told["events"] = {event.event: {**event.payload, "at": event.at} for event in events}
    return told


class _Wanted:
    """Whether an event is listened for. A condition that cannot be read off an event does not hold for it."""

    def __init__(
        self, course: Course, patterns: tuple[EventPattern, ...], now: datetime, ignored: list[dict[str, Any]]
    ) -> None:
        self._names = dict(course.scope.names)
        self._patterns = patterns
        self._now = now
        self._ignored = ignored

    def __call__(self, event: Event) -> bool:
        return any(self._matches(pattern, event) for pattern in self._patterns)

    def _matches(self, pattern: EventPattern, event: Event) -> bool:
        if pattern.event != event.event:
            return False
        if pattern.where is None:
            return True
        names = {**self._names, "event": {**event.payload, "event": event.event, "at": event.at}}
        try:
            return compile_condition(pattern.where).evaluate_condition(names, now=self._now)
        except ExpressionError as error:
            told = {"event": event.event, "at": event.at, "why": error.message}
            if len(self._ignored) < 5 and told not in self._ignored:
                self._ignored.append(told)
            return False
