"""What names what inside a document: ids, events, inputs, conditions of selections, tests (E2xx, E302)."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

from domain.actions.manifests import Manifest
from domain.definitions.diagnostics import Findings
from domain.definitions.inputs import InputField
from domain.definitions.mistypes import type_of
from domain.definitions.names import CUSTOM, EVENTS, closest, is_event
from domain.definitions.patterns import Patterns
from domain.definitions.places import Path
from domain.definitions.scalars import has_braces
from domain.definitions.selections import AllOf, AnyOf, Comparison, Not
from domain.definitions.shapes import Definition
from domain.definitions.steps import Approve, Emit, For, Fork, Listen, Raise, Run, Try
from domain.definitions.surveys import steps_of
from domain.definitions.triggers import EventTrigger, ManualTrigger, ScheduleTrigger
from domain.durations import parse_duration
from domain.errors import InvalidError
from domain.expressions import fields_in
from domain.runs import ERROR_TYPES
from domain.selections import DEEPEST, FIELDS, OPS, ORDERABLE, read
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
            self._where(selection.where, ("selection", "where"), self._definition.target)
            self._order(selection.order_by)
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
                    self._field(name, (*path, "default"), dict.fromkeys(FILLABLE, ""), can_fix=False)
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
                    self._where(step.run.selection.where, (*path, "run", "selection", "where"), "dialog")

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

    # --- conditions

    def _where(self, tree: Any, path: Path, target: str, depth: int = 0) -> None:
        if depth > DEEPEST:
            self._findings.add("E107.where", path, most=DEEPEST)
            return
        match tree:
            case AllOf() | AnyOf():
                name = "all" if isinstance(tree, AllOf) else "any"
                for n, one in enumerate(getattr(tree, name)):
                    self._where(one, (*path, name, n), target, depth + 1)
            case Not():
                self._where(tree.not_, (*path, "not"), target, depth + 1)
            case Comparison():
                self._comparison(tree, path, target)

    def _comparison(self, test: Comparison, path: Path, target: str) -> None:
        fields = FIELDS.get(target, {})
        kind = _kind_of(test.field, fields)
        if kind is None:
            self._field(test.field, (*path, "field"), fields)
            return
        if test.op not in OPS[kind]:
            known = ", ".join(sorted(OPS[kind]))
            self._findings.add("E204.op", (*path, "op"), op=test.op, field=test.field, known=known)
        elif test.op in ("older_than", "newer_than") and not has_braces(test.value) and not _is_duration(test.value):
            self._findings.add("E209", (*path, "value"), value=str(test.value))
        elif test.op == "between" and not has_braces(test.value) and not _is_pair(test.value):
            self._findings.add("E203", (*path, "value"), name="value", wanted="list", given="other")
        elif not any(map(has_braces, test.value if isinstance(test.value, list) else [test.value])):
            try:
                read(test.model_dump(), target)
            except InvalidError:
                wanted = kind if kind in ("number", "boolean", "moment") else "text"
                self._findings.add("E203", (*path, "value"), name="value", wanted=wanted, given=type_of(test.value))

    def _field(self, name: str, path: Path, fields: Mapping[str, str], *, can_fix: bool = True) -> None:
        suggestion = closest(name, fields)
        self._findings.add("E303", path, name=name, suggestion=suggestion, fix=suggestion if can_fix else None)

    def _order(self, name: str | None) -> None:
        if name is None:
            return
        fields = {f: kind for f, kind in FIELDS.get(self._definition.target, {}).items() if kind in ORDERABLE}
        if name.removeprefix("-") not in fields:
            self._field(name, ("selection", "order_by"), fields)

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


def _kind_of(field: str, fields: Mapping[str, str]) -> str | None:
    if field in fields and fields[field] != "open":
        return fields[field]
    root, _, part = field.rpartition(".")
    return "open" if part and fields.get(root) == "open" else None


def _is_duration(value: object) -> bool:
    try:
        parse_duration(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2


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
            return _is_duration(value)
        case "choice" | "multi_choice":
            return not one.choices or any(choice.value == value for choice in one.choices)
        case _:
            return isinstance(value, str)
