"""Cron lines of five fields: minute, hour, day of month, month, day of week (0 or 7 is Sunday)."""

import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: name, least, most, words for values counted from `least`
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("weekday", 0, 7, WEEKDAYS),
)
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,3}))?", re.ASCII)


def parse_cron(text: str) -> tuple[frozenset[int], ...]:
    """The values of each field. Raises ValueError naming the field."""
    fields = text.split()
    if len(fields) != len(FIELDS) or len(text) > 200:
        raise ValueError("a cron line has five fields: minute hour day month weekday")
    return tuple(_values(field, *limits) for field, limits in zip(fields, FIELDS, strict=True))


def _values(field: str, name: str, least: int, most: int, words: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        read = _PART.fullmatch(part)
        if read is None:
            raise ValueError(f"{name}: {part!r} cannot be read")
        star, first, last, step = read.groups()
        low = least if star else _number(first, name, least, most, words)
        high = most if star or (step and not last) else _number(last or first, name, least, most, words)
        if low > high or step == "0":
            raise ValueError(f"{name}: {part!r} holds nothing")
        found.update(range(low, high + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, name: str, least: int, most: int, words: tuple[str, ...]) -> int:
    if text.lower() in words:
        return words.index(text.lower()) + least
    if not text.isdigit() or len(text) > 3 or not least <= int(text) <= most:
        raise ValueError(f"{name}: {text!r} is not between {least} and {most}")
    return int(text)
