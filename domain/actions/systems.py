"""Calls that leave the house, own events, and lines of the trace."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from domain.actions import capabilities
from domain.actions.fields import Connection, Json, Text
from domain.actions.manifests import Effect, Manifest, Params, Placement, Result, Retry

MOST_PICKED = 50
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Way = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Http(Params):
    """`path` below the connection's base address. `expect`: statuses that are no error. `pick`: name → where it stands,
    as body.items[0].state, headers.etag, status_code. `idempotent`: may be repeated, the far end knows our key.
    """

    connection: Connection
    method: Method
    path: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    query: Annotated[dict[str, Json], Field(max_length=MOST_PICKED)] = Field(default_factory=dict)
    headers: Annotated[dict[str, str], Field(max_length=MOST_PICKED)] = Field(default_factory=dict)
    body: Json = None
    expect: Annotated[list[Annotated[int, Field(ge=100, le=599)]], Field(min_length=1, max_length=50)] = Field(
        default_factory=lambda: [200]
    )
    pick: Annotated[dict[Name, Way], Field(max_length=MOST_PICKED)] = Field(default_factory=dict)
    idempotent: bool = False


class Answered(Result):
    status: int


class AskAi(Params):
    """`schema_`: what the answer must look like. Without `text` it reads the dialog."""

    task: Literal["classify", "extract", "summarize", "translate", "reply", "custom"]
    text: Text | None = None
    instructions: Text | None = None
    schema_: Annotated[dict[str, Json] | None, Field(alias="schema")] = None
    knowledge: Annotated[str, Field(max_length=200)] | None = None
    model: Annotated[str, Field(max_length=200)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=8192)] | None = None


class Emit(Params):
    """Carries out the step `emit`: an event of one's own."""

    event: Annotated[str, StringConstraints(pattern=r"^custom\.[A-Za-z][A-Za-z0-9_.-]{0,99}$")]
    data: dict[str, Json] = Field(default_factory=dict)


class Log(Params):
    text: Text
    level: Literal["info", "warning", "error"] = "info"


def _http(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": p.expect[0], **dict.fromkeys(p.pick)}


def _ask(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(p.schema_) if p.schema_ else {"text": "…"}


ACTIONS: tuple[Manifest, ...] = (
    Manifest(
        "http", Http, Answered, Effect.EXTERNAL, capabilities.HTTP, Placement.OUTSIDE, _http, needs="none",
        retry=Retry(max_attempts=3, on=frozenset({"unavailable", "timeout", "rate_limited"})),
        label={"uk": "Запит до зовнішньої системи", "en": "Call another system"}, icon="globe",
    ),
    Manifest(
        "ask_ai", AskAi, Result, Effect.EXTERNAL, capabilities.AI, Placement.OUTSIDE, _ask, needs="none",
        timeout=timedelta(seconds=60), retry=Retry(max_attempts=3, on=frozenset({"unavailable", "rate_limited"})),
        label={"uk": "Запитати помічника", "en": "Ask the assistant"}, icon="cpu",
    ),
    Manifest(
        "emit", Emit, Result, Effect.WRITE, capabilities.NOTHING, Placement.LOCAL, lambda p, names: {}, needs="none",
        label={"uk": "Власна подія", "en": "Emit an event"}, icon="radio",
    ),
    Manifest(
        "log", Log, Result, Effect.READ, capabilities.NOTHING, Placement.NONE, lambda p, names: {}, needs="none",
        retry=Retry(), label={"uk": "Запис у журнал", "en": "Log"}, icon="terminal",
    ),
)  # fmt: skip
