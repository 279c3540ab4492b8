"""How much the patterns of one definition may weigh: Rust compiles a class of all letters in about a millisecond, and a
repetition compiles it again each time.
"""

import re

MOST_WEIGHT = 400
_CLASS = re.compile(r"\\[wWpPdDbB]")
_REPEATED = re.compile(r"\{(\d{1,9})(?:,(\d{0,9}))?\}", re.ASCII)
#: | matches('…') in an expression
_MATCHES = re.compile(r"""\bmatches\s*\(\s*(?:pattern\s*=\s*)?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.DOTALL)


def weight_of(pattern: str) -> int:
    """An upper bound: every class repeated as often as all repetitions together say."""
    times = 1
    for least, most in _REPEATED.findall(pattern):
        times *= max(int(most or least), 1)
        if times > MOST_WEIGHT:
            return MOST_WEIGHT + 1
    return len(_CLASS.findall(pattern)) * times


class Patterns:
    """What a definition has left of its weight."""

    def __init__(self) -> None:
        self._left = MOST_WEIGHT
        self._seen: set[str] = set()

    def has_room_for(self, pattern: str) -> bool:
        """The same pattern is weighed once."""
        if pattern in self._seen:
            return True
        self._seen.add(pattern)
        self._left -= weight_of(pattern) + 1
        return self._left >= 0

    def has_room_in(self, source: str) -> bool:
        """Of the patterns in an expression."""
        return all(self.has_room_for(literal[1:-1]) for literal in _MATCHES.findall(source))
