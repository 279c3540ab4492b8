"""What an expression may cost, counted and never timed: the same expression over the same values always ends alike."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.expressions.errors import ExpressionError

LONGEST_SOURCE = 4_000
DEEPEST = 40
FUEL = 20_000
LARGEST_TEXT = 65_536
"""Bytes of UTF-8."""
LONGEST_LIST = 2_000
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
LONGEST_PATTERN = 500
MOST_PATTERNS = 10

#: a text of so many characters may be larger than LARGEST_TEXT
_SUSPICIOUS = LARGEST_TEXT // 4


class Purse:
    """The fuel that all evaluations of one walk share."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class Evaluation:
    """One evaluation under way: the names, the frozen moment, the fuel left, the slots of loop names."""

    __slots__ = ("fuel", "names", "now", "slots")

    def __init__(self, names: Mapping[str, Any], now: datetime, fuel: int, slots: int) -> None:
        self.names = names
        self.now = now
        self.fuel = fuel
        self.slots: list[Any] = [None] * slots

    def spend(self, units: int) -> None:
        self.fuel -= units
        if self.fuel < 0:
            raise ExpressionError("R310", "the expression does too much work — loop over less, or split it into steps")

    def text(self, text: str) -> str:
        """Pay for a text that was made, and refuse one beyond the limit."""
        size = len(text)
        if size >= 64:
            self.spend(size >> 6)
            if size > _SUSPICIOUS and len(text.encode("utf-8", "surrogatepass")) > LARGEST_TEXT:
                raise too_long_text()
        return text

    def room(self, characters: int) -> None:
        """Refuse a text before it is made."""
        if characters > LARGEST_TEXT:
            raise too_long_text()

    def items(self, count: int) -> None:
        """Pay for a list that is made or walked through, and refuse one beyond the limit."""
        if count > LONGEST_LIST:
            raise ExpressionError("R312", f"a list of {count} is too long — at most {LONGEST_LIST}")
        self.spend((count >> 4) + 1)


def too_long_text() -> ExpressionError:
    return ExpressionError("R311", f"the text grows too long — at most {LARGEST_TEXT // 1024} KB")
