"""Parts of a walk that go on at the same time: branches of a fork, iterations of a loop."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, ParamSpec, TypeVar

from temporalio import workflow

from domain.walks.ports import StepError, Stopped
from workflows.standings import EndedElsewhere, Standing

T = TypeVar("T")
P = ParamSpec("P")


def stoppable(effect: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A branch that lost its race is cancelled where it waits. To the walk it is stopped, so that `finally` runs."""

    @functools.wraps(effect)
    async def carried_out(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await effect(*args, **kwargs)
        except asyncio.CancelledError:
            raise Stopped from None

    return carried_out


async def together(
    standing: Standing, parts: Sequence[Callable[[], Awaitable[T]]], *, at_once: int, compete: bool
) -> list[T | BaseException | None]:
    """What each part returned or raised, in order. `compete`: None for those the winner left behind."""
    turns = asyncio.Semaphore(at_once)
    answers: list[T | BaseException | None] = [None] * len(parts)
    left, counted, is_over = len(parts), 1, False

    def count() -> None:
        """As many strands as may go on: those that wait for their turn begin as soon as another ends."""
        nonlocal counted
        if is_over:
            return
        standing.strands += min(at_once, left) - counted
        counted = min(at_once, left)

    async def strand(index: int, part: Callable[[], Awaitable[T]]) -> None:
        nonlocal left
        async with turns:
            try:
                answers[index] = await part()
            except (StepError, Stopped, EndedElsewhere) as error:
                answers[index] = error
            finally:
                left -= 1
                count()
            await standing.park_when_all_wait()

    count()
    tasks = [asyncio.create_task(strand(index, part)) for index, part in enumerate(parts)]
    try:
        if compete:
            await _race(tasks, answers)
        else:
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        is_over = True
        standing.strands += 1 - counted
    for answer in answers:
        if isinstance(answer, EndedElsewhere):
            raise answer
    return answers


async def _race(tasks: Sequence["asyncio.Task[None]"], answers: list[Any]) -> None:
    """Until one succeeds or all have failed; the losers are cancelled and forgotten."""

    def winner() -> int | None:
        done = (i for i, task in enumerate(tasks) if task.done() and not task.cancelled())
        return next((i for i in done if not isinstance(answers[i], BaseException)), None)

    await workflow.wait_condition(lambda: winner() is not None or all(task.done() for task in tasks))
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            await task
    first = winner()
    if first is None:
        return
    for task in tasks:
        if not task.done():
            task.cancel()
    await workflow.wait_condition(lambda: all(task.done() for task in tasks))
    for index in range(len(tasks)):
        if index != first and not isinstance(answers[index], EndedElsewhere):
            answers[index] = None
