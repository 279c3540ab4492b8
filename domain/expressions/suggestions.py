"""The name somebody probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

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
    """The most similar known name, None when none is near."""
    if len(name) > 60:
        return None
    found = get_close_matches(name, list(known)[:200], n=1, cutoff=0.6)
    return found[0] if found else None


def filter_for(name: str, known: Iterable[str]) -> str | None:
    """The filter to use for a foreign, misspelt or method name."""
    names = list(known)
    if name in names:
        return name
    return _FOREIGN.get(name) or closest(name, names)
