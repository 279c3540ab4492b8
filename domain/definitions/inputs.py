"""What a launch asks for and what a run shows."""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from domain.definitions.scalars import Condition, Flag, Line, Shape, Text, Value, Whole

InputType = Literal[
    "string", "text", "message", "integer", "number", "boolean", "date", "datetime", "duration", "choice",
    "multi_choice", "operator", "team", "channel", "topic", "tag", "status", "priority", "quick_reply", "template",
    "contact", "dialog", "phone", "email",
]  # fmt: skip


def _long_choice(value: Any) -> Any:
    if isinstance(value, str | int | float):
        return {"value": value, "label": value if isinstance(value, str) else json.dumps(value)}
    return value


class Choice(Shape):
    value: Value
    label: Line


class InputField(Shape):
    """One question of a form; also a blueprint's parameter. `min`, `max`: numbers, or dates and durations as texts."""

    label: Line
    type: InputType
    required: Flag = False
    default: Value = None
    pattern: Annotated[str, Field(max_length=500)] | None = None
    pattern_error: Line | None = None
    min: int | float | str | None = None
    max: int | float | str | None = None
    min_length: Annotated[Whole, Field(ge=0, le=65_536)] | None = None
    max_length: Annotated[Whole, Field(ge=0, le=65_536)] | None = None
    choices: (
        Annotated[
            tuple[Annotated[Choice, BeforeValidator(_long_choice, json_schema_input_type=str | int | Choice)], ...],
            Field(min_length=1, max_length=200),
        ]
        | None
    ) = None
    multiple: Flag = False
    placeholder: Line | None = None
    help: Text | None = None
    show_if: Condition | None = None
    sensitive: Flag = False


class Output(Shape):
    """A missing value hides an output. `copy`: a copy button; `insert`: offered as a reply."""

    label: Line
    value: Value
    display: Literal["text", "badge", "money", "date", "table", "link", "list", "json"] = "text"
    copy_: Flag = Field(False, alias="copy")
    insert: Flag = False
    show_if: Condition | None = None
