"""Filters of moments and durations. Without time zones: their data changes, and a walk must replay alike."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from domain.durations import parse_duration
from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.values import MISSING, as_utc, described, kind_of, moment_of, wrong

LONGEST_FORMAT = 60

#: only Latin letters mean something; what stands between single quotes does not
_TOKEN: Final = re.compile(r"([A-Za-z])\1*|'[^']*'|[^A-Za-z']+|'")
_MONTHS: Final = (
    "січня", "лютого", "березня", "квітня", "травня", "червня",
    "липня", "серпня", "вересня", "жовтня", "листопада", "грудня",
)  # fmt: skip
_WRITERS: Final[dict[str, Callable[[datetime], str]]] = {
    "yyyy": lambda at: f"{at.year:04}", "yy": lambda at: f"{at.year % 100:02}",
    "MMMM": lambda at: _MONTHS[at.month - 1], "MM": lambda at: f"{at.month:02}", "M": lambda at: str(at.month),
    "dd": lambda at: f"{at.day:02}", "d": lambda at: str(at.day),
    "HH": lambda at: f"{at.hour:02}", "H": lambda at: str(at.hour),
    "mm": lambda at: f"{at.minute:02}", "ss": lambda at: f"{at.second:02}",
}  # fmt: skip
_SAME: Final = {"YYYY": "yyyy", "YY": "yy", "DD": "dd", "D": "d"}
_MEANT: Final = re.compile(r"[A-Za-z]|'$|.*%")
_OFFSET: Final = re.compile(r"([+-])([01][0-9]):([0-5][0-9])", re.ASCII)


def date(run: Evaluation, value: Any, format: Any, offset: Any) -> Any:
    """Without a format the moment itself, read from a text where it is one; with one, a text in the UTC offset."""
    moment = moment_of(value)
    if moment is None:
        if kind_of(value) == "text":
            raise ExpressionError("R324", f"| date cannot read {quoted(value)} — a moment is 2026-03-02T12:00:00Z")
        raise wrong("| date", "a moment", value)
    if format is None:
        return moment
    require_format([format, offset])
    try:
        local = as_utc(moment).astimezone(_zone(offset))
    except OverflowError:
        raise ExpressionError("R313", "the moment is out of range") from None
    return run.text("".join(_written(token, local) for token in _tokens(format)))


def duration(_run: Evaluation, value: Any) -> timedelta:
    """`1h30m` as a duration."""
    if kind_of(value) == "duration":
        return value  # type: ignore[no-any-return]
    if kind_of(value) != "text":
        raise ExpressionError("R323", f"| duration needs a text like '1h30m', not {described(value)}")
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ExpressionError("R324", " ".join(str(error).split())) from None


def require_format(arguments: Sequence[Any]) -> None:
    """R324 unless the format consists of known tokens and the offset is one (MISSING: not known yet)."""
    form, offset = arguments
    if form is not None and form is not MISSING:
        if kind_of(form) != "text" or len(form) > LONGEST_FORMAT:
            raise ExpressionError("R323", f"a format is a text of at most {LONGEST_FORMAT} characters")
        for token in _tokens(form):
            if _MEANT.match(token) and _SAME.get(token, token) not in _WRITERS:
                raise ExpressionError(
                    "R324", f"{quoted(token)} is not known in a format — write dd.MM.yyyy HH:mm, d MMMM yyyy"
                )
    if offset is not MISSING:
        _zone(offset)


def _zone(offset: Any) -> timezone:
    if offset == "Z":
        return timezone.utc  # noqa: UP017
    found = _OFFSET.fullmatch(offset) if kind_of(offset) == "text" else None
    if found is None:
        raise ExpressionError("R324", "an offset from UTC is written '+02:00' or 'Z'")
    size = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(size if found[1] == "+" else -size)


def _tokens(form: str) -> list[str]:
    return [found[0] for found in _TOKEN.finditer(form)]


def _written(token: str, at: datetime) -> str:
    write = _WRITERS.get(_SAME.get(token, token))
    return write(at) if write is not None else token.strip("'")
