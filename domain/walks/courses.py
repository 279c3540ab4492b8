"""Where a walk stands: what is shared by the whole walk, and what differs from block to block."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from domain.actions.manifests import Manifest
from domain.durations import parse_duration
from domain.expressions import MISSING, ExpressionError, compile_condition, compile_value, render, to_json
from domain.expressions.budgets import Purse
from domain.expressions.writing import text_of
from domain.walks.interrupts import Deadline, Exhausted, Overdue, failed_expression
from domain.walks.ports import Brief, Effects, StepError
from domain.walks.prepared import Prepared
from domain.walks.scopes import Scope
from domain.walks.sizes import FUEL_OF_LOOK, FUEL_OF_STEP, FUEL_TO_CLEAN_UP, MOST_LOOKS, MOST_STEPS, STEPS_TO_CLEAN_UP
from domain.walks.traces import Entry, Masks, Tracer

seconds_in = timedelta.total_seconds
span_of = lru_cache(maxsize=512)(parse_duration)


_TOO_MUCH = "the item's expressions and steps do too much work together"

#: what a kind of step does: its result is `steps.<id>.result`
Doing = Callable[["Course", Any, Entry], Awaitable[Any]]


class Walk:
    """Shared by all branches of one walk."""

    __slots__ = (
        "actions", "brief", "doings", "executed", "looks", "masks", "prepared", "purse", "takes_any_id", "tracer",
    )  # fmt: skip

    def __init__(
        self,
        brief: Brief,
        prepared: Prepared,
        actions: Mapping[str, Manifest],
        doings: Mapping[str, "Doing"],
        takes_any_id: bool,
        fuel: int,
    ) -> None:
        self.takes_any_id = takes_any_id
        self.doings = doings
        self.brief = brief
        self.prepared = prepared
        self.masks = Masks(brief.inputs, prepared.definition.inputs)
        self.tracer = Tracer(self.masks)
        self.actions = actions
        self.purse = Purse(fuel)
        self.executed = 0
        self.looks = 0


class Course:
    """The way through one list of steps. `prefix` begins the paths of its steps; `is_cleanup`: in `finally` or
    `on_failure`, where an item that used up its steps may still take a few.
    """

    __slots__ = ("deadline", "effects", "is_cleanup", "prefix", "scope", "walk")

    def __init__(
        self, walk: Walk, effects: Effects, scope: Scope, deadline: Deadline, prefix: str = "", is_cleanup: bool = False
    ) -> None:
        self.walk = walk
        self.effects = effects
        self.scope = scope
        self.deadline = deadline
        self.prefix = prefix
        self.is_cleanup = is_cleanup

    def within(self, prefix: str, scope: Scope | None = None) -> "Course":
        return Course(self.walk, self.effects, scope or self.scope, self.deadline, prefix, self.is_cleanup)

    def until(self, step: str, now: datetime, timeout: timedelta) -> "Course":
        """The same, with the timeout of a step; an earlier deadline stays."""
        if now + timeout >= self.deadline.at:
            return self
        return Course(self.walk, self.effects, self.scope, Deadline(now + timeout, step), self.prefix, self.is_cleanup)

    def cleaning_up(self, seconds: float, prefix: str | None = None) -> "Course":
        """For `finally` and `on_failure`: not stopped by anything but its own deadline."""
        effects, purse = self.effects.for_cleanup(seconds), self.walk.purse
        if purse.left <= 0:
            purse.left = FUEL_TO_CLEAN_UP
        deadline = Deadline(effects.now() + timedelta(seconds=seconds))
        return Course(self.walk, effects, self.scope, deadline, self.prefix if prefix is None else prefix, True)

    def look(self) -> None:
        """Count a step that is come to. Raises Exhausted."""
        self.walk.looks += 1
        if self.walk.looks > MOST_LOOKS + self._spare:
            raise Exhausted(f"more than {MOST_LOOKS} steps were looked at")
        self._pay(FUEL_OF_LOOK)

    def execute(self) -> None:
        """Count a step that is carried out. Raises Exhausted."""
        self.walk.executed += 1
        if self.walk.executed > MOST_STEPS + self._spare:
            raise Exhausted(f"more than {MOST_STEPS} steps were executed")
        self._pay(FUEL_OF_STEP)

    def _pay(self, fuel: int) -> None:
        purse = self.walk.purse
        purse.left -= fuel
        if purse.left <= 0:
            raise Exhausted(_TOO_MUCH)

    @property
    def _spare(self) -> int:
        return STEPS_TO_CLEAN_UP if self.is_cleanup else 0

    def in_time(self, now: datetime) -> None:
        if now >= self.deadline.at:
            raise Overdue(self.deadline)

    def left(self, now: datetime) -> float:
        """Seconds to the deadline."""
        return max(0.0, seconds_in(self.deadline.at - now))

    def test(self, condition: str, now: datetime) -> bool:
        try:
            return compile_condition(condition).evaluate_condition(self.scope.names, now=now, purse=self.walk.purse)
        except ExpressionError as error:
            raise self._failed(error, condition) from None

    def values_of(self, condition: str) -> dict[str, Any]:
        """What a condition reads, for the trace."""
        return compile_condition(condition).read(self.scope.names)

    def value(self, source: Any, now: datetime) -> Any:
        """A tree with its expressions evaluated. A value that is missing as a whole is an error (R320)."""
        try:
            if isinstance(source, str):
                value = compile_value(source).evaluate(
                    self.scope.names, now=now, missing=MISSING, purse=self.walk.purse
                )
                if value is MISSING:
                    raise ExpressionError("R320", "value is missing — add | default(…)")
                return value
            return render(source, self.scope.names, now=now, purse=self.walk.purse)
        except ExpressionError as error:
            raise self._failed(error, source if isinstance(source, str) else None) from None

    def params(self, source: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Parameters as plain JSON; null counts as left out."""
        try:
            rendered = render(source, self.scope.names, now=now, purse=self.walk.purse)
            return {name: to_json(value) for name, value in rendered.items() if value is not None}
        except ExpressionError as error:
            raise self._failed(error) from None

    def _failed(self, error: ExpressionError, source: str | None = None) -> StepError:
        if self.walk.purse.left <= 0:
            return Exhausted(_TOO_MUCH)
        return failed_expression(error, source)

    def text(self, source: str, now: datetime) -> str:
        """A message: whatever the expression yields, as text."""
        value = self.value(source, now)
        try:
            return text_of(value)
        except ExpressionError as error:
            raise failed_expression(error, source) from None

    def plain(self, value: Any) -> Any:
        try:
            return to_json(value)
        except ExpressionError as error:
            raise failed_expression(error) from None


def error_context(error: StepError) -> dict[str, Any]:
    """`error.*` of `catch` and `on_failure`."""
    return {"type": error.type, "message": error.message, "step": error.step, "details": error.details}
