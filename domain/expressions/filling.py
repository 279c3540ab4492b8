"""Fields in texts people typed: `{contact.first_name}`, filled in one pass. What was filled in is never read again."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.paths import step_into
from domain.expressions.suggestions import closest
from domain.expressions.texts import text_for
from domain.expressions.values import MISSING
from domain.expressions.writing import text_of
from domain.walks.contexts import FILLABLE

_FIELD: Final = re.compile(r"\{([a-z_]{1,40}(?:\.[a-z_]{1,40}){1,3})(?:\|([^{}|]{0,200}))?\}")


def fields_in(text: str) -> list[tuple[str, str | None]]:
    """Every field a text carries, with what to write when it has no value."""
    return [(found[1], found[2]) for found in _FIELD.finditer(text)]


def fill(text: str, fields: Mapping[str, Any]) -> str:
    """`Вітаємо, {contact.first_name|друже}!`: `fields` maps dotted names to values; unknown ones raise R324.

    R320 for a field without a value and without its `|…`.
    """

    def value_of(name: str) -> Any:
        if name not in fields:
            raise _unknown(name, fields)
        return fields[name]

    return _FIELD.sub(lambda found: _written(found, value_of), text)


def fill_from(run: Evaluation, value: Any) -> str:
    """The filter: the fields are the fixed list, read from the names of this evaluation."""
    text = text_for("fill", value)
    run.spend(len(text) >> 6)
    grown = len(text)

    def write(found: re.Match[str]) -> str:
        nonlocal grown
        written = _written(found, lambda name: _read(run.names, name))
        grown += len(written) - len(found[0])
        run.spend(1)
        run.room(grown)
        return written

    return run.text(_FIELD.sub(write, text))


def _read(names: Mapping[str, Any], name: str) -> Any:
    if name not in FILLABLE:
        raise _unknown(name, FILLABLE)
    root, *keys = name.split(".")
    value = names.get(root, MISSING)
    for key in keys:
        value = step_into(value, key)
    return value


def _written(found: re.Match[str], value_of: Callable[[str], Any]) -> str:
    name, otherwise = found[1], found[2]
    value = value_of(name)
    if value is None or value is MISSING or value == "":
        if otherwise is None:
            raise ExpressionError(
                "R320", f"the field {{{name}}} has no value here — write {{{name}|something}}", name=name
            )
        return str(otherwise)
    return text_of(value)


def _unknown(name: str, known: Any) -> ExpressionError:
    suggestion = closest(name, known)
    did_you_mean = f" — did you mean {quoted(suggestion)}?" if suggestion else ""
    return ExpressionError("R324", f"there is no field {{{name}}}{did_you_mean}", suggestion=suggestion, name=name)
