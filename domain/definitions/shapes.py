"""The whole document (PROCESS_LANGUAGE 3). One import for those who read definitions: every shape has its name here."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from domain.definitions.cases import Expectation, TestCase, TestEvent
from domain.definitions.inputs import Choice, InputField, Output
from domain.definitions.scalars import (
    Condition,
    Duration,
    Flag,
    Id,
    Line,
    Name,
    Natural,
    Percent,
    RateText,
    Shape,
    Text,
    Took,
    Value,
)
from domain.definitions.selections import (
    AllOf,
    AnyOf,
    Audience,
    Comparison,
    LaunchSelection,
    Mass,
    Not,
    Permissions,
    Selection,
    Where,
)
from domain.definitions.step_bodies import (
    Announcement,
    Ear,
    Ending,
    Errand,
    EventPattern,
    Failure,
    Pause,
    Question,
    Retry,
)
from domain.definitions.steps import (
    KINDS,
    Approve,
    Branch,
    Branches,
    Call,
    Case,
    Catch,
    Do,
    Emit,
    For,
    Fork,
    Listen,
    Loop,
    Raise,
    Run,
    Set,
    Step,
    Steps,
    Stop,
    Switch,
    Try,
    Wait,
)
from domain.definitions.triggers import (
    EventTrigger,
    Hook,
    ManualTrigger,
    Origins,
    ScheduleTrigger,
    Timetable,
    Trigger,
    WebhookTrigger,
)

LARGEST_BYTES = 64 * 1024
MOST_STEPS = 200
DEEPEST_STEPS = 8


class Use(Shape):
    """An instance of a blueprint: its parameters' values. Expanded at publish (blueprints.py)."""

    blueprint: Name
    version: Natural
    with_: dict[Id, Value] = Field(default_factory=dict, alias="with")


def _as_written(number: object) -> object:
    """true equals 1, and is not it."""
    return str(number) if isinstance(number, bool) else number


class Definition(Shape):
    """One process, macro or blueprint.

    `target`: what one item is; a macro's is the open dialog. `mode`: what a second launch on the same target does.
    `do` is empty only where `use` names a blueprint; `from_canonical` gives the expanded form.
    """

    dsl: Annotated[Literal[1], BeforeValidator(_as_written)]
    kind: Literal["process", "macro", "blueprint"]
    name: Name
    title: Line
    summary: Text | None = None
    note: Text | None = None
    category: Line | None = None
    tags: tuple[Line, ...] = ()
    icon: Line | None = None
    use: Use | None = None
    parameters: dict[Id, InputField] = Field(default_factory=dict)
    target: Literal["dialog", "contact", "operator", "none"] = "dialog"
    mode: Literal["single", "queued", "restart", "parallel"] = "single"
    triggers: tuple[Trigger, ...] = ()
    permissions: Permissions = Permissions()
    inputs: dict[Id, InputField] = Field(default_factory=dict)
    vars: dict[Id, Value] = Field(default_factory=dict)
    selection: Selection | None = None
    mass: Mass | None = None
    guard: Condition | None = None
    timeout: Duration | None = None
    before: Steps | None = None
    do: Annotated[tuple[Step, ...], Field(min_length=1)] = ()
    after: Steps | None = None
    on_failure: Steps | None = None
    outputs: dict[Id, Output] = Field(default_factory=dict)
    message: Annotated[Text, Field(max_length=1000)] | None = None
    tests: Annotated[tuple[TestCase, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.do and self.use is None:
            raise PydanticCustomError("E202", "{key}", {"key": "do"})
        return self


__all__ = [
    "KINDS", "AllOf", "Announcement", "AnyOf", "Approve", "Audience", "Branch", "Branches", "Call", "Case", "Catch",
    "Choice", "Comparison", "Definition", "Do", "Duration", "Ear", "Emit", "Ending", "Errand", "EventPattern",
    "EventTrigger", "Expectation", "Failure", "Flag", "For", "Fork", "Hook", "InputField", "LaunchSelection", "Listen",
    "Loop", "ManualTrigger", "Mass", "Not", "Origins", "Output", "Pause", "Percent", "Permissions", "Question", "Raise",
    "RateText", "Retry", "Run", "ScheduleTrigger", "Selection", "Set", "Shape", "Step", "Steps", "Stop", "Switch",
    "TestCase", "TestEvent", "Timetable", "Took", "Trigger", "Try", "Use", "Wait", "WebhookTrigger", "Where",
]  # fmt: skip
