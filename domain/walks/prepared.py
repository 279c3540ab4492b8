"""A definition made ready to be walked, once for all items of a run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.definitions.canonical import from_canonical
from domain.definitions.shapes import Definition
from domain.expressions import ExpressionError, compile_condition, compile_value
from domain.walks.ports import Brief

MOST_KEPT = 64
CONDITIONS = frozenset({"if", "when", "while", "guard", "show_if", "where"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """`read`: steps whose entries some expression reads; `collected`: whose results by round or branch it may read."""

    definition: Definition
    read: frozenset[str]
    collected: frozenset[str]
    reads_any: bool

    def is_read(self, step: str) -> bool:
        return self.reads_any or step in self.read

    def is_collected(self, step: str) -> bool:
        return self.reads_any or step in self.collected


def prepare(canonical: Mapping[str, Any]) -> Prepared:
    """Raises pydantic's ValidationError for a document that never passed the gate."""
    read: set[str] = set()
    collected: set[str] = set()
    reads_any = False
    for path in _paths_read(canonical):
        if path[0] != "steps":
            continue
        if len(path) == 1 or not isinstance(path[1], str):
            reads_any = True
            continue
        read.add(path[1])
        if len(path) == 2 or path[2] in ("result", "results"):
            collected.add(path[1])
    return Prepared(from_canonical(dict(canonical)), frozenset(read), frozenset(collected), reads_any)


# Definitions never change once they have a sha256; a cache of them cannot be seen from outside.
_kept: dict[str, Prepared] = {}


def prepared_for(brief: Brief) -> Prepared:
    if brief.sha256 is None:
        return prepare(brief.canonical)
    found = _kept.get(brief.sha256)
    if found is None:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        found = _kept[brief.sha256] = prepare(brief.canonical)
    return found


def reads_target(canonical: Mapping[str, Any]) -> bool:
    """Whether anything in it reads the dialog, the contact or the operator, or is to be done on an unchanged one only.
    The fields that `fill` fills in are named in texts nobody knows yet.
    """
    if "if_unchanged" in _keys(canonical) or any("fill" in text for text in _texts(canonical)):
        return True
    return any(path[0] in _TARGET for path in _paths_read(canonical))


_TARGET = ("dialog", "contact", "operator")


def _keys(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set(value).union(*(_keys(one) for name, one in value.items() if name != "tests"))
    return set().union(*(_keys(one) for one in value)) if isinstance(value, list | tuple) else set()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name != "tests":
                yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def _paths_read(value: Any, key: str | None = None) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name != "tests":
                yield from _paths_read(one, name)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _paths_read(one, key)
    elif isinstance(value, str):
        try:
            yield from (compile_condition if key in CONDITIONS else compile_value)(value).names
        except ExpressionError:
            return
