"""What there is in one installation, as far as definitions refer to it. Filled by the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.actions.fields import PRIORITIES
from domain.definitions.canonical import from_canonical
from domain.definitions.places import Path
from domain.definitions.surveys import steps_of
from domain.dialogs import TICKET_TYPES

DEEPEST_CHAIN = 3


@dataclass(frozen=True, slots=True)
class Reference:
    """A thing of the installation that a definition names. `kind` as in `x-reference` of the actions' parameters;
    `new_tag`: a tag that is made when it is missing.
    """

    kind: str
    key: str
    path: Path
    version: int | str | None = None


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """`inputs`: name → whether a launch must give it. `runs`: the definitions its steps start, with their versions."""

    inputs: Mapping[str, bool] = field(default_factory=dict)
    runs: tuple[tuple[str, int | str], ...] = ()

    @classmethod
    def of(cls, canonical: dict[str, Any]) -> "KnownVersion":
        definition = from_canonical(canonical)
        inputs = {name: one.required and one.default is None for name, one in definition.inputs.items()}
        errands = [visit.step.run for visit in steps_of(definition) if visit.step.kind == "run"]
        return cls(inputs, tuple((errand.name, errand.version) for errand in errands))


@dataclass(frozen=True, slots=True)
class KnownDefinition:
    """kind: process, macro or blueprint. `versions` holds at least those that others may start."""

    kind: str
    active: int | None = None
    latest: int = 0
    versions: Mapping[int, KnownVersion] = field(default_factory=dict)

    def pinned(self, version: int | str) -> int | None:
        """The version a reference means: the active one, else the newest."""
        if isinstance(version, int):
            return version if 1 <= version <= self.latest else None
        return self.active or self.latest or None


@dataclass(frozen=True, slots=True)
class World:
    """Keys, unless said otherwise. `users`: ids and e-mail addresses. `blueprints`: (name, version) → canonical."""

    teams: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    quick_replies: frozenset[str] = frozenset()
    templates: frozenset[str] = frozenset()
    connections: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    ticket_types: frozenset[str] = TICKET_TYPES
    priorities: frozenset[str] = frozenset(PRIORITIES)
    calendars: frozenset[str] = frozenset()
    definitions: Mapping[str, KnownDefinition] = field(default_factory=dict)
    blueprints: Mapping[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
