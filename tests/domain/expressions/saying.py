"""Expressions in a line: what one yields, whether a condition holds, how a source is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.expressions import ExpressionError, compile_condition, compile_value

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)

NAMES: dict[str, Any] = {
    "inputs": {"delay": "1h30m", "limit": 3, "empty": None, "text": "Вітаю", "warn": True, "none_yet": None},
    "vars": {"count": 7, "list": [3, 1, 2], "nothing": [], "object": {"a": 1, "b": {"c": [10, 20]}}},
    "dialog": {"status": "open", "tags": ["vip", "spam"], "opened_at": NOON - timedelta(days=2), "csat": None},
    "contact": {
        "first_name": "Олена", "phone": "0501234567", "last_name": None,
        "channels": [
            {"kind": "viber", "window_open": False, "order": 2},
            {"kind": "telegram", "window_open": True, "order": 1},
            {"kind": "email", "order": 3},
        ],
    },
    "steps": {"ask": {"result": {"status": 200, "amount": 1000.5, "items": [{"id": 5}]}, "timed_out": False}},
}  # fmt: skip


def value(source: str, names: dict[str, Any] | None = None, **options: Any) -> Any:
    """Of a text with braces."""
    return compile_value(source).evaluate(NAMES if names is None else names, now=NOON, **options)


def of(expression: str, names: dict[str, Any] | None = None, **options: Any) -> Any:
    """Of a bare expression."""
    return value("{{ " + expression + " }}", names, **options)


def holds(condition: str, names: dict[str, Any] | None = None) -> bool:
    return compile_condition(condition).evaluate_condition(NAMES if names is None else names, now=NOON)


def refusal(source: str, names: dict[str, Any] | None = None, *, is_condition: bool = False) -> ExpressionError:
    """How compiling or evaluating is refused; fails when it is not."""
    with pytest.raises(ExpressionError) as caught:
        (holds if is_condition else value)(source, names)
    error = caught.value
    assert error.message
    assert "\n" not in error.message
    return error


def refusal_of(expression: str, names: dict[str, Any] | None = None) -> ExpressionError:
    """Of a bare expression between braces."""
    return refusal("{{ " + expression + " }}", names)
