"""The operators, each over exact kinds: no truthiness, no conversion, integers in int64."""

import operator
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError
from domain.expressions.values import as_utc, described, equal, kind_of, moment_of, number

Binary = Callable[[Any, Any, Evaluation], Any]


def add(left: Any, right: Any, run: Evaluation) -> Any:
    """number + number, text + text, list + list, moment + duration, duration + duration."""
    kinds = (kind_of(left), kind_of(right))
    match kinds:
        case ("number", "number"):
            return _calculated(operator.add, left, right)
        case ("text", "text"):
            run.room(len(left) + len(right))
            return run.text(left + right)
        case ("list", "list"):
            run.items(len(left) + len(right))
            return [*left, *right]
        case ("duration", "duration"):
            return _calculated(operator.add, left, right)
        case (("moment" | "text"), "duration"):
            moment = moment_of(left)
            if moment is not None:
                return _calculated(operator.add, moment, right)
        case ("duration", ("moment" | "text")):
            return add(right, left, run)
    hint = " — join as text with ~" if "text" in kinds else ""
    raise _wrong("+", left, right, hint)


def subtract(left: Any, right: Any, _run: Evaluation) -> Any:
    """number - number, moment - duration, moment - moment (a duration), duration - duration."""
    match kind_of(left), kind_of(right):
        case ("number", "number") | ("duration", "duration"):
            return _calculated(operator.sub, left, right)
        case (("moment" | "text"), "duration"):
            moment = moment_of(left)
            if moment is not None:
                return _calculated(operator.sub, moment, right)
        case ("moment", "moment") | ("moment", "text") | ("text", "moment"):
            first, second = moment_of(left), moment_of(right)
            if first is not None and second is not None:
                return first - second
    raise _wrong("-", left, right)


def multiply(left: Any, right: Any, _run: Evaluation) -> Any:
    return _calculated(operator.mul, *_numbers("*", left, right))


def divide(left: Any, right: Any, _run: Evaluation) -> Any:
    """Always with a fraction: 7 / 2 is 3.5."""
    return _calculated(operator.truediv, *_numbers("/", left, right))


def divide_whole(left: Any, right: Any, _run: Evaluation) -> Any:
    """Rounded down: -7 // 2 is -4."""
    return _calculated(operator.floordiv, *_numbers("//", left, right))


def remainder(left: Any, right: Any, _run: Evaluation) -> Any:
    """With the sign of the divisor: -7 % 3 is 2."""
    return _calculated(operator.mod, *_numbers("%", left, right))


def negate(value: Any) -> Any:
    kind = kind_of(value)
    if kind == "number":
        return number(-value)
    if kind == "duration":
        return _calculated(operator.sub, timedelta(0), value)
    raise ExpressionError("R323", f"minus needs a number or a duration, not {described(value)}")


def affirm(value: Any) -> Any:
    if kind_of(value) == "number":
        return value
    raise ExpressionError("R323", f"plus needs a number, not {described(value)}")


def same(left: Any, right: Any, run: Evaluation) -> bool:
    return equal(left, right, run)


def different(left: Any, right: Any, run: Evaluation) -> bool:
    return not equal(left, right, run)


def less(left: Any, right: Any, _run: Evaluation) -> bool:
    return bool(operator.lt(*ordered("<", left, right)))


def at_most(left: Any, right: Any, _run: Evaluation) -> bool:
    return bool(operator.le(*ordered("<=", left, right)))


def greater(left: Any, right: Any, _run: Evaluation) -> bool:
    return bool(operator.gt(*ordered(">", left, right)))


def at_least(left: Any, right: Any, _run: Evaluation) -> bool:
    return bool(operator.ge(*ordered(">=", left, right)))


def within(left: Any, right: Any, run: Evaluation) -> bool:
    """A piece of a text, a member of a list, a key of an object."""
    match kind_of(right):
        case "text":
            if kind_of(left) == "text":
                run.spend(len(right) >> 6)
                return left in right
            raise ExpressionError("R323", f"`in` a text needs a text before it, not {described(left)}")
        case "list":
            run.items(len(right))
            return any(equal(left, item, run) for item in right)
        case "object":
            return kind_of(left) == "text" and left in right
    remedy = " — add | default([])" if right is None else ""
    raise ExpressionError("R323", f"`in` needs a list, a text or an object after it, not {described(right)}{remedy}")


def not_within(left: Any, right: Any, run: Evaluation) -> bool:
    return not within(left, right, run)


def ordered(sign: str, left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides as values that Python orders as we do. Raises R323 when they have no order."""
    kind, other = kind_of(left), kind_of(right)
    if kind == other:
        if kind in ("number", "text", "duration"):
            return left, right
        if kind == "moment":
            return as_utc(left), as_utc(right)
    elif "moment" in (kind, other) and "text" in (kind, other):
        first, second = moment_of(left), moment_of(right)
        if first is not None and second is not None:
            return first, second
    raise _wrong(sign, left, right, " — add | default(…)" if left is None or right is None else "")


def _numbers(sign: str, left: Any, right: Any) -> tuple[Any, Any]:
    if kind_of(left) == "number" and kind_of(right) == "number":
        return left, right
    raise _wrong(sign, left, right)


def _calculated(calculate: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    try:
        value = calculate(left, right)
    except ZeroDivisionError:
        raise ExpressionError("R314", "division by zero") from None
    except OverflowError:
        raise ExpressionError("R313", "the result is out of range") from None
    return number(value) if isinstance(value, int | float) else value


def _wrong(sign: str, left: Any, right: Any, hint: str = "") -> ExpressionError:
    return ExpressionError("R323", f"`{sign}` does not work between {described(left)} and {described(right)}{hint}")


ARITHMETIC: Final[dict[str, Binary]] = {
    "Add": add, "Sub": subtract, "Mul": multiply, "Div": divide, "FloorDiv": divide_whole, "Mod": remainder,
}  # fmt: skip
COMPARISONS: Final[dict[str, Binary]] = {
    "eq": same, "ne": different, "lt": less, "lteq": at_most, "gt": greater, "gteq": at_least,
    "in": within, "notin": not_within,
}  # fmt: skip
SIGNS: Final[dict[str, str]] = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip
