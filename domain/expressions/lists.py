"""Filters of lists (and of what has a length)."""

from typing import Any

from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError
from domain.expressions.operators import ordered, within
from domain.expressions.paths import step_into
from domain.expressions.texts import text_for
from domain.expressions.values import MISSING, as_utc, described, equal, hashable, kind_of, wrong
from domain.expressions.writing import text_of

DEEPEST_FIELD = 10


def list_for(name: str, value: Any, run: Evaluation) -> Any:
    """The list, paid for; R323 for anything else."""
    if kind_of(value) != "list":
        raise wrong(f"| {name}", "a list", value)
    run.items(len(value))
    return value


def length(_run: Evaluation, value: Any) -> int:
    """Of a text in characters, of a list in items, of an object in fields."""
    if kind_of(value) not in ("text", "list", "object"):
        raise wrong("| length", "a text, a list or an object", value)
    return len(value)


def join(run: Evaluation, value: Any, by: Any) -> str:
    separator = text_for("join", by)
    texts = [text_of(item) for item in list_for("join", value, run)]
    run.room(sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0))
    return run.text(separator.join(texts))


def first(_run: Evaluation, value: Any) -> Any:
    """Missing when there is none."""
    return _end("first", value, 0)


def last(_run: Evaluation, value: Any) -> Any:
    return _end("last", value, -1)


def contains(run: Evaluation, value: Any, what: Any) -> bool:
    """The same as `what in value`."""
    if kind_of(value) not in ("text", "list", "object"):
        raise wrong("| contains", "a list or a text", value)
    return within(what, value, run)


def smallest(run: Evaluation, value: Any) -> Any:
    return _best("min", value, run, is_least=True)


def largest(run: Evaluation, value: Any) -> Any:
    return _best("max", value, run, is_least=False)


def unique(run: Evaluation, value: Any) -> list[Any]:
    """The first of every equal ones, in order."""
    seen: set[Any] = set()
    found = []
    for item in list_for("unique", value, run):
        key = hashable(item, run)
        if key not in seen:
            seen.add(key)
            found.append(item)
    return found


def sort(run: Evaluation, value: Any, by: Any, reverse: Any) -> list[Any]:
    """Stable; all of one kind: numbers, texts, moments or durations. `by` names a field of objects."""
    items = list(list_for("sort", value, run))
    if not isinstance(reverse, bool):
        raise ExpressionError("R323", f"| sort: reverse is true or false, not {described(reverse)}")
    # comparing costs: n log n, not n
    run.spend(len(items) * max(len(items).bit_length(), 1) >> 4)
    path = None if by is None else _field("sort", by, items, run)
    keys = [item if path is None else read_field(item, path) for item in items]
    for key in keys:
        if key is MISSING or key is None:
            raise ExpressionError("R323", "| sort met an item without a value to sort by")
        ordered("sort", keys[0], key)
        run.spend(len(key) >> 6 if isinstance(key, str) else 0)
    order = sorted(range(len(items)), key=lambda at: _sortable(keys[at]), reverse=reverse)
    return [items[at] for at in order]


def pluck(run: Evaluation, value: Any, field: Any) -> list[Any]:
    """That field of every item, null where it is missing. A dotted name goes deeper."""
    items = list_for("pluck", value, run)
    path = _field("pluck", field, items, run)
    found = (read_field(item, path) for item in items)
    return [None if item is MISSING else item for item in found]


def where(run: Evaluation, value: Any, field: Any, equals: Any) -> list[Any]:
    """The items whose field is true, or equals something."""
    found = []
    items = list_for("where", value, run)
    path = _field("where", field, items, run)
    for item in items:
        read = read_field(item, path)
        if equal(None if read is MISSING else read, equals, run):
            found.append(item)
    return found


def read_field(item: Any, path: list[str]) -> Any:
    for key in path:
        item = step_into(item, key)
    return item


def _field(name: str, field: Any, items: Any, run: Evaluation) -> list[str]:
    """The keys of a dotted name, paid for each item. R324 beyond DEEPEST_FIELD."""
    path = text_for(name, field).split(".", DEEPEST_FIELD)
    if len(path) > DEEPEST_FIELD:
        raise ExpressionError("R324", f"| {name}: a field lies at most {DEEPEST_FIELD} deep")
    run.spend(len(path) * len(items) >> 4)
    return path


def _end(name: str, value: Any, at: int) -> Any:
    if kind_of(value) not in ("text", "list"):
        raise wrong(f"| {name}", "a list or a text", value)
    return value[at] if len(value) else MISSING


def _best(name: str, value: Any, run: Evaluation, *, is_least: bool) -> Any:
    """The first of equal ones. Missing when there is none."""
    items = list_for(name, value, run)
    best: Any = MISSING
    for item in items:
        if best is MISSING:
            ordered(name, item, item)
            best = item
            continue
        left, right = ordered(name, item, best)
        if left < right if is_least else left > right:
            best = item
    return best


def _sortable(key: Any) -> Any:
    return as_utc(key) if kind_of(key) == "moment" else key
