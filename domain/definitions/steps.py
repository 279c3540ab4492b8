"""The fourteen kinds of steps. A step is an object with exactly one kind's key; `for` brings its own `do`.

Shorthand is read into its long form: `retry: 3`, `wait: 15m`, `listen: {to: message.received}`.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, PlainValidator, Tag, model_validator
from pydantic_core import PydanticCustomError

from domain.definitions.inputs import InputField
from domain.definitions.scalars import (
    Condition,
    Duration,
    DurationOrExpression,
    Flag,
    Id,
    Key,
    Line,
    Name,
    Natural,
    Shape,
    Text,
    Value,
    require_one_of,
)
from domain.definitions.selections import Audience, LaunchSelection

MOST_BRANCHES = 10
MOST_ROUNDS = 1000
MOST_CONCURRENT_ROUNDS = 10
MOST_ATTEMPTS = 100


def _long_retry(value: Any) -> Any:
    return {"max_attempts": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _long_wait(value: Any) -> Any:
    return value if isinstance(value, dict) else {"for": value}


def _version(value: Any) -> Any:
    if value in ("pinned", "latest") or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise PydanticCustomError("E204", "{value}", {"name": "version", "value": value, "known": "pinned, latest, 1, 2 …"})


def _long_event(value: Any) -> Any:
    return {"event": value} if isinstance(value, str) else value


class Retry(Shape):
    """`on`: error types to try again for; without it the action's own list."""

    max_attempts: Annotated[Natural, Field(le=MOST_ATTEMPTS)]
    initial: Duration = Duration("1s")
    factor: Annotated[float, Field(ge=1, le=10, strict=True)] = 2
    max: Duration = Duration("1m")
    on: tuple[Key, ...] | None = None


class _Step(Shape):
    """What every step may say. `kind` is the key that makes it what it is."""

    kind: ClassVar[str]

    id: Id | None = None
    title: Line | None = None
    note: Text | None = None
    if_: Condition | None = Field(None, alias="if")
    timeout: Duration | None = None
    retry: Annotated[Retry | None, BeforeValidator(_long_retry, json_schema_input_type=Natural | Retry)] = None
    on_error: Literal["fail", "continue"] = "fail"
    disabled: Flag = False


class Call(_Step):
    kind = "call"
    call: str
    with_: dict[str, Value] = Field(default_factory=dict, alias="with")


class Set(_Step):
    kind = "set"
    set: dict[Id, Value]


class Do(_Step):
    kind = "do"
    do: "Steps"


class Case(Shape):
    """Exactly one of `when` and `else: true`."""

    title: Line | None = None
    when: Condition | None = None
    else_: Literal[True] | None = Field(None, alias="else")
    do: "Steps"

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        require_one_of({"when": self.when, "else": self.else_})
        return self


class Switch(_Step):
    kind = "switch"
    switch: Annotated[tuple[Case, ...], Field(min_length=1)]


class Loop(Shape):
    in_: Value = Field(alias="in")
    each: Id = "item"
    at: Id = "index"
    max: Annotated[Natural, Field(le=MOST_ROUNDS)] = 100
    concurrency: Annotated[Natural, Field(le=MOST_CONCURRENT_ROUNDS)] = 1


class For(_Step):
    """`while` is tested before each round."""

    kind = "for"
    for_: Loop = Field(alias="for")
    while_: Condition | None = Field(None, alias="while")
    do: "Steps"


class Branch(Shape):
    id: Id
    title: Line | None = None
    do: "Steps"


class Branches(Shape):
    branches: Annotated[tuple[Branch, ...], Field(min_length=2, max_length=MOST_BRANCHES)]
    compete: Flag = False


class Fork(_Step):
    kind = "fork"
    fork: Branches


class Catch(Shape):
    """Without `errors` and `when` it catches whatever failed."""

    errors: tuple[Key, ...] | None = None
    when: Condition | None = None
    as_: Id = Field("error", alias="as")
    do: "Steps"


class Try(_Step):
    kind = "try"
    try_: "Steps" = Field(alias="try")
    catch: Catch | None = None
    finally_: "Steps | None" = Field(None, alias="finally")


class Pause(Shape):
    """Exactly one of `for` and `until`; with a calendar `for` counts working hours."""

    for_: DurationOrExpression | None = Field(None, alias="for")
    until: Value = None
    calendar: Key | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        require_one_of({"for": self.for_, "until": self.until})
        return self


class Wait(_Step):
    kind = "wait"
    wait: Annotated[Pause, BeforeValidator(_long_wait, json_schema_input_type=DurationOrExpression | Pause)]


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


class Listen(_Step):
    kind = "listen"
    listen: Ear


class Question(Shape):
    by: Audience
    message: Text
    count: Annotated[Natural, Field(le=10)] = 1
    allow_self: Flag = False
    timeout: Duration
    on_timeout: Literal["reject", "approve", "fail"] = "reject"
    on_reject: Literal["stop", "continue"] = "stop"
    form: dict[Id, InputField] | None = None


class Approve(_Step):
    kind = "approve"
    approve: Question


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


class Run(_Step):
    kind = "run"
    run: Errand


class Failure(Shape):
    error: Id
    message: Text


class Raise(_Step):
    kind = "raise"
    raise_: Failure = Field(alias="raise")


class Ending(Shape):
    status: Literal["succeeded", "skipped"]
    message: Text | None = None


class Stop(_Step):
    kind = "stop"
    stop: Ending


class Announcement(Shape):
    event: str
    data: dict[str, Value] = Field(default_factory=dict)


class Emit(_Step):
    kind = "emit"
    emit: Announcement


#: in the order of PROCESS_LANGUAGE 4
KINDS: dict[str, type[_Step]] = {
    step.kind: step for step in (Call, Set, Do, Switch, For, Fork, Try, Wait, Listen, Approve, Run, Raise, Stop, Emit)
}
TAG = "step:"


def kinds_in(keys: Any) -> list[str]:
    """The kinds' keys among a step's keys; the `do` of a `for` belongs to it."""
    found = [kind for kind in KINDS if kind in keys]
    return [kind for kind in found if kind != "do"] if "for" in found else found


def _tag(value: Any) -> str | None:
    if isinstance(value, _Step):
        return TAG + value.kind
    found = kinds_in(value) if isinstance(value, dict) else []
    return TAG + found[0] if len(found) == 1 else None


Step = Annotated[
    Annotated[Call, Tag("step:call")]
    | Annotated[Set, Tag("step:set")]
    | Annotated[Do, Tag("step:do")]
    | Annotated[Switch, Tag("step:switch")]
    | Annotated[For, Tag("step:for")]
    | Annotated[Fork, Tag("step:fork")]
    | Annotated[Try, Tag("step:try")]
    | Annotated[Wait, Tag("step:wait")]
    | Annotated[Listen, Tag("step:listen")]
    | Annotated[Approve, Tag("step:approve")]
    | Annotated[Run, Tag("step:run")]
    | Annotated[Raise, Tag("step:raise")]
    | Annotated[Stop, Tag("step:stop")]
    | Annotated[Emit, Tag("step:emit")],
    Discriminator(_tag),
]
Steps = Annotated[tuple[Step, ...], Field(min_length=1)]

for _shape in (Do, Case, Switch, For, Branch, Branches, Fork, Catch, Try):
    _shape.model_rebuild()
