"""`do`, `switch` and `try`: steps within a step."""

from typing import Any

from domain.definitions.shapes import Catch, Do, Switch, Try
from domain.walks.courses import Course, error_context
from domain.walks.interrupts import Ended
from domain.walks.ports import StepError, Stopped
from domain.walks.sizes import CLEANUP_SECONDS
from domain.walks.stepping import is_beyond_catching, run_steps
from domain.walks.traces import Entry


async def do_block(course: Course, step: Do, entry: Entry) -> None:
    await run_steps(course.within(entry.path + "/"), step.do)


async def do_switch(course: Course, step: Switch, entry: Entry) -> dict[str, Any]:
    """`{case: n}`: the first true case, counted from 1; null when there is none."""
    tested: list[dict[str, Any]] = []
    entry.branch = {"case": None, "tested": tested}
    for number, case in enumerate(step.switch, start=1):
        if case.when is not None:
            holds = course.test(case.when, entry.now)
            tested.append({"when": case.when, "values": course.values_of(case.when), "holds": holds})
            if not holds:
                continue
        entry.branch = {"case": number, "title": case.title, "tested": tested}
        await run_steps(course.within(entry.path + "/"), case.do)
        return {"case": number}
    return {"case": None}


async def do_try(course: Course, step: Try, entry: Entry) -> None:
    """`finally` runs whatever happened, also after a cancellation, and has 60 s. When the steps failed already, its own
    failure is only recorded.
    """
    inner = course.within(entry.path + "/")
    try:
        await _tried(inner, step, entry)
    except (StepError, Stopped, Ended) as reason:
        try:
            await _cleaned_up(inner, step)
        except (StepError, Ended):
            if isinstance(reason, Ended):
                raise
        raise
    await _cleaned_up(inner, step)


async def _tried(inner: Course, step: Try, entry: Entry) -> None:
    try:
        await run_steps(inner, step.try_)
    except StepError as error:
        catch = step.catch
        if catch is None or is_beyond_catching(error) or (catch.errors and error.type not in catch.errors):
            raise
        names = inner.scope.names
        hidden = {name: names[name] for name in (catch.as_, "error") if name in names}
        names[catch.as_] = names["error"] = error_context(error)
        try:
            await _caught(inner, catch, error, entry)
        finally:
            names.pop(catch.as_, None)
            names.pop("error", None)
            names.update(hidden)


async def _caught(inner: Course, catch: Catch, error: StepError, entry: Entry) -> None:
    if catch.when is not None and not inner.test(catch.when, inner.effects.now()):
        raise error
    entry.branch = {"caught": error.type, "step": error.step}
    await run_steps(inner, catch.do)


async def _cleaned_up(inner: Course, step: Try) -> None:
    if step.finally_ is None:
        return
    try:
        await run_steps(inner.cleaning_up(CLEANUP_SECONDS), step.finally_)
    except Stopped:
        raise StepError("timeout", f"'finally' took longer than {CLEANUP_SECONDS:g} s") from None
