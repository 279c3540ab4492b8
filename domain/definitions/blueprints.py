"""Blueprints: definitions with parameters, and their instances (PROCESS_LANGUAGE 12).

A parameter stands for a whole value: `timeout: "{{ blueprint.patience }}"`.
"""

import re
from collections.abc import Mapping
from typing import Any

_PARAMETER = re.compile(r"\{\{\s*blueprint\.([a-z][a-z0-9_]*)\s*\}\}", re.ASCII)

#: what stands for a parameter without a default while a blueprint is checked
_SAMPLES: dict[str, Any] = {
    "integer": 1, "number": 1, "boolean": True, "duration": "1h", "date": "2026-01-01",
    "datetime": "2026-01-01T00:00:00Z", "multi_choice": [], "email": "a@example.org", "phone": "+380000000000",
}  # fmt: skip
#: not the instance's to say
_OWN_OF_BLUEPRINT = ("parameters", "use", "dsl", "kind")


def parameter_named(value: object) -> str | None:
    """The parameter a value stands for."""
    found = _PARAMETER.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1] if found else None


def substituted(value: Any, parameters: Mapping[str, Any]) -> Any:
    """The tree with every whole value that names one of the parameters replaced."""
    if isinstance(value, dict):
        return {key: substituted(one, parameters) for key, one in value.items()}
    if isinstance(value, list):
        return [substituted(one, parameters) for one in value]
    name = parameter_named(value)
    return value if name is None else parameters.get(name, value)


def with_samples(document: dict[str, Any]) -> dict[str, Any]:
    """A blueprint as it would be with its defaults or plausible values; anything else as it is."""
    declared = document.get("parameters")
    if document.get("kind") != "blueprint" or not isinstance(declared, dict):
        return document
    values = {name: _sample(field) for name, field in declared.items() if isinstance(field, dict)}
    body = {key: value for key, value in document.items() if key != "parameters"}
    return {**substituted(body, values), "parameters": declared}


def _sample(field: dict[str, Any]) -> Any:
    if field.get("default") is not None:
        return field["default"]
    choices = field.get("choices")
    if isinstance(choices, list) and choices:
        first = choices[0]
        return first.get("value") if isinstance(first, dict) else first
    return _SAMPLES.get(str(field.get("type")), "sample")


def expand(instance: dict[str, Any], blueprint: dict[str, Any]) -> dict[str, Any]:
    """The document an instance stands for; what it says itself goes before what the blueprint says.

    Raises ValueError naming a parameter that is required and not given, or given and not declared.
    """
    given = dict(instance["use"].get("with", {}))
    declared: dict[str, Any] = blueprint.get("parameters", {})
    if unknown := sorted(given.keys() - declared.keys()):
        raise ValueError(unknown[0])
    for name, field in declared.items():
        if given.get(name) is None and field.get("required"):
            raise ValueError(name)
        given.setdefault(name, field.get("default"))
    body = {key: value for key, value in blueprint.items() if key not in _OWN_OF_BLUEPRINT}
    own = {key: value for key, value in instance.items() if key != "use"}
    return {**substituted(body, given), **own}
