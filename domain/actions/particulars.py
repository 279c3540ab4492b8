"""What a dialog or its client is marked with: status, topic, priority, fields, tags, notes; and becoming a ticket."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from domain.actions import capabilities
from domain.actions.fields import (
    Id,
    Json,
    Line,
    Moment,
    Operator,
    People,
    Priority,
    Scope,
    Tag,
    Text,
    TicketStatus,
    TicketType,
    Topic,
)
from domain.actions.manifests import Effect, Manifest, Placement, Result, WriteParams
from domain.dialogs import MOST_MERGED
from domain.tickets import LONGEST_DESCRIPTION

MOST_MENTIONED = 20
MOST_FIELDS = 50
Description = Annotated[Text, StringConstraints(max_length=LONGEST_DESCRIPTION)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,99}$")]


class SetStatus(WriteParams):
    """`until`: when a pending ticket opens again by itself; within a year."""

    status: TicketStatus
    until: Moment | None = None


class SetTopic(WriteParams):
    """Null takes the topic away."""

    topic: Topic | None


class SetPriority(WriteParams):
    priority: Priority


class Previous(Result):
    previous: Any = None


class SetField(WriteParams):
    """`value` null takes the field away."""

    field: FieldName
    value: Json
    scope: Scope = "dialog"


class MarkTag(WriteParams):
    tag: Tag
    scope: Scope = "dialog"


class Changed(Result):
    changed: bool


class ConvertToTicket(WriteParams):
    """`assignee`: an operator's id, or whoever of role:NAME, team:NAME has most room. `fields`: those of its topic."""

    type: TicketType | None = None
    assignee: People | None = None
    priority: Priority | None = None
    fields: Annotated[dict[FieldName, Json], Field(max_length=MOST_FIELDS)] = Field(default_factory=dict)
    subject: Line | None = None
    description: Description | None = None


class Converted(Result):
    ticket_id: str | None = None
    number: int | None = None


class MergeTickets(WriteParams):
    """`tickets` go into the one at hand; with `into`, the one at hand goes into that, together with `tickets`."""

    tickets: Annotated[list[Id], Field(max_length=MOST_MERGED)] = Field(default_factory=list)
    into: Id | None = None
    different_contacts: bool = False


class Merged(Result):
    into: str | None = None
    messages: int = 0
    merged: list[dict[str, Any]] = Field(default_factory=list)


class AddNote(WriteParams):
    text: Text
    mention: Annotated[list[Operator], Field(max_length=MOST_MENTIONED)] = Field(default_factory=list)
    pin: bool = False


class Noted(Result):
    note_id: str | None = None


def _previous(name: str) -> Any:
    return lambda p, names: {"previous": (names.get("dialog") or {}).get(name)}


def _previous_field(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    fields = (names.get(p.scope) or {}).get("fields") or {}
    return {"previous": fields.get(p.field)}


def _tagging(on: bool) -> Any:
    return lambda p, names: {"changed": (p.tag in ((names.get(p.scope) or {}).get("tags") or [])) != on}


def _merge(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    return {"into": p.into or (names.get("dialog") or {}).get("id")}


def _convert(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    dialog = names.get("dialog") or {}
    return {"ticket_id": dialog.get("id"), "number": dialog.get("ticket_number")}


_WRITES: dict[str, Any] = {"effect": Effect.WRITE, "placement": Placement.LOCAL}
_EDITS: dict[str, Any] = {"capability": capabilities.EDIT, **_WRITES}

ACTIONS: tuple[Manifest, ...] = (
    Manifest(
        "set_status", SetStatus, Previous, **_EDITS, heavy=True, can_undo=True, simulate=_previous("status"),
        label={"uk": "Змінити статус", "en": "Set status"}, icon="flag",
    ),
    Manifest(
        "set_topic", SetTopic, Previous, **_EDITS, heavy=True, can_undo=True, simulate=_previous("topic"),
        label={"uk": "Змінити тематику", "en": "Set topic"}, icon="bookmark",
    ),
    Manifest(
        "set_priority", SetPriority, Previous, **_EDITS, can_undo=True, simulate=_previous("priority"),
        label={"uk": "Змінити пріоритет", "en": "Set priority"}, icon="alert-triangle",
    ),
    Manifest(
        "set_field", SetField, Previous, **_EDITS, can_undo=True, simulate=_previous_field, needs="either",
        label={"uk": "Заповнити поле", "en": "Set field"}, icon="edit",
    ),
    Manifest(
        "add_tag", MarkTag, Changed, **_EDITS, can_undo=True, simulate=_tagging(True), needs="either",
        label={"uk": "Додати тег", "en": "Add tag"}, icon="tag",
    ),
    Manifest(
        "remove_tag", MarkTag, Changed, **_EDITS, can_undo=True, simulate=_tagging(False), needs="either",
        label={"uk": "Прибрати тег", "en": "Remove tag"}, icon="tag",
    ),
    Manifest(
        "convert_to_ticket", ConvertToTicket, Converted, **_EDITS, heavy=True, simulate=_convert,
        label={"uk": "Зробити тікетом", "en": "Convert to ticket"}, icon="ticket",
    ),
    Manifest(
        "merge_tickets", MergeTickets, Merged, capability=capabilities.CLOSE, **_WRITES, heavy=True, simulate=_merge,
        label={"uk": "Об'єднати тікети", "en": "Merge tickets"}, icon="git-pull-request",
    ),
    Manifest(
        "add_note", AddNote, Noted, capability=capabilities.NOTE, **_WRITES, can_undo=True,
        simulate=lambda p, names: {"note_id": None},
        label={"uk": "Додати нотатку", "en": "Add note"}, icon="file-text",
    ),
)  # fmt: skip
