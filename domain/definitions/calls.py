"""Calls of actions against the catalogue: parameters known, there, of their types (E201–E204, E503)."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.actions.catalogue import INTERNAL
from domain.actions.manifests import Manifest
from domain.definitions.diagnostics import Findings
from domain.definitions.mistypes import report_type
from domain.definitions.names import closest
from domain.definitions.places import Path
from domain.definitions.scalars import has_braces
from domain.definitions.shapes import Definition
from domain.definitions.steps import Call
from domain.definitions.surveys import Visit, steps_of
from domain.definitions.worlds import Reference

#: parameters that say what a definition can do, so they stand in it as they are
_LITERAL = frozenset({("http", "connection"), ("http", "method")})
_ABSOLUTE = re.compile(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//|\s*[a-zA-Z][a-zA-Z0-9+.-]*:", re.ASCII)

_BOUNDS = {
    "less_than_equal": ("E506.most", "le"), "less_than": ("E506.most", "lt"), "too_long": ("E506.most", "max_length"),
    "string_too_long": ("E506.long", "max_length"), "greater_than_equal": ("E506.least", "ge"),
    "greater_than": ("E506.least", "gt"),
}  # fmt: skip


def calls_of(definition: Definition) -> Iterator[tuple[Visit, Call]]:
    for visit in steps_of(definition):
        if isinstance(visit.step, Call):
            yield visit, visit.step


def check_calls(definition: Definition, catalogue: Mapping[str, Manifest], findings: Findings) -> None:
    known = [name for name in catalogue if name not in INTERNAL]
    for visit, call in calls_of(definition):
        if call.call not in known:
            if has_braces(call.call):
                findings.add("E305.literal", (*visit.path, "call"), name="call")
                continue
            suggestion = closest(call.call, known)
            findings.add(
                "E204.action", (*visit.path, "call"), value=call.call, suggestion=suggestion, fix=suggestion
            )  # fmt: skip
            continue
        _Check(catalogue[call.call], call, (*visit.path, "with"), findings).run()


class _Check:
    def __init__(self, manifest: Manifest, call: Call, path: Path, findings: Findings) -> None:
        self._manifest, self._with, self._path, self._findings = manifest, call.with_, path, findings
        self._place = path if findings.places.written_at(path) == path else path[:-1]

    def run(self) -> None:
        known = params_of(self._manifest.params)
        for name in self._with:
            if name not in known:
                self._unknown(name, known)
            elif (self._manifest.name, name) in _LITERAL and has_braces(self._with[name]):
                self._findings.add("E305.literal", (*self._path, name), name=name)
        for name, is_required in known.items():
            if is_required and name not in self._with:
                self._findings.add("E202.param", self._place, action=self._manifest.name, key=name)
        self._types(known)
        if self._manifest.name == "http" and _ABSOLUTE.match(str(self._with.get("path", ""))):
            self._findings.add("E503", (*self._path, "path"))

    def _unknown(self, name: str, known: Mapping[str, bool]) -> None:
        suggestion = closest(name, [one for one in known if one not in self._with])
        wording = "E201.param_like" if suggestion else "E201.param"
        self._findings.add(
            wording, (*self._path, name), at_key=True, action=self._manifest.name, key=name,
            known=", ".join(known), suggestion=suggestion, fix=suggestion,
        )  # fmt: skip

    def _types(self, known: Mapping[str, bool]) -> None:
        """Literal values only: what an expression yields is checked when it runs."""
        literal = {name: one for name, one in self._with.items() if name in known and not _varies(one)}
        is_whole = len(literal) == len(self._with) and all(n in literal for n, must in known.items() if must)
        self._unconverted(literal)
        try:
            self._manifest.params.model_validate(literal)
        except ValidationError as refused:
            for error in refused.errors(include_url=False):
                if error["loc"] and error["type"] != "missing":
                    self._refused(error["loc"], error)
                elif not error["loc"] and is_whole:
                    self._findings.add("E203.param", self._place, name=self._manifest.name, said=_said(error))

    def _unconverted(self, literal: Mapping[str, Any]) -> None:
        """Texts where true, false or a number belongs: read, they would be taken for one (`silent: no`)."""
        try:
            self._manifest.params.model_validate(literal, strict=True)
        except ValidationError as refused:
            for error in refused.errors(include_url=False):
                if error["type"] in ("bool_type", "int_type", "float_type") and isinstance(error["input"], str):
                    self._refused(error["loc"], error)

    def _refused(self, loc: tuple[int | str, ...], error: Any) -> None:
        path = self._findings.places.written_at((*self._path, *loc))
        name = str(next((part for part in reversed(path) if isinstance(part, str)), loc[0]))
        said, value = _said(error), error.get("input")
        options = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        if error["type"] == "literal_error" and options:
            suggestion = closest(value, options)
            self._findings.add(
                "E204.like" if suggestion else "E204", path,
                name=name, value=_short(value), known=", ".join(options), suggestion=suggestion, fix=suggestion,
            )  # fmt: skip
        elif error["type"] in _BOUNDS:
            wording, fact = _BOUNDS[error["type"]]
            bound = error["ctx"][fact]
            self._findings.add(wording, path, name=name, most=bound, least=bound)
        elif error["type"].rpartition("_")[2] in ("type", "parsing") and error["type"] not in ("none_required",):
            report_type(error["type"], path, value, self._findings)
        elif "UUID" in said:
            self._findings.add("E203.id", path, name=name, value=_short(value))
        elif "is not a duration" in said:
            self._findings.add("E209", path, value=_short(value))
        else:
            self._findings.add("E203.param", path, name=name, said=said)


def _said(error: Any) -> str:
    said = str(error["msg"]).removeprefix("Value error, ")
    return said[:1].lower() + said[1:]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _varies(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_varies(one) for one in value.values())
    if isinstance(value, list):
        return any(_varies(one) for one in value)
    return has_braces(value)


@lru_cache(maxsize=200)
def params_of(params: type[BaseModel]) -> dict[str, bool]:
    """Parameter → whether it must be given."""
    return {field.alias or name: field.is_required() for name, field in params.model_fields.items()}


@lru_cache(maxsize=200)
def _references_of(params: type[BaseModel]) -> dict[str, str]:
    """Parameter → the kind of thing it names, where the manifest says so."""
    properties = params.model_json_schema(by_alias=True).get("properties", {})
    return {name: kind for name, schema in properties.items() if (kind := _reference_in(schema))}


def _reference_in(schema: Any) -> str | None:
    if isinstance(schema, dict):
        if isinstance(schema.get("x-reference"), str):
            return str(schema["x-reference"])
        return next((kind for one in schema.values() if (kind := _reference_in(one))), None)
    if isinstance(schema, list):
        return next((kind for one in schema if (kind := _reference_in(one))), None)
    return None


def references_in_calls(definition: Definition, catalogue: Mapping[str, Manifest]) -> Iterator[Reference]:
    for visit, call in calls_of(definition):
        manifest = catalogue.get(call.call)
        kinds = _references_of(manifest.params) if manifest else {}
        for name, value in call.with_.items():
            if name not in kinds:
                continue
            listed = value if isinstance(value, list) else [value]
            for n, one in enumerate(listed):
                if isinstance(one, str) and not has_braces(one):
                    path = (*visit.path, "with", name, n) if isinstance(value, list) else (*visit.path, "with", name)
                    is_new = call.call == "add_tag" and kinds[name] == "tag"
                    yield Reference("new_tag" if is_new else kinds[name], one, path)


def result_fields(definition: Definition, catalogue: Mapping[str, Manifest]) -> dict[str, tuple[str, ...] | None]:
    """Step → what its action's result is known to hold; None when that is open."""
    fields: dict[str, tuple[str, ...] | None] = {}
    for _, call in calls_of(definition):
        manifest = catalogue.get(call.call)
        if manifest is None or call.id is None:
            continue
        known = tuple(manifest.result.model_fields)
        if call.call == "http":
            picked = call.with_.get("pick")
            fields[call.id] = None if picked is not None and not isinstance(picked, dict) else (*known, *(picked or {}))
        else:
            fields[call.id] = known or None
    return fields


def capabilities_of(definition: Definition, catalogue: Mapping[str, Manifest]) -> dict[str, Path]:
    """What a definition may do → the first step that does it. Calls outside are named as `http:CONNECTION`."""
    found: dict[str, Path] = {}
    for visit, call in calls_of(definition):
        if manifest := catalogue.get(call.call):
            name = manifest.capability
            if call.call == "http":
                name = f"{name}:{call.with_.get('connection', '')}"
            found.setdefault(name, visit.path)
    return found
