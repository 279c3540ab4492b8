"""What pydantic refuses of a document, said in the language's own diagnostics (E201–E206, E506)."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

from domain.actions.catalogue import catalogue
from domain.definitions.calls import params_of
from domain.definitions.diagnostics import Findings
from domain.definitions.mistypes import report_type, shown
from domain.definitions.names import FOREIGN_KEYS, FOREIGN_KINDS, closest
from domain.definitions.places import Path
from domain.definitions.steps import KINDS, kinds_in
from domain.definitions.structure import fields_of, form_at, shape_for
from domain.definitions.triggers import TRIGGERS


def path_of(error: ErrorDetails, document: Any) -> Path:
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


def value_at(document: Any, path: Path) -> Any:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def report(error: ErrorDetails, document: Any, findings: Findings) -> None:
    kind, path = error["type"], path_of(error, document)
    value, facts = value_at(document, path), error.get("ctx", {})
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
        if not value:
            findings.add("E203.empty", path, name=path[-1] if path else "")
        elif len(value) < facts["min_length"]:  # else its members were refused, which is told already
            findings.add("E506.few", path, least=facts["min_length"], name=path[-1] if path else "")
    else:
        report_type(kind, path, value, findings)


def _report_unknown_key(path: Path, document: Any, findings: Findings) -> None:
    parent, key = path[:-1], str(path[-1])
    holder = value_at(document, parent)
    shape_ = shape_for(form_at(document, parent), holder)
    known = list(fields_of(shape_)) if shape_ else []
    suggestion = closest(key, [name for name in known if not isinstance(holder, dict) or name not in holder])
    foreign = FOREIGN_KEYS.get(key)
    if key == "then":
        findings.add("E201.then", path, at_key=True, key=key)
    elif _is_parameter(key, holder):
        findings.add("E201.with", path, at_key=True, key=key)
    elif foreign in known and foreign not in holder:
        findings.add("E201.like", path, at_key=True, key=key, suggestion=foreign, fix=foreign)
    elif suggestion:
        findings.add("E201.like", path, at_key=True, key=key, suggestion=suggestion, fix=suggestion)
    else:
        findings.add("E201", path, at_key=True, key=key, known=", ".join(known))


def _is_parameter(key: str, step: Any) -> bool:
    """Whether a key beside `call` is one of the action's parameters."""
    name = step.get("call") if isinstance(step, dict) else None
    action = catalogue().get(name) if isinstance(name, str) else None
    return action is not None and key in params_of(action.params)


def _report_tag(path: Path, value: Any, document: Any, findings: Findings) -> None:
    if not isinstance(value, dict):
        report_type("model_type", path, value, findings)
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
        findings.add("E204", path, name=name, value=shown(value), known=known)


def _and(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
