"""What names what inside a document: ids, events, inputs, lists, tests (E2xx, E302)."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

from domain.actions.manifests import Manifest
from domain.definitions.conditions import Conditions
from domain.definitions.diagnostics import Findings
from domain.definitions.inputs import InputField
from domain.definitions.mistypes import type_of
from domain.definitions.names import CUSTOM, EVENTS, closest, is_event
from domain.definitions.patterns import Patterns
from domain.definitions.places import Path
from domain.definitions.scalars import has_braces
from domain.definitions.shapes import Definition
from domain.definitions.steps import Approve, Call, Emit, For, Fork, Listen, Raise, Run, Try
from domain.definitions.surveys import steps_of
from domain.definitions.triggers import EventTrigger, ManualTrigger, ScheduleTrigger
from domain.durations import is_duration
from domain.expressions import fields_in
from domain.runs import ERROR_TYPES
from domain.walks.contexts import CONTEXTS, FILLABLE

_TAKEN = frozenset(
    {"inputs", "vars", "steps", "trigger", "now", "minutes", "hours", "days", "loop", "blueprint"}
) | set(CONTEXTS)


class Forms:
    def __init__(
        self, definition: Definition, catalogue: Mapping[str, Manifest], findings: Findings, patterns: Patterns
    ) -> None:
        self._patterns = patterns
        self._definition = definition
        self._catalogue = catalogue
        self._findings = findings

    def check(self, timezones: frozenset[str] | None = None) -> None:
        """`timezones`: those known; None where that cannot be told."""
        self._ids()
        for name, one in self._definition.inputs.items():
            self._input(one, ("inputs", name))
        for name, one in self._definition.parameters.items():
            self._input(one, ("parameters", name))
        self._triggers(timezones)
        self._steps()
        if (selection := self._definition.selection) is not None:
            conditions = Conditions(self._definition.target, self._findings)
            conditions.check(selection.where, ("selection", "where"))
            conditions.order(selection.order_by, ("selection", "order_by"))
        self._tests()

    def _ids(self) -> None:
        seen: dict[str, Path] = {}
        for visit in steps_of(self._definition):
            step = visit.step
            if step.id is not None:
                self._once(step.id, (*visit.path, "id"), seen)
            if isinstance(step, Fork):
                branches: dict[str, Path] = {}
                for n, branch in enumerate(step.fork.branches):
                    self._once(branch.id, (*visit.path, "fork", "branches", n, "id"), branches)
            elif isinstance(step, For):
                self._free(step.for_.each, (*visit.path, "for", "each"))
                self._free(step.for_.at, (*visit.path, "for", "at"))
            elif isinstance(step, Try) and step.catch is not None and step.catch.as_ != "error":
                self._free(step.catch.as_, (*visit.path, "catch", "as"))

    def _once(self, id: str, path: Path, seen: dict[str, Path]) -> None:
        if id in seen:
            line = self._findings.places.value(seen[id]).line
            self._findings.add("E207", path, id=id, line=line)
        else:
            seen[id] = path

    def _free(self, id: str, path: Path) -> None:
        if id in _TAKEN:
            self._findings.add("E207.name", path, id=id)

    # --- inputs

    def _input(self, one: InputField, path: Path) -> None:
        if one.type in ("choice", "multi_choice") and not one.choices:
            self._findings.add("E202.choices", path, type=one.type)
        if one.pattern is not None and not self._patterns.has_room_for(one.pattern):
            self._findings.add("E212.large", (*path, "pattern"))
        elif one.pattern is not None and (said := _why_unreadable(one.pattern)) is not None:
            wording = "E212.large" if "size limit" in said else "E212"
            self._findings.add(wording, (*path, "pattern"), said=said)
        if one.type == "message" and isinstance(one.default, str):
            for name, _ in fields_in(one.default):
                if name not in FILLABLE:
                    self._findings.add(
                        "E303", (*path, "default"), name=name, suggestion=closest(name, FILLABLE)
                    )  # fmt: skip
        for low, high in (("min", "max"), ("min_length", "max_length")):
            least, most = getattr(one, low), getattr(one, high)
            if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
                self._findings.add("E506.crossed", (*path, high), low=low, high=high)
        if one.default is not None and not has_braces(one.default) and not fits(one, one.default):
            self._findings.add("E203.default", (*path, "default"), type=one.type)

    # --- triggers and events

    def _triggers(self, timezones: frozenset[str] | None) -> None:
        for n, trigger in enumerate(self._definition.triggers):
            path: Path = ("triggers", n)
            if isinstance(trigger, ManualTrigger):
                continue
            if isinstance(trigger, EventTrigger):
                self._event(trigger.event, (*path, "event"))
            elif isinstance(trigger, ScheduleTrigger) and timezones is not None:
                zone = trigger.schedule.timezone
                if zone not in timezones:
                    suggestion = closest_zone(zone, timezones)
                    self._findings.add(
                        "E204.timezone", (*path, "schedule", "timezone"), value=zone, suggestion=suggestion,
                        fix=suggestion,
                    )  # fmt: skip
            self._known(trigger.inputs, self._definition.inputs, (*path, "inputs"), "E302.input")

    def _event(self, name: str, path: Path) -> None:
        if not is_event(name):
            suggestion = closest(name, EVENTS)
            self._findings.add("E204.event", path, value=name, suggestion=suggestion, fix=suggestion)

    def _known(self, names: Iterable[str], known: Iterable[str], path: Path, wording: str) -> None:
        for name in names:
            if name not in known:
                suggestion = closest(name, known)
                self._findings.add(
                    wording, (*path, name), at_key=True, name=name, suggestion=suggestion, fix=suggestion
                )

    # --- steps

    def _steps(self) -> None:
        raised = {v.step.raise_.error for v in steps_of(self._definition) if isinstance(v.step, Raise)}
        for visit in steps_of(self._definition):
            step, path = visit.step, visit.path
            if step.retry is not None:
                self._errors(step.retry.on, (*path, "retry", "on"), raised, is_closed=True)
            match step:
                case Try() if step.catch is not None:
                    self._errors(step.catch.errors, (*path, "catch", "errors"), raised, is_closed=False)
                case Listen():
                    self._listen(step, (*path, "listen"))
                case Emit() if not is_event(step.emit.event) or not step.emit.event.startswith(CUSTOM):
                    self._findings.add("E204.custom", (*path, "emit", "event"), value=step.emit.event)
                case Approve():
                    by = step.approve.by
                    if not (by.roles or by.teams or by.users):
                        self._findings.add("E202.nobody", (*path, "approve", "by"))
                    for name, one in (step.approve.form or {}).items():
                        self._input(one, (*path, "approve", "form", name))
                case Run() if step.run.selection is not None:
                    where = step.run.selection.where
                    Conditions("dialog", self._findings).check(where, (*path, "run", "selection", "where"))
                case Call() if step.call == "find_dialogs" and step.with_.get("where") is not None:
                    Conditions("dialog", self._findings).written(step.with_["where"], (*path, "with", "where"))
                case For() if not isinstance(step.for_.in_, list) and not has_braces(step.for_.in_):
                    given = step.for_.in_
                    self._findings.add("E203", (*path, "for", "in"), name="in", wanted="list", given=type_of(given))

    def _listen(self, step: Listen, path: Path) -> None:
        if step.listen.to is not None:
            self._event(step.listen.to.event, (*path, "to", "event"))
        for name, patterns in (("any", step.listen.any), ("all", step.listen.all)):
            for n, pattern in enumerate(patterns or ()):
                self._event(pattern.event, (*path, name, n, "event"))

    def _errors(self, types: Iterable[str] | None, path: Path, raised: set[str], *, is_closed: bool) -> None:
        """A sub-process may raise words of its own: what is caught need not be known, only not nearly known."""
        known = ERROR_TYPES | raised
        for n, name in enumerate(types or ()):
            if name in known:
                continue
            suggestion = closest(name, known)
            if is_closed or suggestion:
                self._findings.add("E204.error", (*path, n), value=name, suggestion=suggestion, fix=suggestion)

    # --- tests

    def _tests(self) -> None:
        definition = self._definition
        ids = [visit.step.id for visit in steps_of(definition) if visit.step.id]
        for n, test in enumerate(definition.tests):
            path: Path = ("tests", n)
            self._known(test.inputs, definition.inputs, (*path, "inputs"), "E302.input")
            self._known(test.mocks, ids, (*path, "mocks"), "E302.step")
            self._known(test.expect.calls, self._catalogue, (*path, "expect", "calls"), "E302")
            self._known(test.expect.outputs, definition.outputs, (*path, "expect", "outputs"), "E302")
            for k, event in enumerate(test.events):
                self._event(event.event, (*path, "events", k, "event"))
            for k, id in enumerate(test.expect.path or ()):
                if id not in ids:
                    suggestion = closest(id, ids)
                    self._findings.add(
                        "E302.step", (*path, "expect", "path", k), name=id, suggestion=suggestion, fix=suggestion
                    )  # fmt: skip


def closest_zone(zone: str, timezones: Iterable[str]) -> str | None:
    by_lower = {name.lower(): name for name in timezones}
    found = closest(zone, by_lower)
    return by_lower[found] if found else None


def _why_unreadable(pattern: str) -> str | None:
    """Patterns are those of Rust, as pydantic-core has them: they take time in proportion to the text."""
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as refused:
        return " ".join(str(refused).rpartition("error: ")[2].split())[:200]
    return None


def fits(one: InputField, value: Any) -> bool:
    """Whether a value that is written out may be given to the input."""
    values = value if isinstance(value, list) and (one.multiple or one.type == "multi_choice") else [value]
    return all(_fits_one(one, single) for single in values)


def _fits_one(one: InputField, value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match one.type:
        case "integer":
            return is_number and isinstance(value, int)
        case "number":
            return is_number
        case "boolean":
            return isinstance(value, bool)
        case "duration":
            return is_duration(value)
        case "choice" | "multi_choice":
            return not one.choices or any(choice.value == value for choice in one.choices)
        case _:
            return isinstance(value, str)
