"""A composed document → a Definition, or what keeps it from being one (E2xx, E506).

What is wrong is taken out and the rest shaped again, so that names and expressions can be checked all the same.
"""

import copy
import re
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.definitions.blueprints import with_samples
from domain.definitions.diagnostics import Findings
from domain.definitions.names import FOREIGN_KINDS, closest
from domain.definitions.places import Path
from domain.definitions.shapes import Definition
from domain.definitions.steps import KINDS, kinds_in
from domain.definitions.structure import fields_of, form_at, shape_for
from domain.definitions.triggers import TRIGGERS

_MOST_ROUNDS = 12
_NOTHING: dict[str, Any] = {"set": {}}
_ROOT: dict[str, Any] = {"dsl": 1, "kind": "process", "name": "unnamed", "title": "—", "do": [_NOTHING]}
_KIND_WORDS = {
    "string": "text", "str": "text", "int": "integer", "bool": "boolean", "float": "number", "dict": "object",
    "model": "object", "tuple": "list", "list": "list",
}  # fmt: skip
_YES_NO = {
    "yes": "true", "on": "true", "y": "true", "so": "true", "так": "true",
    "no": "false", "off": "false", "n": "false", "ні": "false",
}  # fmt: skip


def shape(document: Any, findings: Findings) -> Definition | None:
    """The definition, or as much of it as can be checked; None when there is nothing to go on with.

    Whether it is whole is told by the findings.
    """
    if not isinstance(document, dict):
        findings.add("E203.root", ())
        return None
    body = with_samples(document)
    for round_ in range(_MOST_ROUNDS):
        try:
            return Definition.model_validate(body)
        except ValidationError as refused:
            errors = refused.errors(include_url=False)
        if round_ == 0:
            for error in errors:  # ends at MOST_FINDINGS
                _report(error, body, findings)
            body = copy.deepcopy(body)
        for error in reversed(errors):
            _take_out(error, body)
    return None


def _path_of(error: ErrorDetails, document: Any) -> Path:
    """The error's place in the document. Left out: names of union members, and keys that shorthand has none of."""
    path: list[str | int] = []
    for n, part in enumerate(error["loc"]):
        is_last = n == len(error["loc"]) - 1
        if isinstance(document, dict) and isinstance(part, str):
            if part not in document and not (is_last and error["type"] == "missing"):
                continue
        elif not (isinstance(document, list) and isinstance(part, int) and part < len(document)):
            continue
        path.append(part)
        document = document.get(part) if isinstance(document, dict) else document[part]
    return tuple(path)


def _value_at(document: Any, path: Path) -> Any:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


# --- telling --------------------------------------------------------------------------------------------------------


def _report(error: ErrorDetails, document: Any, findings: Findings) -> None:
    kind, path = error["type"], _path_of(error, document)
    value, facts = _value_at(document, path), error.get("ctx", {})
    is_key = "[key]" in error["loc"]
    if re.fullmatch(r"[EW]\d{3}(\.\w+)?", kind):
        findings.add(kind, path, at_key=is_key, **facts)
    elif kind == "missing":
        findings.add("E202", path[:-1], key=path[-1])
    elif kind == "extra_forbidden":
        _report_unknown_key(path, document, findings)
    elif kind in ("union_tag_not_found", "union_tag_invalid"):
        _report_tag(path, value, document, findings)
    elif kind == "literal_error":
        _report_option(path, value, facts, document, findings)
    elif kind in ("less_than_equal", "too_long", "string_too_long", "less_than"):
        most = facts.get("le", facts.get("max_length", facts.get("lt")))
        findings.add("E506.most", path, at_key=is_key, most=most, name=path[-1] if path else "")
    elif kind in ("greater_than_equal", "greater_than"):
        findings.add("E506.least", path, least=facts.get("ge", facts.get("gt")), name=path[-1] if path else "")
    elif kind in ("too_short", "string_too_short"):
        if not value:  # else its members were refused, which is told already
            findings.add("E203.empty", path, name=path[-1] if path else "")
    else:
        _report_type(kind, path, value, findings)


def _report_unknown_key(path: Path, document: Any, findings: Findings) -> None:
    parent, key = path[:-1], str(path[-1])
    holder = _value_at(document, parent)
    shape_ = shape_for(form_at(document, parent), holder)
    known = list(fields_of(shape_)) if shape_ else []
    suggestion = closest(key, [name for name in known if not isinstance(holder, dict) or name not in holder])
    if key == "then":
        findings.add("E201.then", path, at_key=True, key=key)
    elif suggestion:
        findings.add("E201.like", path, at_key=True, key=key, suggestion=suggestion, fix=suggestion)
    else:
        findings.add("E201", path, at_key=True, key=key, known=", ".join(known))


