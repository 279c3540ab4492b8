"""What stands under the key of a step's kind, where that holds no steps itself.

Shorthand is read into its long form: `to: message.received`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from domain.definitions.inputs import InputField
from domain.definitions.scalars import (
    Condition,
    Duration,
    DurationOrExpression,
    Flag,
    Id,
    Key,
    Name,
    Natural,
    Shape,
    Text,
    Value,
    require_one_of,
)
from domain.definitions.selections import Audience, LaunchSelection

MOST_ATTEMPTS = 100


def _long_event(value: Any) -> Any:
    return {"event": value} if isinstance(value, str) else value


def _version(value: Any) -> Any:
    if value in ("pinned", "latest") or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise PydanticCustomError("E204", "{value}", {"name": "version", "value": value, "known": "pinned, latest, 1, 2 …"})


class Retry(Shape):
    """`on`: error types to try again for; without it the action's own list."""

    max_attempts: Annotated[Natural, Field(le=MOST_ATTEMPTS)]
    initial: Duration = Duration("1s")
    factor: Annotated[float, Field(ge=1, le=10, strict=True)] = 2
    max: Duration = Duration("1m")
    on: tuple[Key, ...] | None = None


class Pause(Shape):
    """Exactly one of `for` and `until`; with a calendar `for` counts working hours."""

    for_: DurationOrExpression | None = Field(None, alias="for")
    until: Value = None
    calendar: Key | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        require_one_of({"for": self.for_, "until": self.until})
        return self


class EventPattern(Shape):
    event: str
    where: Condition | None = None


AwaitedEvent = Annotated[EventPattern, BeforeValidator(_long_event, json_schema_input_type=str | EventPattern)]
AwaitedEvents = Annotated[tuple[AwaitedEvent, ...], Field(min_length=1, max_length=10)]


class Ear(Shape):
    """Exactly one of `to`, `any`, `all`. `since`: the step after which an event counts."""

    to: AwaitedEvent | None = None
    any: AwaitedEvents | None = None
    all: AwaitedEvents | None = None
    timeout: Duration
    since: Id | None = None
    on_timeout: Literal["continue", "fail"] = "continue"

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        require_one_of({"to": self.to, "any": self.any, "all": self.all})
        return self

    @property
    def events(self) -> tuple[EventPattern, ...]:
        return (self.to,) if self.to is not None else self.any or self.all or ()


class Question(Shape):
    by: Audience
    message: Text
    count: Annotated[Natural, Field(le=10)] = 1
    allow_self: Flag = False
    timeout: Duration
    on_timeout: Literal["reject", "approve", "fail"] = "reject"
    on_reject: Literal["stop", "continue"] = "stop"
    form: dict[Id, InputField] | None = None


class Errand(Shape):
    """Exactly one of `process` and `macro`."""

    process: Name | None = None
    macro: Name | None = None
    version: Annotated[
        Literal["pinned", "latest"] | int, PlainValidator(_version, json_schema_input_type=str | int)
    ] = "pinned"
    inputs: dict[Id, Value] = Field(default_factory=dict)
    mode: Literal["wait", "detach"] = "wait"
    selection: LaunchSelection | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        require_one_of({"process": self.process, "macro": self.macro})
        return self

    @property
    def name(self) -> str:
        return self.process or self.macro or ""


class Failure(Shape):
    error: Id
    message: Text


class Ending(Shape):
    status: Literal["succeeded", "skipped"]
    message: Text | None = None


class Announcement(Shape):
    event: str
    data: dict[str, Value] = Field(default_factory=dict)
