"""The life of a dialog on its two axes, status and place, and what may follow what."""

from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import DialogClosedError, InvalidError, WrongStatusError


class Kind(StrEnum):
    CHAT = "chat"
    TICKET = "ticket"
    COMMENT = "comment"
    GROUP = "group"


class Status(StrEnum):
    NEW = "new"
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    PENDING = "pending"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Place(StrEnum):
    BOT = "bot"
    UNASSIGNED = "unassigned"
    QUEUED = "queued"
    OWNED = "owned"


#: types a ticket may have
TICKET_TYPES = frozenset({"question", "complaint", "escalation"})

WAITING = frozenset({Place.UNASSIGNED, Place.QUEUED})

CHAT_STATUSES = (Status.NEW, Status.OPEN, Status.CLOSED)
TICKET_STATUSES = (Status.OPEN, Status.IN_PROGRESS, Status.PENDING, Status.RESOLVED, Status.CLOSED)

#: a ticket goes forwards; backwards only by reopening. Closing is a command of its own.
TICKET_TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.IN_PROGRESS, Status.PENDING, Status.RESOLVED}),
    Status.IN_PROGRESS: frozenset({Status.PENDING, Status.RESOLVED}),
    Status.PENDING: frozenset({Status.RESOLVED}),
    Status.RESOLVED: frozenset(),
    Status.CLOSED: frozenset(),
}

#: tickets that go into another one at once
MOST_MERGED = 50
#: a pending ticket opens again by itself within this
LONGEST_PENDING = timedelta(days=366)

#: statuses in which a held dialog fills a slot of its operator
OCCUPYING = frozenset({Status.NEW, Status.OPEN, Status.IN_PROGRESS})


def occupies_slot(status: str) -> bool:
    return status in OCCUPYING


def is_closed(status: str) -> bool:
    return status == Status.CLOSED


def require_open(status: str) -> None:
    """Raises DialogClosedError."""
    if is_closed(status):
        raise DialogClosedError("The dialog is closed: reopen it first.")


def require_status_change(kind: str, before: str, after: str) -> None:
    """Raises WrongStatusError when `after` may not follow `before` by hand."""
    if kind != Kind.TICKET:
        raise WrongStatusError("A chat's status follows from what happens to it; only tickets are set by hand.")
    if after == Status.CLOSED:
        raise WrongStatusError("Close the ticket with its closure instead.")
    if after not in TICKET_STATUSES:
        raise WrongStatusError(f"A ticket has no status {after}.")
    if after not in TICKET_TRANSITIONS.get(Status(before), ()):
        raise WrongStatusError(f"A ticket cannot go from {before} to {after}; backwards only by reopening.")


def require_until(status: str, until: datetime | None, now: datetime) -> None:
    """Raises InvalidError for a moment that a ticket of this status cannot wait until."""
    if until is None:
        return
    if status != Status.PENDING:
        raise InvalidError("Only a pending ticket waits until a moment.", field="until")
    if until.tzinfo is None or not now < until <= now + LONGEST_PENDING:
        raise InvalidError("Say a moment to come, within a year.", field="until")


def status_when_waiting(kind: str, *, ever_owned: bool) -> Status:
    """The status of a dialog that stands in no operator's hands."""
    return Status.OPEN if kind == Kind.TICKET or ever_owned else Status.NEW


def place_when_waiting(*, auto: bool) -> Place:
    """Automatic teams queue, manual ones keep a list of unassigned dialogs (P87)."""
    return Place.QUEUED if auto else Place.UNASSIGNED
