"""Filters of texts."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pydantic_core import SchemaError, SchemaValidator, core_schema

from domain.expressions.budgets import LONGEST_PATTERN, Evaluation
from domain.expressions.errors import ExpressionError
from domain.expressions.values import described, kind_of, wrong
from domain.expressions.writing import text_of


def text_for(name: str, value: Any) -> str:
    """The value itself when it is a text; R323 otherwise."""
    if type(value) is str:
        return value
    if kind_of(value) == "text":
        return str.__str__(value)
    raise wrong(f"| {name}", "a text", value)


def upper(run: Evaluation, value: Any) -> str:
    return run.text(text_for("upper", value).upper())


def lower(run: Evaluation, value: Any) -> str:
    return run.text(text_for("lower", value).lower())


def trim(run: Evaluation, value: Any) -> str:
    return run.text(text_for("trim", value).strip())


def starts_with(_run: Evaluation, value: Any, what: Any) -> bool:
    return text_for("startswith", value).startswith(text_for("startswith", what))


def ends_with(_run: Evaluation, value: Any, what: Any) -> bool:
    return text_for("endswith", value).endswith(text_for("endswith", what))


def replace(run: Evaluation, value: Any, old: Any, new: Any) -> str:
    """Every occurrence, literally."""
    text, old, new = text_for("replace", value), text_for("replace", old), text_for("replace", new)
    if not old:
        raise ExpressionError("R324", "| replace needs something to replace, not an empty text")
    run.spend(len(text) >> 6)
    run.room(len(text) + text.count(old) * (len(new) - len(old)))
    return run.text(text.replace(old, new))


def truncate(run: Evaluation, value: Any, length: Any, end: Any) -> str:
    """At most `length` characters, `end` among them when something was cut off."""
    text, end = text_for("truncate", value), text_for("truncate", end)
    if kind_of(length) != "number" or not isinstance(length, int) or length < 0:
        raise ExpressionError("R323", f"| truncate needs a whole number, not {described(length)}")
    if len(text) <= length:
        return text
    return run.text((text[: max(length - len(end), 0)] + end)[:length])


def url_encode(run: Evaluation, value: Any) -> str:
    """Safe as one piece of an address: `/` is encoded, `.` and `..` are refused."""
    text = text_of(value)
    if text in (".", ".."):
        raise ExpressionError("R324", f"'{text}' cannot stand in an address")
    run.room(len(text))
    return run.text(quote(text, safe="", errors="replace"))


def matches(run: Evaluation, value: Any, pattern: Any) -> bool:
    """Whether the pattern is found anywhere; ^ and $ tie it to the ends."""
    text = text_for("matches", value)
    run.spend((len(text) >> 2) + 1)
    return _pattern(pattern).isinstance_python(text)


def require_pattern(arguments: Sequence[Any]) -> None:
    """E305 when the pattern is not a literal, E301 when it is none, E306 when it is too long."""
    (pattern,) = arguments
    if not isinstance(pattern, str):
        raise ExpressionError("E305", "the pattern of | matches is a literal text")
    if len(pattern) > LONGEST_PATTERN:
        raise ExpressionError("E306", f"the pattern is longer than {LONGEST_PATTERN} characters")
    try:
        _pattern(pattern)
    except SchemaError as error:
        if "size limit" in str(error):
            raise ExpressionError("E306", "the pattern is too large — repeat less") from None
        reason = str(error).rpartition("error: ")[2].split("\n")[0] or "it cannot be read"
        raise ExpressionError("E301", f"the pattern is wrong: {reason[:120]}") from None


# Few are kept: a compiled pattern may take megabytes.
@lru_cache(maxsize=64)
def _pattern(pattern: str) -> SchemaValidator:
    """Rust's regular expressions: linear time, no look-around, no back references."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True))
