"""The shape of an action: what it asks, what it answers, what it may do, where it is carried out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

CATALOGUE_VERSION = 1


class Params(BaseModel):
    """Base of all parameters: unknown ones are refused, null counts as left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=65_536)


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


#: what an action would answer, without doing it: (params, names of the scope) → result
Simulate = Callable[[BaseModel, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`needs`: dialog, contact or none — what must be at hand. `heavy`: changes who waits or has room (team locks)."""

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
