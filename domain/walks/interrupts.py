"""What ends a walk, or a part of it, from within."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from domain.expressions import ExpressionError
from domain.walks.ports import StepError


class Ended(Exception):
    """A `stop` step: the item ends without failure. Passes every `catch`; `finally` runs."""

    def __init__(self, status: str, message: str | None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True, eq=False)
class Deadline:
    """When everything within must have ended. `step`: whose timeout it is, None for the item's own."""

    at: datetime
    step: str | None = None


class Overdue(StepError):
    """A deadline passed. Nothing within the deadline can catch it; the step it belongs to fails with `timeout`."""

    def __init__(self, deadline: Deadline) -> None:
        whose = f"step '{deadline.step}'" if deadline.step else "the item"
        super().__init__("timeout", f"{whose} took longer than its timeout")
        self.deadline = deadline


class Exhausted(StepError):
    """The item walked through more steps, or evaluated more, than an item may: nothing can catch it."""

    def __init__(self, what: str) -> None:
        super().__init__("limit", f"{what} — does a loop go round too often?")


@contextmanager
def as_step_errors() -> Iterator[None]:
    """An expression that fails fails its step."""
    try:
        yield
    except ExpressionError as error:
        raise failed_expression(error) from None


def failed_expression(error: ExpressionError, source: str | None = None) -> StepError:
    details = {"code": error.code, "pointer": error.pointer, "source": source, "offset": error.offset}
    return StepError(
        "expression", error.message, details={key: value for key, value in details.items() if value is not None}
    )