def _report_tag(path: Path, value: Any, document: Any, findings: Findings) -> None:
    if not isinstance(value, dict):
        _report_type("model_type", path, value, findings)
    elif any(tag.startswith("trigger:") for tag, _ in form_at(document, path).shapes):
        _report_trigger(path, value, findings)
    else:
        _report_kind(path, value, findings)


def _report_trigger(path: Path, value: dict[str, Any], findings: Findings) -> None:
    found = [kind for kind in TRIGGERS if kind in value]
    if found:
        findings.add("E205.trigger", (*path, found[1]), at_key=True, kinds=_and(found))
    else:
        findings.add("E206.trigger", path, kinds=", ".join(TRIGGERS))


def _report_kind(path: Path, value: dict[str, Any], findings: Findings) -> None:
    found = kinds_in(value)
    if found:
        last = max(found, key=lambda kind: findings.places.key((*path, kind)))
        findings.add("E205", (*path, last), at_key=True, kinds=_and(found))
        return
    for key in value:
        if key in FOREIGN_KINDS:
            findings.add("E206.foreign", (*path, key), at_key=True, key=key, suggestion=FOREIGN_KINDS[key])
            return
    common = set(fields_of(KINDS["stop"])) | {"with", "do", "while", "catch", "finally"}
    for key in value:
        if key not in common and (suggestion := closest(key, list(KINDS))):
            findings.add("E206.like", (*path, key), at_key=True, key=key, suggestion=suggestion, fix=suggestion)
            return
    findings.add("E206", path, kinds=", ".join(KINDS))


def _report_option(path: Path, value: Any, facts: dict[str, Any], document: Any, findings: Findings) -> None:
    options = list(form_at(document, path).options) or re.findall(r"'([^']*)'|(\w+)", str(facts.get("expected", "")))
    texts = [option if isinstance(option, str) else option[0] or option[1] for option in options]
    known = ", ".join(texts)
    suggestion = closest(value, texts) if isinstance(value, str) else None
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if suggestion:
        findings.add("E204.like", path, name=name, value=value, suggestion=suggestion, fix=suggestion)
    else:
        findings.add("E204", path, name=name, value=_shown(value), known=known)


def _report_type(kind: str, path: Path, value: Any, findings: Findings) -> None:
    wanted = _KIND_WORDS.get(kind.split("_")[0], "other")
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    facts: dict[str, Any] = {"name": name, "value": _shown(value), "wanted": wanted, "given": _type_of(value)}
    written = findings.places.written(findings.places.value(path))
    if wanted == "boolean" and isinstance(value, str) and value.lower() in _YES_NO:
        suggestion = _YES_NO[value.lower()]
        findings.add("E203.yes_no", path, fix=suggestion, suggestion=suggestion, **facts)
    elif wanted == "text" and isinstance(value, bool | int | float) and written:
        findings.add("E203.quote", path, fix=f'"{written}"', written=written, **facts)
    elif value is None:
        findings.add("E203.nothing", path, at_key=True, **facts)
    elif wanted == "list" and not isinstance(value, dict) and written:
        findings.add("E203.list", path, fix=f"[{written}]", written=written, **facts)
    else:
        findings.add("E203", path, **facts)


def _type_of(value: Any) -> str:
    names = ((bool, "boolean"), (str, "text"), (int, "integer"), (float, "number"), (dict, "object"), (list, "list"))
    return next((name for kind, name in names if isinstance(value, kind)), "nothing")


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _and(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


# --- taking out -----------------------------------------------------------------------------------------------------


def _take_out(error: ErrorDetails, document: dict[str, Any]) -> None:
    """Removes what was refused, or the nearest thing around it that can be missed; a step becomes an empty one."""
    path = _path_of(error, document)
    if error["type"] == "missing" and len(path) == 1:
        document.setdefault(str(path[0]), copy.deepcopy(_ROOT.get(str(path[0]), "—")))
        return
    if error["type"] == "missing":
        path = path[:-1]
    for length in range(len(path), 0, -1):
        holder, part = _value_at(document, path[: length - 1]), path[length - 1]
        if isinstance(holder, dict) and part in holder:
            del holder[part]
            if length == 1 and part in _ROOT:
                holder[str(part)] = copy.deepcopy(_ROOT[str(part)])
            return
        if (
            isinstance(holder, list)
            and isinstance(part, int)
            and part < len(holder)
            and _is_step_list(path[:length], document)
        ):
            old = holder[part]
            kept = {"id": old["id"]} if isinstance(old, dict) and isinstance(old.get("id"), str) else {}
            if holder[part] == {**kept, **_NOTHING}:
                kept = {}
            holder[part] = {**kept, **_NOTHING}
            return


def _is_step_list(path: Path, document: Any) -> bool:
    return form_at(document, path).is_step
