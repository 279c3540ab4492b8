"""Values of inputs, read by their type: each reader answers the value as a run keeps it, or says what is wrong."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from domain.definitions.inputs import InputField
from domain.durations import format_duration, parse_duration

LONGEST_TEXT = 65_536
_BIGGEST = 2**63 - 1
STATUSES = ("new", "open", "in_progress", "pending", "resolved", "closed")
#: input type → what its value must be the key or id of
REFERENCES: Mapping[str, str] = {
    "operator": "operator", "team": "team", "channel": "channel", "topic": "topic", "tag": "tag",
    "quick_reply": "quick_reply", "template": "template", "contact": "contact", "dialog": "dialog",
    "priority": "priority",
}  # fmt: skip
_IDS = frozenset({"operator", "contact", "dialog"})
_PHONE = re.compile(r"\+?[0-9][0-9 ()\-.]{4,30}")
_EMAIL = re.compile(r"[^\s@<>\"']{1,64}@[^\s@<>\"']{1,190}\.[^\s@<>\"'.]{1,63}")


class WrongValueError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _wrong_type(asked: InputField, what: str) -> WrongValueError:
    return WrongValueError("wrong_type", f"{asked.label}: {what} is expected.")


def read_text(asked: InputField, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type(asked, "a text")
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise WrongValueError("wrong_type", f"{asked.label}: characters that cannot be stored.")
    if asked.min_length is not None and len(value) < asked.min_length:
        raise WrongValueError("too_short", f"{asked.label}: at least {asked.min_length} characters.")
    most = min(asked.max_length or LONGEST_TEXT, LONGEST_TEXT)
    if len(value) > most:
        raise WrongValueError("too_long", f"{asked.label}: at most {most} characters.")
    if asked.pattern is not None and value and not _fits(asked.pattern, value):
        raise WrongValueError("pattern", asked.pattern_error or f"{asked.label}: it must look like {asked.pattern}.")
    return value


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> SchemaValidator | None:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError:
        return None


def _fits(pattern: str, value: str) -> bool:
    """Rust's expressions: linear in time. One that cannot be read refuses everything."""
    validator = _pattern(pattern)
    if validator is None:
        return False
    try:
        validator.validate_python(value)
    except ValidationError:
        return False
    return True


def _whole(asked: InputField, value: Any) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _BIGGEST:
        raise _wrong_type(asked, "a whole number")
    _bounded(asked, value, _limit_number)
    return value


def _number(asked: InputField, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong_type(asked, "a number")
    if abs(value) > _BIGGEST:
        raise _wrong_type(asked, "a number")
    _bounded(asked, value, _limit_number)
    return value


def _limit_number(limit: Any) -> Any:
    return limit if isinstance(limit, int | float) else None


def _bounded(asked: InputField, value: Any, limit_of: Callable[[Any], Any]) -> None:
    low = limit_of(asked.min) if asked.min is not None else None
    high = limit_of(asked.max) if asked.max is not None else None
    if low is not None and value < low:
        raise WrongValueError("too_small", f"{asked.label}: at least {asked.min}.")
    if high is not None and value > high:
        raise WrongValueError("too_large", f"{asked.label}: at most {asked.max}.")


def _boolean(asked: InputField, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(asked, "true or false")
    return value


def _date(asked: InputField, value: Any) -> str:
    read = _as_date(value)
    if read is None:
        raise _wrong_type(asked, "a date such as 2026-11-22")
    _bounded(asked, read, _as_date)
    return read.isoformat()


def _as_date(value: Any) -> date | None:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def _moment(asked: InputField, value: Any) -> str:
    read = _as_moment(value)
    if read is None:
        raise _wrong_type(asked, "a moment such as 2026-11-22T09:00:00Z")
    _bounded(asked, read, _as_moment)
    return read.isoformat()


def _as_moment(value: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo is not None and 1970 <= read.year <= 9998 else None


def _duration(asked: InputField, value: Any) -> str:
    read = _as_duration(value)
    if read is None:
        raise _wrong_type(asked, "a duration such as 30s, 15m, 2h or 3d")
    _bounded(asked, read, _as_duration)
    return format_duration(read)


def _as_duration(value: Any) -> timedelta | None:
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _choice(asked: InputField, value: Any) -> Any:
    if not isinstance(value, str | int | float | bool) or len(str(value)) > LONGEST_TEXT:
        raise _wrong_type(asked, "one of the choices")
    return value


def _key(asked: InputField, value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 200 or "\x00" in value or not value.isprintable():
        raise _wrong_type(asked, f"the key of a {asked.type}")
    return value


def _id(asked: InputField, value: Any) -> str:
    try:
        return str(UUID(value)) if isinstance(value, str) else _no_id(asked)
    except ValueError:
        raise _wrong_type(asked, f"the id of a {asked.type}") from None


def _no_id(asked: InputField) -> str:
    raise _wrong_type(asked, f"the id of a {asked.type}")


def _among(known: tuple[str, ...]) -> Callable[[InputField, Any], str]:
    def read(asked: InputField, value: Any) -> str:
        if value not in known:
            raise WrongValueError("not_a_choice", f"{asked.label}: choose one of {', '.join(known)}.")
        return str(value)

    return read


def _looks_like(pattern: re.Pattern[str], what: str) -> Callable[[InputField, Any], str]:
    def read(asked: InputField, value: Any) -> str:
        text = read_text(asked, value)
        if text and not pattern.fullmatch(text):
            raise _wrong_type(asked, what)
        return text

    return read


READERS: Mapping[str, Callable[[InputField, Any], Any]] = {
    "integer": _whole, "number": _number, "boolean": _boolean, "date": _date, "datetime": _moment,
    "duration": _duration, "choice": _choice, "multi_choice": _choice, "status": _among(STATUSES),
    "phone": _looks_like(_PHONE, "a phone number"),
    "email": _looks_like(_EMAIL, "an e-mail address"),
    **{kind: _id if kind in _IDS else _key for kind in REFERENCES},
}  # fmt: skip
