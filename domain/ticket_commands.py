"""Commands about what a ticket says of itself, who watches, and several tickets that are one.

As of all commands: fields only get added.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Watch:
    """Somebody, perhaps the caller, is told of every change from now on."""

    user_id: UUID
    kind: Literal["watch"] = "watch"


@dataclass(frozen=True, slots=True)
class Unwatch:
    user_id: UUID
    kind: Literal["unwatch"] = "unwatch"


@dataclass(frozen=True, slots=True)
class Merge:
    """The named tickets become part of this one and close."""

    tickets: tuple[UUID, ...]
    different_contacts: bool = False
    kind: Literal["merge"] = "merge"


@dataclass(frozen=True, slots=True)
class Describe:
    """Change what a ticket says of itself: `subject`, `description`; null takes one away."""

    changes: dict[str, str | None]
    kind: Literal["describe"] = "describe"
