"""What compiling yields: closures with what is known of them, and the names and comparisons met on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError
from domain.expressions.paths import Path
from domain.expressions.values import MISSING, described

Run = Callable[[Evaluation], Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled node. `type` is what it always yields, None when that is not known; `path` when it reads just one.

    `value` is that of a literal. `may_miss`: it may yield MISSING.
    """

    run: Run
    type: str | None = None
    may_miss: bool = False
    path: Path | None = None
    value: Any = MISSING


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that is read from the names, and where it stands. `is_optional`: it may be missing without an error."""

    path: Path
    offset: int
    length: int
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a path, or a literal value, or something else; `type` when it is known."""

    type: str | None
    path: Path | None = None
    value: Any = MISSING


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left sign right`, for whoever knows the types of names."""

    left: Side
    sign: str
    right: Side
    offset: int
    length: int


def missing(name: str | None, span: tuple[int, int]) -> ExpressionError:
    what = f": {name}" if name else ""
    return ExpressionError(
        "R320", f"value is missing{what} — add | default(…)", offset=span[0], length=span[1], name=name
    )


def not_boolean(value: Any, span: tuple[int, int], name: str | None = None) -> ExpressionError:
    remedy = "add | default(false)" if value is None or value is MISSING else "compare it with something"
    return ExpressionError(
        "R306", f"a condition is true or false, this is {described(value)} — {remedy}",
        offset=span[0], length=span[1], name=name,
    )  # fmt: skip


def never_boolean(type: str, span: tuple[int, int]) -> ExpressionError:
    return ExpressionError(
        "E306", f"a condition is true or false, this is {described_type(type)} — compare it with something",
        offset=span[0], length=span[1],
    )  # fmt: skip


def described_type(type: str) -> str:
    return {"object": "an object", "null": "null"}.get(type, f"a {type}")
