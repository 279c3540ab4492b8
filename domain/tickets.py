"""Tickets: the number people say aloud, and the typed fields their topic gives them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from domain.errors import InvalidError

LONGEST_TEXT = 2000
LONGEST_SUBJECT = 300
LONGEST_DESCRIPTION = 10_000
#: so many digits are told by a JSON number without loss
MOST_DIGITS = 15
BIGGEST_NUMBER = 2**63 - 1
_SPOKEN = re.compile(r"[1-9]\d{0,2}(-\d{3})+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII)


class FieldType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    LIST = "list"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field that tickets of one topic have. `options`: what a list may hold."""

    key: str
    name: str
    type: str
    options: tuple[str, ...] = ()
    required: bool = False


def spoken(number: int) -> str:
    """12047 → 12-047: by threes, as one says it."""
    return f"{number:,}".replace(",", "-")


def read_spoken(text: str) -> int | None:
    """12-047, also after a #; None for what is not grouped by threes."""
    told = text.strip().removeprefix("#")
    number = int(told.replace("-", "")) if len(told) <= 30 and _SPOKEN.fullmatch(told) else None
    return number if number is not None and number <= BIGGEST_NUMBER else None


def read_value(spec: FieldSpec, value: object) -> Any:
    """The value as it is kept. Raises InvalidError naming the field."""
    try:
        return _READERS[FieldType(spec.type)](spec, value)
    except ValueError as error:
        raise InvalidError(f"{spec.name}: {error}", field=f"fields.{spec.key}", type=spec.type) from None


def merge(specs: Sequence[FieldSpec], stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`stored` with `given` in it; null takes a value away, also one that another topic left behind.

    Raises InvalidError naming the first field that is not of the topic or of another type.
    """
    by_key = {spec.key: spec for spec in specs}
    merged = dict(stored)
    for key, value in given.items():
        if value is None and key in merged:
            del merged[key]
        elif key not in by_key:
            known = ", ".join(by_key) or "none"
            raise InvalidError(f"This topic has no field {key!r}. It has: {known}.", field=f"fields.{key}")
        elif value is not None:
            merged[key] = read_value(by_key[key], value)
    return merged


def sort_out(specs: Sequence[FieldSpec], stored: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of `stored` are values of these fields, and what is left from another topic or from a chat."""
    by_key = {spec.key: spec for spec in specs}
    fitting = {key: value for key, value in stored.items() if key in by_key and _fits(by_key[key], value)}
    return fitting, {key: value for key, value in stored.items() if key not in fitting}


def missing(specs: Sequence[FieldSpec], stored: Mapping[str, Any]) -> list[FieldSpec]:
    """The required fields without a value."""
    fitting, _ = sort_out(specs, stored)
    return [spec for spec in specs if spec.required and spec.key not in fitting]


def described(specs: Sequence[FieldSpec], stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of a ticket in the topic's order, each with its value or null."""
    fitting, _ = sort_out(specs, stored)
    return [
        {
            "key": spec.key, "name": spec.name, "type": spec.type, "options": list(spec.options),
            "required": spec.required, "value": fitting.get(spec.key),
        }
        for spec in specs
    ]  # fmt: skip


def _fits(spec: FieldSpec, value: object) -> bool:
    try:
        read_value(spec, value)
    except InvalidError:
        return False
    return True


def _require_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is wanted")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"at most {LONGEST_TEXT} characters")
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("there are characters in it that cannot be kept")
    if not value.strip():
        raise ValueError("an empty text; null takes the value away")
    return value


def _text(_: FieldSpec, value: object) -> str:
    return _require_text(value)


def _number(_: FieldSpec, value: object) -> int | float:
    """Whole numbers stay whole; a decimal may also be told as a text."""
    told = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        told = None
    try:
        exact = Decimal(told) if isinstance(told, str) else Decimal("NaN")
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite():
        raise ValueError("a number is wanted, like 12 or 12.5")
    exact = exact.normalize()
    if len(exact.as_tuple().digits) > MOST_DIGITS or not -MOST_DIGITS <= exact.adjusted() < MOST_DIGITS:
        raise ValueError(f"a number of at most {MOST_DIGITS} digits is wanted")
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _date(_: FieldSpec, value: object) -> str:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("a date is wanted, like 2026-11-22")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("there is no such day") from None


def _list(spec: FieldSpec, value: object) -> str:
    if not isinstance(value, str) or value not in spec.options:
        raise ValueError(f"one of these is wanted: {', '.join(spec.options)}")
    return value


def _link(_: FieldSpec, value: object) -> str:
    told = _require_text(value)
    wanted = "an address is wanted that begins with http:// or https://"
    if any(c.isspace() or not c.isprintable() for c in told):
        raise ValueError(wanted)
    try:
        parts = urlsplit(told)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme not in ("http", "https") or not has_host:
        raise ValueError(wanted)
    return told


_READERS: Mapping[FieldType, Callable[[FieldSpec, object], Any]] = {
    FieldType.TEXT: _text, FieldType.NUMBER: _number, FieldType.DATE: _date, FieldType.LIST: _list,
    FieldType.LINK: _link,
}  # fmt: skip
