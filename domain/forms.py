"""The form of a launch, made from what the definition asks: a JSON Schema, and beside it what a renderer needs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.definitions.inputs import InputField
from domain.expressions import ExpressionError
from domain.input_values import WrongValueError
from domain.run_inputs import MOST_VALUES, default_of, is_list

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Mapping[str, dict[str, Any]] = {
    "integer": {"type": "integer"}, "number": {"type": "number"}, "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"}, "datetime": {"type": "string", "format": "date-time"},
    "email": {"type": "string", "format": "email"}, "operator": {"type": "string", "format": "uuid"},
    "contact": {"type": "string", "format": "uuid"}, "dialog": {"type": "string", "format": "uuid"},
}  # fmt: skip
_NUMBERS = ("integer", "number")
_TEXTS = ("string", "text", "message", "phone", "email")


def schema_of(fields: Mapping[str, InputField]) -> dict[str, Any]:
    """Draft 2020-12. What `show_if` may hide is not in `required`: the launch asks for it when it is shown."""
    return {
        "$schema": DIALECT,
        "type": "object",
        "additionalProperties": False,
        "properties": {name: property_of(asked) for name, asked in fields.items()},
        "required": [name for name, f in fields.items() if f.required and f.show_if is None and f.default is None],
    }


def property_of(asked: InputField) -> dict[str, Any]:
    told: dict[str, Any] = {"title": asked.label, **_TYPES.get(asked.type, {"type": "string"})}
    if asked.help:
        told["description"] = asked.help
    if asked.choices is not None:
        told["oneOf"] = [{"const": choice.value, "title": choice.label} for choice in asked.choices]
        told.pop("type", None)
    told |= {"pattern": asked.pattern} if asked.pattern else {}
    if asked.type in _TEXTS:
        told |= {"minLength": asked.min_length} if asked.min_length is not None else {}
        told |= {"maxLength": asked.max_length} if asked.max_length is not None else {}
    if asked.type in _NUMBERS:
        told |= {"minimum": asked.min} if isinstance(asked.min, int | float) else {}
        told |= {"maximum": asked.max} if isinstance(asked.max, int | float) else {}
    if is_list(asked):
        title = told.pop("title")
        described = {"description": told.pop("description")} if "description" in told else {}
        told = {
            "title": title,
            **described,
            "type": "array",
            "items": told,
            "uniqueItems": True,
            "maxItems": MOST_VALUES,
        }
    if asked.sensitive:
        told["writeOnly"] = True
    return told


def ui_of(fields: Mapping[str, InputField]) -> list[dict[str, Any]]:
    """In the order of the form: the widget, and what a schema cannot say."""
    return [
        {
            "name": name, "widget": asked.type, "required": asked.required, "placeholder": asked.placeholder,
            "help": asked.help, "show_if": asked.show_if, "sensitive": asked.sensitive, "multiple": asked.multiple,
            "pattern_error": asked.pattern_error, "min": asked.min, "max": asked.max,
        }
        for name, asked in fields.items()
    ]  # fmt: skip


def values_of(fields: Mapping[str, InputField], names: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What the form shows when it opens: defaults read with `names`; one that cannot be read is left empty."""
    values: dict[str, Any] = {}
    for name, asked in fields.items():
        try:
            values[name] = default_of(asked, {**names, "inputs": values}, now)
        except (WrongValueError, ExpressionError):
            values[name] = None
    return values
