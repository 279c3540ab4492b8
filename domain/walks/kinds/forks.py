"""`fork`: branches side by side."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from domain.definitions.shapes import Branch, Fork
from domain.walks.courses import Course
from domain.walks.interrupts import Ended
from domain.walks.ports import StepError, Stopped
from domain.walks.scopes import Scope
from domain.walks.stepping import run_steps
from domain.walks.traces import Entry

#: how a part ended: None when it just did
Verdict = StepError | Ended | None


async def do_fork(course: Course, step: Fork, entry: Entry) -> dict[str, Any]:
    """All branches run to their end, then the first failure in the order of declaration is raised. With `compete` the
    first to succeed wins, the others are cancelled and nothing of them stays but what they did outside.
    """
    branches, compete = step.fork.branches, step.fork.compete
    courses = [course.within(f"{entry.path}/{branch.id}/", course.scope.copied()) for branch in branches]
    parts = [partial(_branch, inner, branch, compete) for inner, branch in zip(courses, branches, strict=True)]
    answers = await together(course, parts, at_once=len(parts), compete=compete)
    if compete:
        return _won(course, step, entry, courses, answers)
    results: dict[str, Any] = {}
    for inner, branch in zip(courses, branches, strict=True):
        course.scope.join(inner.scope)
        results[branch.id] = results_of(course, entry.step, inner.scope)
    raise_first([verdict for _, verdict in answers])
    return results


def _won(
    course: Course, step: Fork, entry: Entry, courses: Sequence[Course], answers: Sequence[tuple[bool, Verdict]]
) -> dict[str, Any]:
    """Every branch may have changed the dialog; only the winner's variables and steps stay."""
    for inner in courses:
        course.scope.see(inner.scope)
    for inner, branch, (finished, verdict) in zip(courses, step.fork.branches, answers, strict=True):
        if finished and not isinstance(verdict, StepError):
            course.scope.join(inner.scope)
            entry.branch = {"winner": branch.id}
            raise_first([verdict])
            return {"winner": branch.id, branch.id: results_of(course, entry.step, inner.scope)}
    raise_first([verdict for _, verdict in answers])
    raise Stopped


async def _branch(inner: Course, branch: Branch, compete: bool) -> tuple[bool, Verdict]:
    try:
        await run_steps(inner, branch.do)
    except Ended as ended:
        return True, ended
    except StepError as error:
        if compete:
            raise
        return True, error
    return True, None


async def together(
    course: Course,
    parts: Sequence[Callable[[], Awaitable[tuple[bool, Verdict]]]],
    *,
    at_once: int,
    compete: bool = False,
) -> list[tuple[bool, Verdict]]:
    """(finished, verdict) of each part. Raises Stopped, and whatever is neither a verdict nor a cancellation."""
    answers: list[tuple[bool, Verdict]] = []
    for answer in await course.effects.together(parts, at_once=at_once, compete=compete):
        if answer is None or (compete and isinstance(answer, Stopped)):
            answers.append((False, None))
        elif isinstance(answer, StepError):
            answers.append((True, answer))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            answers.append(answer)
    return answers


def raise_first(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if verdict is not None:
            raise verdict


def results_of(course: Course, step: str, part: Scope) -> dict[str, Any]:
    """step id → result of what a part did; nothing when no expression asks for it."""
    if not course.walk.prepared.is_collected(step):
        return {}
    return {name: part.steps[name].get("result") for name in part.fresh if name in part.steps}
