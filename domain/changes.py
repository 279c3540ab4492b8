"""The change log of a dialog, told by its facts: which field was what, and what it became (P43)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.events import Fact

#: fields that hold people, by their ids
PEOPLE = frozenset({"assignee", "watchers", "participants"})
#: what goes with a dialog's texts: who may not read these is told that it changed, not from what into what
_SAID = frozenset({"subject", "description"})
FIELDS = "fields."


@dataclass(frozen=True, slots=True)
class Change:
    """One field. Own fields are told as `fields.KEY`; of what there are several (tags, people), the one that came or
    went.
    """

    field: str
    old: Any
    new: Any

    @property
    def is_text(self) -> bool:
        return self.field in _SAID or self.field.startswith(FIELDS)


@dataclass(frozen=True, slots=True)
class Told:
    """An event, as far as it tells of changes. `person`: whom it concerns."""

    kind: str
    person: UUID | None
    data: Mapping[str, Any]

    def side(self, name: str) -> Mapping[str, Any]:
        inner = self.data.get(name)
        return inner if isinstance(inner, Mapping) else {}

    @property
    def who(self) -> str | None:
        return str(self.person) if self.person else None


def changes_of(told: Told) -> list[Change]:
    """What the event changed; nothing where it tells of no field, or of none that differs."""
    reader = _READERS.get(told.kind)
    return [one for one in reader(told) if one.old != one.new] if reader else []


def _plain(told: Told) -> Iterator[Change]:
    before, after = told.side("before"), told.side("after")
    for name in ("kind", "status", "priority", "topic", "team", "subject", "description", "pending_until"):
        if name in before or name in after:
            yield Change(name, before.get(name), after.get(name))
    if "operator" in before and "operator" in after:
        yield Change("assignee", before["operator"], after["operator"])
    old, new = before.get("fields"), after.get("fields")
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield Change(FIELDS + key, old.get(key), new.get(key))


def _assigned(told: Told) -> Iterator[Change]:
    yield Change("assignee", told.side("before").get("operator"), told.who)


def _came(field: str) -> Callable[[Told], Iterator[Change]]:
    def read(told: Told) -> Iterator[Change]:
        yield Change(field, None, told.who)

    return read


def _went(field: str) -> Callable[[Told], Iterator[Change]]:
    def read(told: Told) -> Iterator[Change]:
        yield Change(field, told.who, None)

    return read


def _tagged(told: Told) -> Iterator[Change]:
    yield Change("tags", None, told.data.get("tag"))


def _untagged(told: Told) -> Iterator[Change]:
    yield Change("tags", told.data.get("tag"), None)


def _created(told: Told) -> Iterator[Change]:
    yield Change("number", None, told.data.get("number"))


def _merged(told: Told) -> Iterator[Change]:
    """On the one that is gone `into`, on the one that stays `from`."""
    yield Change("merged_into", None, told.data.get("into"))
    yield Change("merged_from", None, told.data.get("from"))


_READERS: Mapping[str, Callable[[Told], Iterator[Change]]] = {
    **dict.fromkeys(
        (
            Fact.DIALOG_CLOSED, Fact.DIALOG_REOPENED, Fact.DIALOG_CONVERTED, Fact.DIALOG_PRIORITY_CHANGED,
            Fact.DIALOG_TOPIC_CHANGED, Fact.DIALOG_TEAM_CHANGED, Fact.TICKET_UPDATED, Fact.TICKET_STATUS_CHANGED,
            Fact.TICKET_REOPENED, Fact.TICKET_CLOSED,
        ),
        _plain,
    ),
    Fact.DIALOG_ASSIGNED: _assigned,
    Fact.DIALOG_UNASSIGNED: _went("assignee"),
    Fact.DIALOG_TAGGED: _tagged,
    Fact.DIALOG_UNTAGGED: _untagged,
    Fact.DIALOG_MERGED: _merged,
    Fact.PARTICIPANT_ADDED: _came("participants"),
    Fact.PARTICIPANT_REMOVED: _went("participants"),
    Fact.WATCHER_ADDED: _came("watchers"),
    Fact.WATCHER_REMOVED: _went("watchers"),
    Fact.TICKET_CREATED: _created,
}  # fmt: skip
#: the facts that tell of changes
KINDS = frozenset(str(kind) for kind in _READERS)
