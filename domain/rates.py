"""Rates as people write them: `25/s`, `300/m`, `1000/h`."""

import re
from typing import NamedTuple

MOST = 1_000_000

_TEXT = re.compile(r"([0-9]{1,7})/([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_UNITS = {seconds: unit for unit, seconds in _SECONDS.items()}


class Rate(NamedTuple):
    """`amount` in every `per_seconds`, which is 1, 60 or 3600."""

    amount: int
    per_seconds: int

    @property
    def per_second(self) -> float:
        return self.amount / self.per_seconds


def parse_rate(text: str) -> Rate:
    """`25/s` → 25 a second; raises ValueError for anything else, zero included."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a rate: write 20/s, 300/m or 1000/h")
    rate = Rate(int(found[1]), _SECONDS[found[2]])
    if not 1 <= rate.amount <= MOST:
        raise ValueError(f"{text!r} is out of bounds: a rate is from 1 to {MOST}")
    return rate


def format_rate(rate: Rate) -> str:
    """`25/s` for (25, 1)."""
    return f"{rate.amount}/{_UNITS[rate.per_seconds]}"
