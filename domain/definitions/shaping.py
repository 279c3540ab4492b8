"""A composed document → a Definition, or what keeps it from being one (E2xx, E506).

What is wrong is taken out and the rest shaped again, so that names and expressions can be checked all the same.
"""

import copy
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.definitions.blueprints import with_samples
from domain.definitions.diagnostics import Findings
from domain.definitions.places import Path
from domain.definitions.refusals import path_of, report, value_at
from domain.definitions.shapes import Definition
from domain.definitions.structure import form_at

_MOST_ROUNDS = 12
_NOTHING: dict[str, Any] = {"set": {}}
_ROOT: dict[str, Any] = {"dsl": 1, "kind": "process", "name": "unnamed", "title": "—", "do": [_NOTHING]}


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
                report(error, body, findings)
            body = copy.deepcopy(body)
        for error in reversed(errors):
            _take_out(error, body)
    return None


def _take_out(error: ErrorDetails, document: dict[str, Any]) -> None:
    """Removes what was refused, or the nearest thing around it that can be missed; a step becomes an empty one."""
    path = path_of(error, document)
    if error["type"] == "missing" and len(path) == 1:
        document.setdefault(str(path[0]), copy.deepcopy(_ROOT.get(str(path[0]), "—")))
        return
    if error["type"] == "missing":
        path = path[:-1]
    for length in range(len(path), 0, -1):
        holder, part = value_at(document, path[: length - 1]), path[length - 1]
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
