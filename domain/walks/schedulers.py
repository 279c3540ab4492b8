"""A clock that jumps and the coroutines that wait for it: how a walk is run in memory, the same way every time."""

import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from domain.walks.ports import Stopped

T = TypeVar("T")


class Suspended:
    """Awaited, it gives the turn away until somebody calls `Clockwork.resume`. `shielded` from cancellation."""

    __slots__ = ("answer", "is_over", "shielded", "task")

    def __init__(self, task: "Task", shielded: bool) -> None:
        self.task = task
        self.shielded = shielded
        self.answer: Any = None
        self.is_over = False

    def __await__(self) -> Generator["Suspended", Any, Any]:
        return (yield self)


@dataclass(slots=True, eq=False)
class Task:
    """`answer`: what it returned or raised, once it is over."""

    coroutine: Coroutine[Any, Any, Any]
    parent: "Task | None" = None
    is_cancelled: bool = False
    is_over: bool = False
    answer: Any = None
    failed: bool = False
    waits: Suspended | None = None
    children: list["Task"] = field(default_factory=list)
    on_end: Callable[["Task"], None] | None = None


class Clockwork:
    """`now` moves only when everything waits. What falls on the same moment happens in the order it was asked for."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self.current: Task | None = None
        self._ready: deque[tuple[Task, Any, BaseException | None]] = deque()
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._asked = 0

    def at(self, moment: datetime, call: Callable[[], None]) -> None:
        self._asked += 1
        heapq.heappush(self._later, (moment, self._asked, call))

    def run(self, coroutine: Coroutine[Any, Any, T], *, stop_at: datetime | None = None) -> T:
        """To the end; cancelled at `stop_at`. Raises what the coroutine raises, RuntimeError when everything waits for
        nothing.
        """
        main = self._start(coroutine, None)
        if stop_at is not None:
            self.at(stop_at, lambda: self.cancel(main))
        while not main.is_over:
            if self._ready:
                self._step(*self._ready.popleft())
            elif self._later:
                moment, _, call = heapq.heappop(self._later)
                self.now = max(self.now, moment)
                call()
            else:
                raise RuntimeError("everything waits, and nothing is to come")
        if main.failed:
            raise main.answer
        answer: T = main.answer
        return answer

    def suspended(self, shielded: bool) -> Suspended:
        task = self.current
        assert task is not None, "only a running task waits"
        if task.is_cancelled and not shielded:
            raise Stopped
        task.waits = Suspended(task, shielded)
        return task.waits

    def resume(self, waiting: Suspended, answer: Any = None) -> None:
        if not waiting.is_over:
            waiting.is_over = True
            self._ready.append((waiting.task, answer, None))

    def cancel(self, task: Task) -> None:
        """A cancelled task gets Stopped where it waits, unless shielded, and wherever it wants to go on."""
        task.is_cancelled = True
        for child in task.children:
            self.cancel(child)
        waiting = task.waits
        if not task.is_over and waiting is not None and not waiting.is_over and not waiting.shielded:
            waiting.is_over = True
            self._ready.append((task, None, Stopped()))

    async def together(
        self, parts: Sequence[Callable[[], Awaitable[T]]], *, at_once: int, compete: bool, shielded: bool
    ) -> list[T | BaseException | None]:
        """Cancelled from outside, it still waits for its parts to end."""
        parent = self.current
        assert parent is not None
        tasks: list[Task] = []
        waiting = iter(parts)
        woken: list[Suspended] = []
        won: list[Task] = []

        def start_next() -> bool:
            part = next(waiting, None) if not won else None
            if part is not None:
                task = self._start(_as_coroutine(part), parent)
                task.on_end = ended
                tasks.append(task)
            return part is not None

        def ended(task: Task) -> None:
            if compete and not task.failed and not won:
                won.append(task)
                for other in tasks:
                    if other is not task and not other.is_over:
                        self.cancel(other)
            start_next()
            if all(one.is_over for one in tasks):
                for suspended in woken:
                    self.resume(suspended)

        while len(tasks) < at_once and start_next():
            pass
        while not all(task.is_over for task in tasks):
            suspended = Suspended(parent, shielded=True)
            parent.waits = suspended
            woken[:] = [suspended]
            await suspended
        parent.children = [child for child in parent.children if child not in tasks]
        answers: list[T | BaseException | None] = [None if won and task not in won else task.answer for task in tasks]
        return answers + [None] * (len(parts) - len(answers))

    def _start(self, coroutine: Coroutine[Any, Any, Any], parent: Task | None) -> Task:
        task = Task(coroutine, parent, is_cancelled=parent is not None and parent.is_cancelled)
        if parent is not None:
            parent.children.append(task)
        self._ready.append((task, None, None))
        return task

    def _step(self, task: Task, answer: Any, error: BaseException | None) -> None:
        self.current, before = task, self.current
        try:
            if error is None:
                task.coroutine.send(answer)
            else:
                task.coroutine.throw(error)
        except StopIteration as stop:
            task.answer = stop.value
            task.is_over = True
        except Exception as raised:
            task.answer, task.failed, task.is_over = raised, True, True
        finally:
            self.current = before
        if task.is_over and task.on_end is not None:
            task.on_end(task)


async def _as_coroutine(part: Callable[[], Awaitable[T]]) -> T:
    return await part()
