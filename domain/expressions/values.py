"""The values of expressions (JSON, moments, durations): of what kind one is, when two are equal."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, final

from domain.expressions.budgets import LARGEST_INTEGER, SMALLEST_INTEGER, Evaluation
from domain.expressions.errors import ExpressionError

DEEPEST_VALUE = 64


@final
class Missing:
    """What is read where nothing is. Equal to null for `is empty`, `| default` and parameters, an error elsewhere."""

    _only: "Missing | None" = None

    def __new__(cls) -> "Missing":
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

_KINDS: Final[dict[type, str]] = {
    str: "text", int: "number", float: "number", bool: "boolean", type(None): "null", list: "list", tuple: "list",
    dict: "object", datetime: "moment", timedelta: "duration", Missing: "missing",
}  # fmt: skip
_WITH_ARTICLE: Final = {"object": "an object", "null": "null", "missing": "missing", "unknown": "a foreign value"}


def kind_of(value: Any) -> str:
    """text, number, boolean, null, list, object, moment, duration, missing; `unknown` for what is no value here."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    for base, name in _KINDS.items():
        if isinstance(value, base) and base is not Missing:
            return "boolean" if isinstance(value, bool) else name
    return "object" if isinstance(value, Mapping) else "unknown"


def described(value: Any) -> str:
    """`a text`, `null`: for messages."""
    kind = kind_of(value)
    return _WITH_ARTICLE.get(kind, f"a {kind}")


def wrong(what: str, needs: str, value: Any) -> ExpressionError:
    """R323 with its remedy."""
    remedy = " — add | default(…)" if value is None else ""
    return ExpressionError("R323", f"{what} needs {needs}, not {described(value)}{remedy}")


def number(value: int | float) -> int | float:
    """A number that was made, refused outside int64 or when not finite."""
    if type(value) is int:
        if SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            return value
    elif math.isfinite(value):
        return value
    raise ExpressionError("R313", "the number is out of range")


def as_utc(moment: datetime) -> datetime:
    """A moment without a zone is UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ExpressionError("R313", "the moment is out of range") from None


def parse_moment(text: str) -> datetime | None:
    """An RFC 3339 text (or a plain date: its midnight in UTC) as a moment; None when it is not one."""
    if not 10 <= len(text) <= 40 or not text.isascii() or text[4] != "-" or text[7] != "-":
        return None
    try:
        return as_utc(datetime.fromisoformat(text))
    except (ValueError, ExpressionError):
        return None


def format_moment(moment: datetime) -> str:
    """RFC 3339, UTC, `Z`; microseconds only where there are some."""
    utc = as_utc(moment).replace(tzinfo=None)
    return utc.isoformat() + "Z"


def format_number(value: int | float) -> str:
    """Digits and a point, never a thousands separator; 3.0 is written 3."""
    number(value)
    if isinstance(value, int):
        return int.__repr__(value)
    text = float.__repr__(value)
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def equal(left: Any, right: Any, run: Evaluation, depth: int = 0) -> bool:
    """Without conversion: true is not 1, '3' is not 3. A moment equals its RFC 3339 text."""
    if type(left) is type(right) and type(left) in (str, int, bool, float, type(None)):
        return bool(left == right)
    kind, other = kind_of(left), kind_of(right)
    if kind != other:
        if "moment" in (kind, other) and "text" in (kind, other):
            first, second = moment_of(left), moment_of(right)
            return first is not None and first == second
        return False
    if depth > DEEPEST_VALUE:
        raise too_deep()
    match kind:
        case "list":
            if len(left) != len(right):
                return False
            run.items(len(left))
            return all(equal(a, b, run, depth + 1) for a, b in zip(left, right, strict=True))
        case "object":
            if len(left) != len(right):
                return False
            run.items(len(left))
            return all(key in right and equal(item, right[key], run, depth + 1) for key, item in left.items())
        case "moment":
            return as_utc(left) == as_utc(right)
        case "unknown":
            return left is right
    return bool(left == right)


def hashable(value: Any, run: Evaluation, depth: int = 0) -> Any:
    """Two values have equal forms exactly when they are equal (moments apart from their texts)."""
    if depth > DEEPEST_VALUE:
        raise too_deep()
    kind = kind_of(value)
    match kind:
        case "list":
            run.items(len(value))
            return (kind, *(hashable(item, run, depth + 1) for item in value))
        case "object":
            run.items(len(value))
            return (kind, frozenset((key, hashable(item, run, depth + 1)) for key, item in value.items()))
        case "moment":
            return (kind, as_utc(value))
        case "unknown":
            raise wrong("a comparison", "a value", value)
    return (kind, value)


def moment_of(value: Any) -> datetime | None:
    """A moment, or the moment a text names."""
    if isinstance(value, datetime):
        return as_utc(value)
    return parse_moment(value) if isinstance(value, str) else None


def is_empty(value: Any) -> bool:
    """Missing, null, an empty text, list or object."""
    if value is None or value is MISSING:
        return True
    return kind_of(value) in ("text", "list", "object") and len(value) == 0


def too_deep() -> ExpressionError:
    return ExpressionError("R312", f"the value is nested more than {DEEPEST_VALUE} deep")
