"""Which names an expression may read at its place, and what is known of their types."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.definitions.shapes import Definition
from domain.definitions.surveys import Visit, steps_of
from domain.walks.contexts import CONTEXTS, STEP

#: what an input of a type holds; others are texts
_INPUTS: Mapping[str, str | None] = {
    "integer": "number", "number": "number", "boolean": "boolean", "multi_choice": "list", "choice": None,
    "date": None, "datetime": None, "duration": None,
}  # fmt: skip
#: fields beside those of every step, by kind
_RESULTS: Mapping[str, tuple[str, ...]] = {
    "switch": ("case",), "for": ("count", "results"), "approve": ("approved", "by", "at", "comment", "form"),
}  # fmt: skip

#: name → where it is known
KNOWN_IN: Mapping[str, str] = {
    "items": "before, after", "error": "catch, on_failure", "event": "listen.where", "trigger": "do",
    "dialog": "do", "contact": "do", "operator": "do", "steps": "do", "vars": "do",
}  # fmt: skip
ITEM = ("dialog", "contact", "operator")
ALWAYS = ("inputs", "vars", "steps", "trigger", "run")


@dataclass(frozen=True, slots=True)
class Scope:
    """`roots`: name → its fields, None when they are open. `ran`: ids of the steps that may have run."""

    roots: Mapping[str, Mapping[str, str] | None]
    ran: frozenset[str] = frozenset()
    section: str = "do"

    def having(self, ran: frozenset[str]) -> "Scope":
        return replace(self, ran=ran)

    def naming(self, **names: Mapping[str, str] | None) -> "Scope":
        return replace(self, roots={**self.roots, **names})


def scope_of(section: str, *more: str) -> Scope:
    """What every place of a section knows. `more`: further names, open ones without a list of fields."""
    names = [*ALWAYS, *(() if section in ("before", "after") else ITEM), *more]
    return Scope({name: CONTEXTS.get(name) for name in names}, section=section)


@dataclass(frozen=True, slots=True)
class Book:
    """What the whole document declares."""

    definition: Definition
    steps: Mapping[str, Visit]
    results: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, definition: Definition, results: Mapping[str, tuple[str, ...] | None]) -> "Book":
        return cls(definition, {v.step.id: v for v in steps_of(definition) if v.step.id}, results)

    def ids_in(self, section: str) -> frozenset[str]:
        return frozenset(id for id, visit in self.steps.items() if visit.section == section)

    def is_closed(self, step_id: str) -> bool:
        """Whether a step's result has no more fields than those known: of other actions there may be more."""
        step = self.steps[step_id].step
        return bool(step.kind != "call" or step.call == "http")

    def result_fields(self, step_id: str) -> tuple[str, ...] | None:
        """What stands below `steps.<id>.result`; None when that is open."""
        step = self.steps[step_id].step
        if step.kind == "set":
            return tuple(step.set)
        if step.kind == "fork":
            return tuple(branch.id for branch in step.fork.branches)
        return _RESULTS.get(step.kind, self.results.get(step_id))

    def type_of(self, path: tuple[str | int, ...], scope: Scope) -> str | None:
        """text, number, boolean, moment, list; None when it is not known."""
        if path[0] == "inputs" and len(path) == 2:
            one = self.definition.inputs.get(str(path[1]))
            if one is None or one.multiple:
                return None
            return _INPUTS.get(one.type, "text")
        if path[0] == "steps":
            return _known(STEP.get(str(path[2]))) if len(path) == 3 else None
        fields = scope.roots.get(str(path[0]))
        return _known(fields.get(str(path[1]))) if fields and len(path) == 2 else None


def _known(kind: str | None) -> str | None:
    return kind if kind in ("text", "number", "boolean", "moment", "list") else None


def literal_type(value: Any) -> str | None:
    for kind, name in ((bool, "boolean"), (str, "text"), (int, "number"), (float, "number"), (list, "list")):
        if isinstance(value, kind):
            return name
    return None
