"""Durations as people write them: `30s`, `15m`, `2h`, `3d`, combined as `1h30m`; milliseconds as `250ms`."""

import re
from datetime import timedelta

#: ten thousand days: longer than anything here may last
LONGEST = timedelta(days=10_000)

_TEXT = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?(?:([0-9]{1,9})ms)?")
_UNITS = ("days", "hours", "minutes", "seconds", "milliseconds")


def parse_duration(text: str) -> timedelta:
    """`1h30m` → an hour and a half. Units go from large to small, each at most once; raises ValueError otherwise."""
    found = _TEXT.fullmatch(text) if text and len(text) <= 50 else None
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a duration: write 30s, 15m, 2h, 3d or 1h30m")
    duration = timedelta(**{unit: int(n) for unit, n in zip(_UNITS, found.groups(), strict=True) if n is not None})
    if duration > LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than {LONGEST.days} days")
    return duration


def format_duration(duration: timedelta) -> str:
    """The shortest text of it: `1d2h`, `0s`, `-15m`. Anything below a millisecond is dropped."""
    sign = "-" if duration < timedelta(0) else ""
    rest = abs(duration) // timedelta(milliseconds=1)
    seconds, milliseconds = divmod(rest, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"), (milliseconds, "ms"))
    text = "".join(f"{n}{unit}" for n, unit in parts if n)
    return sign + text if text else "0s"


def is_duration(value: object) -> bool:
    try:
        parse_duration(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True
