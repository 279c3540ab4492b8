"""A definition's own tests, as written."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from domain.definitions.scalars import Duration, Id, Key, Line, Shape, Text, Took, Value


class TestEvent(Shape):
    """An event at a moment of the test's clock. Its payload stands beside: `{after: 2h, event: …, text: …}`."""

    __test__ = False
    model_config = ConfigDict(extra="allow")

    after: Duration
    event: str

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Expectation(Shape):
    """What is not said is not compared. `path`: ids of the steps that ran, generated ids left out."""

    status: Literal["succeeded", "skipped", "failed", "cancelled"] | None = None
    error: Key | None = None
    path: tuple[Id, ...] | None = None
    calls: dict[Key, Annotated[int, Field(strict=True, ge=0)]] = Field(default_factory=dict)
    outputs: dict[Id, Value] = Field(default_factory=dict)
    took: Took | None = None
    message: Text | None = None


class TestCase(Shape):
    """`mocks`: step id → its result, or `{error: type}`. Contexts are laid over plausible defaults."""

    __test__ = False

    name: Line
    inputs: dict[Id, Value] = Field(default_factory=dict)
    dialog: dict[str, Value] = Field(default_factory=dict)
    contact: dict[str, Value] = Field(default_factory=dict)
    operator: dict[str, Value] | None = None
    trigger: dict[str, Value] = Field(default_factory=dict)
    mocks: dict[Id, Value] = Field(default_factory=dict)
    events: tuple[TestEvent, ...] = ()
    expect: Expectation
