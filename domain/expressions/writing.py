"""How values are written: into text, and as plain JSON."""

import json
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from domain.durations import format_duration
from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError
from domain.expressions.values import (
    DEEPEST_VALUE,
    described,
    format_moment,
    format_number,
    kind_of,
    number,
    too_deep,
    wrong,
)  # fmt: skip

LARGEST_JSON = 200_000
"""Nodes of one value, a text counted as one and one more for every 16 characters: about 3 MB."""


def text_of(value: Any) -> str:
    """How a value is written into text. R320 missing, R321 null, R322 list or object."""
    if type(value) is str:
        return value
    match kind_of(value):
        case "text":
            return str.__str__(value)
        case "number":
            return format_number(value)
        case "boolean":
            return "true" if value else "false"
        case "moment":
            return format_moment(value)
        case "duration":
            return format_duration(value)
        case "null":
            raise ExpressionError("R321", "null cannot be written into text — add | default(…)")
        case "missing":
            raise ExpressionError("R320", "value is missing — add | default(…)")
        case "list":
            raise ExpressionError("R322", "a list cannot be written into text — use | join(', ')")
        case "object":
            raise ExpressionError("R322", "an object cannot be written into text — name a field of it, or use | tojson")
    raise wrong("text", "a value", value)


def to_json(value: Any) -> Any:
    """A value as plain JSON: moments as RFC 3339 in UTC, durations as `1d2h`, missing as null.

    Raises ExpressionError for what has no JSON form or is too large.
    """
    return _Plain(LARGEST_JSON).of(value, 0)


def json_text(value: Any, run: Evaluation) -> str:
    """One line of JSON, keys in their order; paid for by its nodes."""
    plain = _Plain(LARGEST_JSON)
    found = plain.of(value, 0)
    run.spend(plain.spent >> 4)
    return one_line(found)


def one_line(plain: Any) -> str:
    """Plain JSON as text."""
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class _Plain:
    """One value under way to JSON. The same part may stand in it many times over: what comes out is what counts."""

    __slots__ = ("limit", "spent")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.spent = 0

    def of(self, value: Any, depth: int) -> Any:
        self.spent += 1 + (len(value) >> 4 if type(value) is str else 0)
        if self.spent > self.limit:
            raise ExpressionError("R312", "the value is too large")
        kind = type(value)
        if kind is str or kind is bool or value is None:
            return value
        if depth > DEEPEST_VALUE:
            raise too_deep()
        match kind_of(value):
            case "list":
                return [self.of(item, depth + 1) for item in value]
            case "object":
                return {_key(key): self.of(item, depth + 1) for key, item in value.items()}
            case "number":
                return number(int(value) if isinstance(value, int) else float(value))
            case "text":
                return str.__str__(value)
            case "moment":
                return format_moment(value)
            case "duration":
                return format_duration(value)
            case "missing":
                return None
        return self._foreign(value, depth)

    def _foreign(self, value: Any, depth: int) -> Any:
        """What rows hold beside JSON."""
        if isinstance(value, Decimal) and value.is_finite():
            return number(int(value) if value == value.to_integral_value() else float(value))
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, Enum):
            return self.of(value.value, depth + 1)
        raise wrong("JSON", "a value", value)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise ExpressionError("R323", f"a key of an object is a text, not {described(key)}")
