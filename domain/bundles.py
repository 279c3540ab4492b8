"""Definitions on their way from one installation to another: a bundle of texts, what they need, and how its names are
bound to the names of the place they come to.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from domain.actions.catalogue import catalogue
from domain.definitions.canonical import from_canonical
from domain.definitions.places import Path
from domain.definitions.references import references_of

FORMAT = 1
MOST_DEFINITIONS = 20
#: kinds of references that another installation calls by other names; people are never taken along
BOUND: Mapping[str, str] = {
    "connection": "connections", "quick_reply": "quick_replies", "team": "teams", "topic": "topics", "tag": "tags",
    "template": "templates", "channel": "channels", "role": "roles", "new_tag": "tags",
}  # fmt: skip


def requires(canonicals: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """What these definitions name, by kind."""
    found: dict[str, set[str]] = {name: set() for name in BOUND.values()}
    for canonical in canonicals:
        for reference in references_of(from_canonical(canonical), catalogue()):
            if reference.kind in BOUND:
                found[BOUND[reference.kind]].add(reference.key)
    return {name: sorted(keys) for name, keys in found.items()}


def bind(canonical: dict[str, Any], bindings: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The document with names exchanged: {teams: {old: new}, …}. Only whole names that are references change."""
    bound: dict[str, Any] = _copied(canonical)
    for reference in references_of(from_canonical(canonical), catalogue()):
        new = bindings.get(BOUND.get(reference.kind, ""), {}).get(reference.key)
        if new is not None:
            _exchange(bound, reference.path, reference.key, new)
    return bound


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list | tuple) else value


def _exchange(document: Any, path: Path, old: str, new: str) -> None:
    """At `path`, or inside the value that stands there when shorthand was written."""
    if not path:
        return
    holder = document
    for part in path[:-1]:
        if not _has(holder, part):
            return
        holder = holder[part]
    last = path[-1]
    if not _has(holder, last):
        return
    value = holder[last]
    if value == old:
        holder[last] = new
    elif isinstance(value, str) and value.partition(":")[2] == old:
        holder[last] = f"{value.partition(':')[0]}:{new}"
    elif isinstance(value, list):
        holder[last] = [new if one == old else one for one in value]


def _has(holder: Any, part: Any) -> bool:
    if isinstance(holder, dict):
        return part in holder
    return isinstance(holder, list) and isinstance(part, int) and 0 <= part < len(holder)
