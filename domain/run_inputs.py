"""What a launch is given, checked against what its definition asks: defaults, types, limits, conditions.

Pure: what must exist in this installation (people, teams, topics …) is looked up by store/run_inputs.py.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.definitions.inputs import InputField
from domain.expressions import MISSING, ExpressionError, compile_condition, compile_value, to_json
from domain.input_values import READERS, REFERENCES, WrongValueError, read_text

LARGEST_BYTES = 32 * 1024
#: of one input that takes several
MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """`values` by name, every input present, null where nothing was given. `errors`: [{field, pointer, code, message}].

    `references`: (field, kind, key or id) to be looked up.
    """

    values: dict[str, Any]
    errors: list[dict[str, str]] = field(default_factory=list)
    references: list[tuple[str, str, str]] = field(default_factory=list)


def check(
    fields: Mapping[str, InputField], given: Mapping[str, Any], names: Mapping[str, Any], now: datetime
) -> Checked:
    """The inputs of a run from what was given. A missing one takes its default, read with `names` (dialog, contact,
    operator, trigger, and the inputs before it); what a false `show_if` hides is null and never required.
    """
    values: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    references: list[tuple[str, str, str]] = []
    for name in given:
        if name not in fields:
            errors.append(_error(str(name)[:100], "unknown", f"There is no input {str(name)[:100]!r}."))
    for name, asked in fields.items():
        try:
            value = given.get(name)
            if value is None:
                value = default_of(asked, {**names, "inputs": values}, now)
            if value is not None:
                value = _read(asked, value)
                references += [(name, REFERENCES[asked.type], v) for v in _each(value) if asked.type in REFERENCES]
            values[name] = value
        except WrongValueError as wrong:
            values[name] = None
            errors.append(_error(name, wrong.code, wrong.message))
    wrong_fields = {e["field"] for e in errors}
    for name, asked in fields.items():
        if asked.show_if is not None and not _is_shown(asked.show_if, {**names, "inputs": values}, now):
            values[name] = None
            errors = [e for e in errors if e["field"] != name]
            references = [r for r in references if r[0] != name]
        elif asked.required and _is_empty(values[name]) and name not in wrong_fields:
            errors.append(_error(name, "required", f"{asked.label}: a value is required."))
    if not errors and len(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")) > LARGEST_BYTES:
        errors.append(_error("", "too_large", f"All inputs together have at most {LARGEST_BYTES // 1024} KB."))
    return Checked(values, errors, references)


def default_of(asked: InputField, names: Mapping[str, Any], now: datetime) -> Any:
    """What a form shows before anybody writes into it; null where the default cannot be told. One value where there
    may be several is a list of it.
    """
    value: Any = asked.default
    if isinstance(value, str):
        try:
            value = to_json(compile_value(value).evaluate(names, now=now))
        except ExpressionError:
            return None
        value = None if value is MISSING or value == "" else value
    return [value] if is_list(asked) and value is not None and not isinstance(value, list) else value


def is_list(asked: InputField) -> bool:
    return asked.multiple or asked.type == "multi_choice"


def _is_shown(condition: str, names: Mapping[str, Any], now: datetime) -> bool:
    try:
        return compile_condition(condition).evaluate_condition(names, now=now)
    except ExpressionError:
        return True


def _error(name: str, code: str, message: str) -> dict[str, str]:
    pointer = "/inputs" + ("/" + name.replace("~", "~0").replace("/", "~1") if name else "")
    return {"field": name, "pointer": pointer, "code": code, "message": message}


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _read(asked: InputField, value: Any) -> Any:
    if not is_list(asked):
        return _single(asked, value)
    if not isinstance(value, list):
        raise WrongValueError("wrong_type", f"{asked.label}: a list is expected.")
    if len(value) > MOST_VALUES:
        raise WrongValueError("too_many", f"{asked.label}: at most {MOST_VALUES} values.")
    read = [_single(asked, one) for one in value]
    if len(set(read)) < len(read):
        raise WrongValueError("repeated", f"{asked.label}: each value may be given once.")
    return read


def _single(asked: InputField, value: Any) -> Any:
    reader: Callable[[InputField, Any], Any] = READERS.get(asked.type, read_text)
    read = reader(asked, value)
    if asked.choices is not None and read not in [c.value for c in asked.choices]:
        shown = ", ".join(str(c.value) for c in asked.choices[:10])
        raise WrongValueError("not_a_choice", f"{asked.label}: choose one of {shown}.")
    return read
