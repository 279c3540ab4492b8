"""What people ask of a dialog or an offer, as values. They travel in workflow updates: fields only get added,
each new one with a default that old histories decode to.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import Discriminator

from domain.ticket_commands import Describe as Describe
from domain.ticket_commands import Merge as Merge
from domain.ticket_commands import Unwatch as Unwatch
from domain.ticket_commands import Watch as Watch


@dataclass(frozen=True, slots=True)
class Say:
    """A reply to the client, or a note the client never sees."""

    text: str
    mode: Literal["reply", "note"] = "reply"
    attachments: tuple[UUID, ...] = ()
    kind: Literal["say"] = "say"


@dataclass(frozen=True, slots=True)
class Take:
    over_limit: bool = False
    kind: Literal["take"] = "take"


@dataclass(frozen=True, slots=True)
class Assign:
    operator_id: UUID
    kind: Literal["assign"] = "assign"


@dataclass(frozen=True, slots=True)
class Unassign:
    """Give the dialog back to its team's pool."""

    kind: Literal["unassign"] = "unassign"


@dataclass(frozen=True, slots=True)
class Close:
    """`silent`: the client is not asked for a score."""

    note: str | None = None
    silent: bool = False
    kind: Literal["close"] = "close"


@dataclass(frozen=True, slots=True)
class Reopen:
    kind: Literal["reopen"] = "reopen"


@dataclass(frozen=True, slots=True)
class Connect:
    """Bots and integrations hand a dialog to people (DECISIONS 17)."""

    topic: str | None = None
    team: str | None = None
    weight: int | None = None
    place: Literal["auto", "queue"] = "auto"
    operator_id: UUID | None = None
    kind: Literal["connect"] = "connect"


@dataclass(frozen=True, slots=True)
class Transfer:
    """`topic`: what it is about from now on; only with a team."""

    to_operator: UUID | None = None
    to_team: str | None = None
    note: str | None = None
    topic: str | None = None
    kind: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True)
class Accept:
    kind: Literal["accept"] = "accept"


@dataclass(frozen=True, slots=True)
class Decline:
    reason: str | None = None
    kind: Literal["decline"] = "decline"


@dataclass(frozen=True, slots=True)
class Cancel:
    kind: Literal["cancel"] = "cancel"


@dataclass(frozen=True, slots=True)
class AddParticipant:
    user_id: UUID
    kind: Literal["add_participant"] = "add_participant"


@dataclass(frozen=True, slots=True)
class RemoveParticipant:
    user_id: UUID
    kind: Literal["remove_participant"] = "remove_participant"


@dataclass(frozen=True, slots=True)
class SetTopic:
    topic: str | None
    kind: Literal["set_topic"] = "set_topic"


@dataclass(frozen=True, slots=True)
class AddTag:
    tag: str
    kind: Literal["add_tag"] = "add_tag"


@dataclass(frozen=True, slots=True)
class RemoveTag:
    tag: str
    kind: Literal["remove_tag"] = "remove_tag"


@dataclass(frozen=True, slots=True)
class SetPriority:
    """`priority`: a key of the table of priorities."""

    priority: str
    kind: Literal["set_priority"] = "set_priority"


@dataclass(frozen=True, slots=True)
class SetStatus:
    """`until`: when a pending ticket is to open again by itself."""

    status: str
    until: datetime | None = None
    kind: Literal["set_status"] = "set_status"


@dataclass(frozen=True, slots=True)
class Convert:
    """Make a chat a ticket. `assignee`: an operator's id, role:NAME or team:NAME; None: whoever holds it."""

    ticket_type: str | None = None
    assignee: str | None = None
    priority: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    subject: str | None = None
    description: str | None = None
    kind: Literal["convert"] = "convert"


@dataclass(frozen=True, slots=True)
class SetFields:
    """Merged into the dialog's own fields; null takes one away."""

    fields: dict[str, Any]
    kind: Literal["set_fields"] = "set_fields"


Command = Annotated[
    Say | Take | Assign | Unassign | Close | Reopen | Connect | Transfer | Accept | Decline | Cancel
    | AddParticipant | RemoveParticipant | SetTopic | AddTag | RemoveTag | SetPriority | SetStatus
    | Convert | SetFields | Describe | Watch | Unwatch | Merge,
    Discriminator("kind"),
]  # fmt: skip

KINDS = frozenset(str(c.__dataclass_fields__["kind"].default) for c in get_args(get_args(Command)[0]))

#: commands that are spoken to an offer's workflow; all others go to the dialog's
#: commands that make something: their answer is 201
CREATING = frozenset({"say", "transfer"})
TO_OFFER = frozenset({"accept", "decline", "cancel"})


@dataclass(frozen=True, slots=True)
class Request:
    """One command of one caller: (caller, key) makes it happen once; `digest` unmasks another one under its key."""

    caller: UUID
    key: str
    digest: str
    dialog_id: UUID
    command: Command
    transfer_id: UUID | None = None
    address: str | None = None

    @property
    def update_id(self) -> str:
        """The digest is part of it: Temporal answers a repeated id without looking at what was asked."""
        return f"{self.caller}:{self.key}:{self.digest[:16]}"


@dataclass(frozen=True, slots=True)
class Reaction:
    """An open row of the reactions table: what a committed transaction wants a workflow to do."""

    id: int
    kind: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command: its answer, or the refusal as code, detail and extra facts."""

    status: int
    answer: dict[str, Any]
    refusal: str | None = None
    reactions: tuple[Reaction, ...] = ()
    is_repeated: bool = False
    """Told from the stored answer: the first telling may have been lost, its reactions with it."""


@dataclass(frozen=True, slots=True)
class Glance:
    """A workflow asks for its open rows. `run_id` is given once per run and writes the run into the list of runs."""

    workflow_id: str
    run_id: str | None = None
    done: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """`is_closed`: the dialog is closed. `deadline`, `state`: of an offer."""

    reactions: tuple[Reaction, ...] = ()
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class DialogStart:
    dialog_id: UUID


@dataclass(frozen=True, slots=True)
class TransferStart:
    transfer_id: UUID
    dialog_id: UUID


@dataclass(frozen=True, slots=True)
class PresenceStart:
    operator_id: UUID


@dataclass(frozen=True, slots=True)
class OfferLook:
    transfer_id: UUID
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class OfferSeen:
    """`remaining` seconds to the deadline by the database's clock; zero once the offer has ended."""

    state: str
    remaining: float


@dataclass(frozen=True, slots=True)
class PresenceLook:
    operator_id: UUID
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class PresenceSeen:
    """Look again in `after` seconds; None: nothing left to wait for."""

    after: float | None


@dataclass(frozen=True, slots=True)
class ClocksStart:
    dialog_id: UUID


@dataclass(frozen=True, slots=True)
class ClocksLook:
    """`run_id` is given once per run and writes the run into the list of runs."""

    dialog_id: UUID
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClocksSeen:
    """Look again in `after` seconds by the database's clock; None: no clock runs."""

    after: float | None
