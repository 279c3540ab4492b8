"""Reading `x.y`, `x['y']`, `x[0]`, `x[1:3]`: keys of objects and places of lists, never an attribute of anything."""

from collections.abc import Mapping
from typing import Any

from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.values import MISSING, described, kind_of

Path = tuple[str | int, ...]
_SHOULD_BE_FILTERS = {"length": "length", "size": "length", "count": "length", "first": "first", "last": "last"}


def read(names: Mapping[str, Any], path: Path) -> Any:
    """What stands at a path; MISSING where nothing does."""
    value = names.get(path[0], MISSING)  # type: ignore[arg-type]
    for key in path[1:]:
        value = value.get(key, MISSING) if type(value) is dict else step_into(value, key)
    return value


def step_into(value: Any, key: Any) -> Any:
    """One step. What is missing or null has nothing below it. R323 where no step is possible."""
    if value is MISSING or value is None:
        return MISSING
    match kind_of(value), kind_of(key):
        case ("object", "text"):
            return value.get(key, MISSING)
        case ("object", "number") if isinstance(key, int):
            return MISSING
        case (("list" | "text"), "number") if isinstance(key, int):
            return value[key] if -len(value) <= key < len(value) else MISSING
    filter_name = _SHOULD_BE_FILTERS.get(key) if isinstance(key, str) else None
    remedy = f" — use | {filter_name}" if filter_name else ""
    raise ExpressionError("R323", f"{described(value)} has no {quoted(key)}{remedy}")


def cut(value: Any, start: Any, stop: Any, step: Any, run: Evaluation) -> Any:
    """A slice of a text or a list."""
    for bound in (start, stop, step):
        if bound is not None and (kind_of(bound) != "number" or not isinstance(bound, int)):
            raise ExpressionError("R323", f"a slice needs whole numbers, not {described(bound)}")
    if step == 0:
        raise ExpressionError("R324", "the step of a slice cannot be 0")
    match kind_of(value):
        case "text":
            return run.text(value[start:stop:step])
        case "list":
            found = list(value[start:stop:step])
            run.items(len(found))
            return found
    raise ExpressionError("R323", f"a slice needs a text or a list, not {described(value)}")


def path_text(path: Path) -> str:
    """`steps.ask.result.items[0].id`: as an author writes it."""
    text = str(path[0])
    for key in path[1:]:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key}" if key.isidentifier() else f"[{key!r}]"
    return text
