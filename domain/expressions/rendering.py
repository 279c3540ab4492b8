"""Any JSON tree with expressions in its texts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.expressions.budgets import DEEPEST, FUEL
from domain.expressions.errors import ExpressionError
from domain.expressions.evaluating import compile_value


def render(value: Any, names: Mapping[str, Any], *, now: datetime, fuel: int = FUEL) -> Any:
    """The tree with every text evaluated; missing becomes null. An error carries the pointer of its text."""
    return _rendered(value, names, now, fuel, ())


def _rendered(value: Any, names: Mapping[str, Any], now: datetime, fuel: int, keys: tuple[str, ...]) -> Any:
    if len(keys) > DEEPEST:
        raise ExpressionError("R312", f"nested more than {DEEPEST} deep", pointer=_pointer(keys))
    if isinstance(value, str):
        try:
            return compile_value(value).evaluate(names, now=now, fuel=fuel)
        except ExpressionError as error:
            error.pointer = _pointer(keys)
            raise
    if isinstance(value, Mapping):
        return {key: _rendered(item, names, now, fuel, (*keys, str(key))) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rendered(item, names, now, fuel, (*keys, str(at))) for at, item in enumerate(value)]
    return value


def _pointer(keys: tuple[str, ...]) -> str:
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
