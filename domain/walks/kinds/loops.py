"""`for`: the same steps for each member of a list."""

from functools import partial
from typing import Any

from domain.definitions.shapes import For
from domain.walks.courses import Course
from domain.walks.interrupts import Ended
from domain.walks.kinds.forks import Verdict, raise_first, results_of, together
from domain.walks.ports import StepError
from domain.walks.sizes import MOST_RESULT, size_of
from domain.walks.stepping import run_steps
from domain.walks.traces import Entry


async def do_for(course: Course, step: For, entry: Entry) -> dict[str, Any]:
    """`{count, results}`: the rounds made, and step id → result of each of them."""
    members = course.value(step.for_.in_, entry.now)
    if not isinstance(members, list | tuple):
        raise StepError("expression", "'in' needs a list", details={"code": "R323"})
    entry.inputs = {"members": len(members)}
    if step.while_ is None and len(members) > step.for_.max:
        raise _too_many(step, len(members))
    rounds = _Rounds(course, step, entry)
    if step.for_.concurrency > 1:
        await rounds.side_by_side(list(members))
    else:
        await rounds.in_turn(list(members))
    entry.extras["results"] = rounds.results
    return {"count": rounds.count, "results": rounds.results}


class _Rounds:
    def __init__(self, course: Course, step: For, entry: Entry) -> None:
        self._course = course
        self._step = step
        self._entry = entry
        self.count = 0
        self.results: list[Any] = []
        self._bytes = 0

    async def in_turn(self, members: list[Any]) -> None:
        """Rounds share the variables; each starts with no memory of the steps of the one before."""
        scope, loop = self._course.scope, self._step.for_
        names, before = scope.names, scope.fresh
        hidden = {name: names[name] for name in (loop.each, loop.at) if name in names}
        scope.fresh = {}
        try:
            for index, member in enumerate(members):
                names[loop.each], names[loop.at] = member, index
                if not self._goes_on(self._course, index, len(members)):
                    break
                scope.forget(scope.fresh)
                scope.fresh = {}
                await run_steps(self._course.within(f"{self._entry.path}[{index}]/"), self._step.do)
                self._keep(self._course, scope)
        finally:
            scope.fresh = {**before, **scope.fresh}
            names.pop(loop.each, None)
            names.pop(loop.at, None)
            names.update(hidden)

    async def side_by_side(self, members: list[Any]) -> None:
        """Every round works on a copy of the scope; all run to their end, then the first failure is raised. `while` is
        tested for all rounds before the first begins.
        """
        loop, courses = self._step.for_, []
        for index, member in enumerate(members):
            copy = self._course.scope.copied({loop.each: member, loop.at: index})
            inner = self._course.within(f"{self._entry.path}[{index}]/", copy)
            if not self._goes_on(inner, index, len(members)):
                break
            courses.append(inner)
        if not courses:
            return
        parts = [partial(self._round, inner) for inner in courses]
        answers = await together(self._course, parts, at_once=loop.concurrency)
        for inner in courses:
            self._course.scope.join(inner.scope)
        raise_first([verdict for _, verdict in answers])
        for inner in courses:
            self._keep(self._course, inner.scope)

    async def _round(self, inner: Course) -> tuple[bool, Verdict]:
        try:
            await run_steps(inner, self._step.do)
        except (StepError, Ended) as verdict:
            return True, verdict
        return True, None

    def _goes_on(self, course: Course, index: int, members: int) -> bool:
        condition = self._step.while_
        if condition is None:
            return True
        if not course.test(condition, course.effects.now()):
            self._entry.branch = {"while": condition, "values": course.values_of(condition), "round": index}
            return False
        if index >= self._step.for_.max:
            raise _too_many(self._step, members)
        return True

    def _keep(self, course: Course, part: Any) -> None:
        self.count += 1
        if course.walk.prepared.is_collected(self._entry.step):
            self.results.append(results_of(course, self._entry.step, part))
            self._bytes += size_of(self.results[-1])
            if self._bytes > MOST_RESULT:
                raise StepError("limit", f"the results of all rounds are larger than {MOST_RESULT // 1024} KB")


def _too_many(step: For, members: int) -> StepError:
    most = step.for_.max
    return StepError("limit", f"{members} members, but the loop goes round {most} times at most — raise max")
