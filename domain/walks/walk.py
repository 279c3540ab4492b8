"""The walk through a definition: one item, or a phase of a run. The same in a workflow, in a transaction, in memory.

It knows no clock, no database and no loop of events: all it needs it asks of its Effects. It always ends with an
Outcome; only an exception that is no rule of the language (a bug) passes through.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from domain.actions.catalogue import catalogue
from domain.actions.manifests import Manifest
from domain.definitions.shapes import Definition
from domain.errors import AnotherDialogOpenError
from domain.walks.courses import Course, Walk, error_context, span_of
from domain.walks.endings import message_of, outputs_of, told
from domain.walks.interrupts import Deadline, Ended
from domain.walks.kinds import DOINGS
from domain.walks.ports import Brief, Effects, Outcome, StepError, Stopped
from domain.walks.prepared import Prepared, prepared_for
from domain.walks.scopes import Scope
from domain.walks.sizes import (
    LONGEST_ITEM,
    MOST_FUEL,
    MOST_NAMES,
    ON_FAILURE_SECONDS,
    SHORT_MACRO,
    size_of,
)
from domain.walks.stepping import run_steps

Phase = Literal["before", "after"]
NOTHING_TO_SHOW = "The macro has nothing to show: none of its outputs has a value."


async def walk_item(
    brief: Brief,
    effects: Effects,
    actions: Mapping[str, Manifest] | None = None,
    *,
    takes_any_id: bool = False,
    fuel: int = MOST_FUEL,
) -> Outcome:
    """One item from its guard to its outputs. `actions`: the catalogue, unless told otherwise.

    A client who has another dialog open there is passed over: the item is skipped (DECISIONS 14). A macro that was to
    show something, and has nothing to show, has failed.

    Tests take any id (people may be called op_1) and share out their fuel.
    """
    prepared = prepared_for(brief)
    definition = prepared.definition
    course = _begin(brief, effects, prepared, actions, time_for(definition), takes_any_id, fuel)
    try:
        _declare(course, definition, brief)
        if definition.guard is not None and not _guarded(course, definition.guard):
            return Outcome("skipped", reason="guard")
        await run_steps(course, definition.do)
    except Ended as ended:
        return _ended(course, definition, ended)
    except Stopped:
        return Outcome("cancelled")
    except StepError as error:
        if definition.kind == "process" and error.details.get("code") == AnotherDialogOpenError.code:
            return Outcome("skipped", reason=AnotherDialogOpenError.code, message=told(course, error.message))
        await _on_failure(course, definition, error)
        return _failed(course, error)
    message, outputs = message_of(course, definition.message), outputs_of(course, definition.outputs)
    if definition.kind == "macro" and definition.outputs and not (outputs or message or brief.is_dry):
        return Outcome("failed", error_type="invalid", error_step="outputs", error_message=NOTHING_TO_SHOW)
    return Outcome("succeeded", message=message, outputs=outputs)


async def walk_phase(
    brief: Brief,
    phase: Phase,
    effects: Effects,
    actions: Mapping[str, Manifest] | None = None,
    *,
    takes_any_id: bool = False,
    fuel: int = MOST_FUEL,
) -> Outcome:
    """The steps before the items, or after them. `stop` in it ends the phase as succeeded or skipped."""
    prepared = prepared_for(brief)
    definition = prepared.definition
    course = _begin(brief, effects, prepared, actions, LONGEST_ITEM, takes_any_id, fuel)
    try:
        _declare(course, definition, brief)
        await run_steps(course, (definition.before if phase == "before" else definition.after) or ())
        return Outcome("succeeded", names=_names(course) if phase == "before" else {})
    except Ended as ended:
        return Outcome(ended.status, reason="stop", message=told(course, ended.message))
    except Stopped:
        return Outcome("cancelled")
    except StepError as error:
        return _failed(course, error)


def time_for(definition: Definition) -> timedelta:
    """How long one item may take."""
    if definition.timeout is not None:
        return min(span_of(definition.timeout), LONGEST_ITEM)
    return SHORT_MACRO if definition.kind == "macro" else LONGEST_ITEM


def _begin(
    brief: Brief,
    effects: Effects,
    prepared: Prepared,
    actions: Mapping[str, Manifest] | None,
    time: timedelta,
    takes_any_id: bool,
    fuel: int,
) -> Course:
    start = effects.now()
    walk = Walk(brief, prepared, catalogue() if actions is None else actions, DOINGS, takes_any_id, fuel)
    return Course(walk, effects, Scope.of(brief, start), Deadline(start + time))


def _declare(course: Course, definition: Definition, brief: Brief) -> None:
    """Variables begin as declared, or as the phase before left them."""
    now = course.effects.now()
    left: Mapping[str, Any] = brief.before.get("vars") or {}
    values = {
        name: left[name] if name in left else course.value(source, now) for name, source in definition.vars.items()
    }
    course.scope.write(values, {name: course.plain(value) for name, value in values.items()})


def _guarded(course: Course, guard: str) -> bool:
    """Only a guard that stops the item is in its trace. Raises StepError of the step `guard`."""
    now = course.effects.now()
    tracer = course.walk.tracer
    try:
        if course.test(guard, now):
            return True
    except StepError as error:
        error.step = "guard"
        entry = tracer.open("guard", "guard", "guard", None, now)
        tracer.write(course.effects, entry, "failed", now, error=error_context(error))
        raise
    entry = tracer.open("guard", "guard", "guard", None, now)
    entry.branch = {"if": guard, "values": course.values_of(guard)}
    tracer.write(course.effects, entry, "skipped", now)
    return False


def _ended(course: Course, definition: Definition, ended: Ended) -> Outcome:
    return Outcome(
        ended.status,
        reason="stop",
        message=told(course, ended.message),
        outputs=outputs_of(course, definition.outputs),
    )


def _failed(course: Course, error: StepError) -> Outcome:
    return Outcome(
        "failed",
        error_type=error.type,
        error_step=error.step,
        error_message=told(course, error.message),
        needs_attention=error.needs_attention,
        stops_run="kill_switch" if error.details.get("kill_switch") is True else None,
    )


async def _on_failure(course: Course, definition: Definition, error: StepError) -> None:
    """Its own failure is only recorded."""
    if not definition.on_failure:
        return
    course.scope.names["error"] = error_context(error)
    try:
        await run_steps(course.cleaning_up(ON_FAILURE_SECONDS), definition.on_failure)
    except (StepError, Stopped, Ended):
        return


def _names(course: Course) -> dict[str, Any]:
    """What later phases may read of this one: its variables and the steps some expression names. Raises
    StepError(limit).
    """
    prepared, scope = course.walk.prepared, course.scope
    steps = {name: entry for name, entry in scope.steps.items() if prepared.is_read(name)}
    names = {"vars": {name: course.plain(value) for name, value in scope.vars.items()}, "steps": steps}
    if size_of(names) > MOST_NAMES:
        raise StepError("limit", f"what 'before' leaves for the items is larger than {MOST_NAMES // 1024} KB")
    return names
