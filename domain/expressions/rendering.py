"""Any JSON tree with expressions in its texts."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from domain.expressions.budgets import DEEPEST, FUEL, Purse
from domain.expressions.errors import ExpressionError
from domain.expressions.evaluating import compile_value


def render(value: Any, names: Mapping[str, Any], *, now: datetime, fuel: int = FUEL, purse: Purse | None = None) -> Any:
    """The tree with every text evaluated; missing becomes null. An error carries the pointer of its text.

    `fuel` is each text's; `purse` pays for all of them.
    """

    def evaluated(text: str) -> Any:
        return compile_value(text).evaluate(names, now=now, fuel=fuel, purse=purse)

    return _rendered(value, evaluated, ())


def _rendered(value: Any, evaluated: Callable[[str], Any], keys: tuple[str, ...]) -> Any:
    if len(keys) > DEEPEST:
        raise ExpressionError("R312", f"nested more than {DEEPEST} deep", pointer=_pointer(keys))
    if isinstance(value, str):
        try:
            return evaluated(value)
        except ExpressionError as error:
            error.pointer = _pointer(keys)
            raise
    if isinstance(value, Mapping):
        return {key: _rendered(item, evaluated, (*keys, str(key))) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rendered(item, evaluated, (*keys, str(at))) for at, item in enumerate(value)]
    return value


def _pointer(keys: tuple[str, ...]) -> str:
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
