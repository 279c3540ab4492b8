"""The shape of an action: what it asks, what it answers, what it may do, where it is carried out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

CATALOGUE_VERSION = 1


class Params(BaseModel):
    """Base of all parameters: unknown ones are refused, null counts as left out, a number will do for a text."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_max_length=65_536, coerce_numbers_to_str=True, populate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        must = {f.alias or name for name, f in cls.model_fields.items() if f.is_required()}
        return {name: value for name, value in given.items() if value is not None or name in must}


class WriteParams(Params):
    """`if_unchanged`: refuse with `conflict` when the dialog has changed since the definition last saw it."""

    if_unchanged: bool = False


class Result(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Effect(StrEnum):
    READ = "read"
    WRITE = "write"
    SEND = "send"
    EXTERNAL = "external"


class Placement(StrEnum):
    """LOCAL: one transaction with its ledger row. OUTSIDE: a call that leaves the house. SEND: a message to a client.
    NONE: nothing but a trace.
    """

    LOCAL = "local"
    OUTSIDE = "outside"
    SEND = "send"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Retry:
    """`max_attempts` counts the first one; `initial` and `longest` in seconds; `on`: error types tried again."""

    max_attempts: int = 1
    initial: float = 1.0
    factor: float = 2.0
    longest: float = 60.0
    on: frozenset[str] = frozenset({"unavailable", "timeout", "rate_limited", "conflict"})

    def pause_after(self, attempt: int) -> float:
        """Seconds to wait after the n-th attempt (from 1)."""
        return min(self.longest, self.initial * self.factor ** (attempt - 1))


#: what an action would answer, without doing it: (params, names of the scope) → result. Raises StepError where it
#: would be refused for what the scope tells.
Simulate = Callable[[BaseModel, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`needs`: dialog, contact, either of them, or none — what must be at hand. `heavy`: changes who waits or has room
    (team locks). `capability` of `http` goes with the connection's name: `http:core-banking`.
    """

    name: str
    params: type[BaseModel]
    result: type[BaseModel]
    effect: Effect
    capability: str
    placement: Placement
    simulate: Simulate
    label: Mapping[str, str] = field(default_factory=dict)
    icon: str = "bolt"
    needs: str = "dialog"
    heavy: bool = False
    can_undo: bool = False
    macros_only: bool = False
    timeout: timedelta = timedelta(seconds=30)
    retry: Retry = Retry(max_attempts=3)
