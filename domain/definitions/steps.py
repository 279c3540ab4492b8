"""The fourteen kinds of steps. A step is an object with exactly one kind's key; `for` brings its own `do`.

Shorthand is read into its long form: `retry: 3`, `wait: 15m`.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from domain.definitions.scalars import (
    Condition,
    Duration,
    DurationOrExpression,
    Flag,
    Id,
    Key,
    Line,
    Natural,
    Shape,
    Text,
    Value,
    require_one_of,
)
from domain.definitions.step_bodies import Announcement, Ear, Ending, Errand, Failure, Pause, Question, Retry

MOST_BRANCHES = 10
MOST_ROUNDS = 1000
MOST_CONCURRENT_ROUNDS = 10


def _long_retry(value: Any) -> Any:
    return {"max_attempts": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _long_wait(value: Any) -> Any:
    return value if isinstance(value, dict) else {"for": value}


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


_LIST = {"anyOf": [{"type": "array"}, {"type": "string", "pattern": r"\{[{%]"}]}


class Loop(Shape):
    in_: Annotated[Value, WithJsonSchema(_LIST)] = Field(alias="in")
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


class Wait(_Step):
    kind = "wait"
    wait: Annotated[Pause, BeforeValidator(_long_wait, json_schema_input_type=DurationOrExpression | Pause)]


class Listen(_Step):
    kind = "listen"
    listen: Ear


class Approve(_Step):
    kind = "approve"
    approve: Question


class Run(_Step):
    kind = "run"
    run: Errand


class Raise(_Step):
    kind = "raise"
    raise_: Failure = Field(alias="raise")


class Stop(_Step):
    kind = "stop"
    stop: Ending


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
