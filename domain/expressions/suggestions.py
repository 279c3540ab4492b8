"""The name somebody probably meant: a few slips of the hand away, and nearer than any other."""

from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 60
_MOST_SLIPS: Final = 3

#: words of other languages for filters of ours
_FOREIGN: Final = {
    "len": "length", "size": "length", "count": "length", "toUpperCase": "upper", "uppercase": "upper",
    "toLowerCase": "lower", "lowercase": "lower", "casefold": "lower", "strip": "trim", "lstrip": "trim",
    "rstrip": "trim", "includes": "contains", "has": "contains", "index": "contains", "find": "contains",
    "startsWith": "startswith", "starts_with": "startswith", "endsWith": "endswith", "ends_with": "endswith",
    "match": "matches", "regex": "matches", "search": "matches", "test": "matches", "format": "money",
    "strftime": "date", "isoformat": "date", "to_json": "tojson", "json": "tojson", "dumps": "tojson",
    "sorted": "sort", "map": "pluck", "attr": "pluck", "select": "where", "selectattr": "where", "filter": "where",
    "str": "string", "toString": "string", "number": "float", "integer": "int", "d": "default", "or": "default",
    "get": "default", "urlescape": "urlencode", "quote": "urlencode", "replaceAll": "replace", "sub": "replace",
    "distinct": "unique", "set": "unique", "cut": "truncate", "concat": "join",
}  # fmt: skip


def closest(name: str, known: Iterable[str]) -> str | None:
    """The most similar known name; None when none is near, or two are equally near."""
    if len(name) > _LONGEST:
        return None
    near: dict[int, list[str]] = {}
    for one in list(known)[:300]:
        most = max(min(slips_in(name), slips_in(one)), _ending(name, one))
        if abs(len(one) - len(name)) <= most and (slips := distance(name, one)) <= most:
            near.setdefault(slips, []).append(one)
    found = near[min(near)] if near else []
    return found[0] if len(found) == 1 else None


def slips_in(name: str) -> int:
    """How many may be in a word of that length: in a short one any slip makes another word."""
    return min((len(name) + 1) // 4, _MOST_SLIPS) if len(name) > 2 else 0


def _ending(name: str, other: str) -> int:
    """Of `opened` and `open`, one is the other with two letters more."""
    short, long = sorted((name, other), key=len)
    return 2 if len(short) >= 4 and long.startswith(short) else 0


def distance(one: str, other: str) -> int:
    """Letters put in, left out, exchanged, or swapped with their neighbour."""
    before: list[int] = []
    line = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        new = [i]
        for k, right in enumerate(other, 1):
            cost = min(line[k] + 1, new[k - 1] + 1, line[k - 1] + (left != right))
            if i > 1 and k > 1 and left == other[k - 2] and one[i - 2] == right:
                cost = min(cost, before[k - 2] + 1)
            new.append(cost)
        before, line = line, new
    return line[-1]


def filter_for(name: str, known: Iterable[str]) -> str | None:
    """The filter to use for a foreign, misspelt or method name."""
    names = list(known)
    if name in names:
        return name
    return _FOREIGN.get(name) or closest(name, names)
