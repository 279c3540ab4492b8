"""The table of filters: what each takes, does and yields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.expressions import lists, moments, numbers, texts
from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.filling import fill_from
from domain.expressions.suggestions import closest
from domain.expressions.values import MISSING, is_empty
from domain.expressions.writing import json_text, text_of


class _Required:
    pass


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Filter:
    """`apply(evaluation, value, *arguments)`; `parameters` by name with their defaults.

    `check` sees the arguments while compiling, MISSING where they are not literals.
    """

    apply: Callable[..., Any]
    type: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    takes_missing: bool = False
    may_miss: bool = False
    counts_as_pattern: bool = False
    check: Callable[[Sequence[Any]], None] | None = None


def bind(found: Filter, positional: Sequence[Any], named: Sequence[tuple[str, Any]]) -> list[Any]:
    """Arguments in the order of the parameters, defaults filled in. Raises E305."""
    names = list(found.parameters)
    known = f"takes {', '.join(names)}" if names else "takes nothing"
    if len(positional) > len(names):
        raise ExpressionError("E305", f"too many arguments — the filter {known}")
    bound = dict(zip(names, positional, strict=False))
    for name, value in named:
        if name not in found.parameters:
            raise ExpressionError("E305", f"no argument {quoted(name)} — the filter {known}",
                                  suggestion=closest(name, names))  # fmt: skip
        if name in bound:
            raise ExpressionError("E305", f"the argument {quoted(name)} is given twice")
        bound[name] = value
    for name in names:
        if bound.setdefault(name, found.parameters[name]) is REQUIRED:
            raise ExpressionError("E305", f"the argument {quoted(name)} is missing — the filter {known}")
    return [bound[name] for name in names]


def _default(_run: Evaluation, value: Any, other: Any, or_empty: Any) -> Any:
    if value is None or value is MISSING or (or_empty is True and is_empty(value)):
        return other
    return value


def _string(run: Evaluation, value: Any) -> str:
    return run.text(text_of(value))


def _tojson(run: Evaluation, value: Any) -> str:
    return run.text(json_text(value, run))


FILTERS: Final[dict[str, Filter]] = {
    "default": Filter(
        _default, parameters={"other": REQUIRED, "or_empty": False}, takes_missing=True, may_miss=True
    ),
    "length": Filter(lists.length, "number"),
    "upper": Filter(texts.upper, "text"),
    "lower": Filter(texts.lower, "text"),
    "trim": Filter(texts.trim, "text"),
    "join": Filter(lists.join, "text", {"by": ""}),
    "first": Filter(lists.first, may_miss=True),
    "last": Filter(lists.last, may_miss=True),
    "round": Filter(numbers.rounded, "number", {"digits": 0}),
    "int": Filter(numbers.whole, None, {"default": MISSING}),
    "float": Filter(numbers.fraction, None, {"default": MISSING}),
    "string": Filter(_string, "text"),
    "contains": Filter(lists.contains, "boolean", {"what": REQUIRED}),
    "startswith": Filter(texts.starts_with, "boolean", {"what": REQUIRED}),
    "endswith": Filter(texts.ends_with, "boolean", {"what": REQUIRED}),
    "matches": Filter(
        texts.matches, "boolean", {"pattern": REQUIRED}, counts_as_pattern=True, check=texts.require_pattern
    ),
    "replace": Filter(texts.replace, "text", {"old": REQUIRED, "new": REQUIRED}),
    "truncate": Filter(texts.truncate, "text", {"length": REQUIRED, "end": "…"}),
    "sum": Filter(numbers.total),
    "min": Filter(lists.smallest, may_miss=True),
    "max": Filter(lists.largest, may_miss=True),
    "unique": Filter(lists.unique, "list"),
    "sort": Filter(lists.sort, "list", {"by": None, "reverse": False}),
    "pluck": Filter(lists.pluck, "list", {"field": REQUIRED}),
    "where": Filter(lists.where, "list", {"field": REQUIRED, "equals": True}),
    "tojson": Filter(_tojson, "text"),
    "date": Filter(moments.date, None, {"format": None, "offset": "Z"}, check=moments.require_format),
    "money": Filter(numbers.money, "text", {"currency": "UAH"}, check=numbers.require_currency),
    "duration": Filter(moments.duration, "duration"),
    "urlencode": Filter(texts.url_encode, "text"),
    "fill": Filter(fill_from, "text"),
}  # fmt: skip
