"""One step (PROCESS_LANGUAGE 9.1): gate, condition, the step itself, its place in `steps`, its record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.definitions.shapes import Step
from domain.walks.courses import Course, error_context, span_of
from domain.walks.interrupts import Ended, Exhausted, Overdue
from domain.walks.ports import StepError, Stopped
from domain.walks.traces import Entry


async def run_steps(course: Course, steps: Sequence[Step]) -> None:
    """One after the other. Raises StepError, Ended, Stopped."""
    for step in steps:
        await run_step(course, step)


async def run_step(course: Course, step: Step) -> None:
    assert step.id is not None, "canonical definitions name all their steps"
    course.look()
    await course.effects.gate()
    now = course.effects.now()
    kind = step.kind if step.kind != "call" else f"call:{step.call}"  # type: ignore[union-attr]
    entry = course.walk.tracer.open(step.id, course.prefix + step.id, kind, step.title, now)
    try:
        course.in_time(now)
        if step.disabled:
            return _skip(course, entry, {"disabled": True})
        if step.if_ is not None and not course.test(step.if_, now):
            return _skip(course, entry, {"if": step.if_, "values": course.values_of(step.if_)})
        course.execute()
        timed = course if step.timeout is None else course.until(step.id, now, span_of(step.timeout))
        result = await _carried_out(timed, course, step, entry)
    except StepError as error:
        _fail(course, step, entry, error)
    except Ended as ended:
        _succeed(course, entry, {"status": ended.status, "message": ended.message})
        raise
    except Stopped:
        course.walk.tracer.write(course.effects, entry, "cancelled", course.effects.now())
        raise
    else:
        _succeed(course, entry, result)


async def _carried_out(timed: Course, course: Course, step: Step, entry: Entry) -> Any:
    try:
        return await course.walk.doings[step.kind](timed, step, entry)
    except Overdue as overdue:
        if overdue.deadline is course.deadline:
            raise
        error = StepError("timeout", overdue.message, attempts=overdue.attempts)
        error.step = overdue.step
        raise error from None


def _skip(course: Course, entry: Entry, why: dict[str, Any]) -> None:
    entry.branch = why
    now = course.effects.now()
    course.scope.put(entry.step, {"status": "skipped"}, now)
    course.walk.tracer.write(course.effects, entry, "skipped", now)


def _succeed(course: Course, entry: Entry, result: Any) -> None:
    now = course.effects.now()
    kept = {"status": "succeeded", "result": result, "attempts": entry.attempts, **entry.extras}
    course.scope.put(entry.step, kept, now)
    course.walk.tracer.write(course.effects, entry, "succeeded", now, result=result)


def _fail(course: Course, step: Step, entry: Entry, error: StepError) -> None:
    """Raises the error again unless the step says to go on."""
    if error.step is None:
        error.step = entry.step
    entry.attempts = max(entry.attempts, error.attempts if error.step == entry.step else 1)
    now: datetime = course.effects.now()
    told = error_context(error)
    kept = {"status": "failed", "error": told, "attempts": entry.attempts, **entry.extras}
    course.scope.put(entry.step, kept, now)
    course.walk.tracer.write(course.effects, entry, "failed", now, error=told)
    if step.on_error != "continue" or is_beyond_catching(error):
        raise error


def is_beyond_catching(error: StepError) -> bool:
    """A deadline of something further out, or an item that used up its steps."""
    return isinstance(error, Overdue | Exhausted)
