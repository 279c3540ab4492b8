"""The facts of a dialog in plain words, for its timeline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.clocks.sentences import SENTENCES, Fired
from domain.events import Fact
from domain.tickets import spoken

#: facts that a message's own line in the timeline tells already
TOLD_BY_MESSAGES = frozenset({Fact.MESSAGE_RECEIVED, Fact.MESSAGE_QUEUED, Fact.MESSAGE_SENT, Fact.NOTE_ADDED})


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact with its names filled in. `operator`: whom it concerns, `actor`: who caused it.

    What clocks did is told in `language` (en, uk), with moments in `zone`.
    """

    kind: str
    actor: str
    operator: str
    team: str
    data: Mapping[str, Any]
    at: datetime | None = None
    language: str = "en"
    zone: str = "UTC"

    def of(self, side: str, what: str) -> Any:
        """`before` or `after` of one field."""
        inner = self.data.get(side)
        return inner.get(what) if isinstance(inner, Mapping) else None

    def change(self, what: str) -> str:
        return f"{self.of('before', what) or 'none'} → {self.of('after', what) or 'none'}"

    @property
    def why(self) -> str:
        cause = self.data.get("cause")
        return f" ({str(cause).replace('_', ' ')})" if cause else ""


def sentence(entry: Entry) -> str:
    """What happened, in words; a kind nobody has words for is told by its name."""
    if (of_clock := SENTENCES.get(entry.kind)) is not None:
        return of_clock(Fired(entry.data, entry.at, entry.operator, entry.language, entry.zone))
    words = _WORDS.get(entry.kind)
    return words(entry) if words else entry.kind.replace(".", " ").replace("_", " ")


def _offer(verb: str) -> Callable[[Entry], str]:
    def words(e: Entry) -> str:
        reason = e.data.get("reason")
        return f"The offer to {e.operator} {verb}" + (f": {str(reason).replace('_', ' ')}." if reason else ".")

    return words


def _spoken(number: Any) -> str:
    return spoken(number) if isinstance(number, int) else str(number)


def _listed(e: Entry, name: str) -> str:
    return ", ".join(map(str, e.data.get(name) or ())) or "none"


_WORDS: dict[str, Callable[[Entry], str]] = {
    Fact.DIALOG_OPENED: lambda e: (
        f"{e.actor} opened the ticket." if e.data.get("kind") == "ticket" else "The client opened the dialog."
    ),
    Fact.DIALOG_QUEUED: lambda e: (
        f"It waits in {e.team}{', by hand' if e.of('after', 'place') == 'unassigned' else ', in the queue'}{e.why}."
    ),
    Fact.DIALOG_ASSIGNED: lambda e: f"It went to {e.operator}{e.why}.",
    Fact.DIALOG_UNASSIGNED: lambda e: f"It left {e.operator}{e.why}.",
    Fact.DIALOG_CLOSED: lambda e: f"{e.actor} closed it.",
    Fact.DIALOG_REOPENED: lambda e: f"{e.actor} reopened it.",
    Fact.DIALOG_TOPIC_CHANGED: lambda e: f"{e.actor} changed the topic: {e.change('topic')}.",
    Fact.DIALOG_TEAM_CHANGED: lambda e: f"{e.actor} moved it to another team: {e.change('team')}.",
    Fact.DIALOG_PRIORITY_CHANGED: lambda e: f"{e.actor} changed the priority: {e.change('priority')}.",
    Fact.DIALOG_TAGGED: lambda e: f"{e.actor} added the tag {e.data.get('tag')}.",
    Fact.DIALOG_UNTAGGED: lambda e: f"{e.actor} removed the tag {e.data.get('tag')}.",
    Fact.DIALOG_CHANGED: lambda e: f"{e.actor} changed fields: {_listed(e, 'fields')}.",
    Fact.DIALOG_CONVERTED: lambda e: f"{e.actor} made it a ticket.",
    Fact.DIALOG_MERGED: lambda e: (
        f"{e.actor} merged it into ticket {_spoken(e.data.get('into_number'))}."
        if e.data.get("into")
        else f"{e.actor} merged ticket {_spoken(e.data.get('from_number', '…'))} into it."
    ),
    Fact.TICKET_CREATED: lambda e: f"It is ticket {_spoken(e.data.get('number'))} now.",
    Fact.TICKET_UPDATED: lambda e: f"{e.actor} changed fields: {_listed(e, 'fields')}.",
    Fact.WATCHER_ADDED: lambda e: f"{e.operator} watches it now.",
    Fact.WATCHER_REMOVED: lambda e: f"{e.operator} no longer watches it.",
    Fact.NOTE_REMOVED: lambda e: f"{e.actor} took a note back.",
    Fact.CSAT_ASKED: lambda e: "The client was asked for a score.",
    Fact.CSAT_RECEIVED: lambda e: f"The client gave the score {e.data.get('score')}.",
    Fact.NOTICE_SENT: lambda e: f"{e.actor} told {e.data.get('count')} about it.",
    Fact.PARTICIPANT_ADDED: lambda e: f"{e.actor} brought in {e.operator}.",
    Fact.PARTICIPANT_REMOVED: lambda e: f"{e.operator} is no longer taking part.",
    Fact.TICKET_STATUS_CHANGED: lambda e: f"{e.actor} set the status: {e.change('status')}.",
    Fact.TICKET_REASSIGNED: lambda e: (
        f"{e.actor} reassigned the ticket to {e.operator}."
        if e.of("after", "operator")
        else f"{e.actor} gave the ticket back to {e.team}."
    ),
    Fact.TICKET_REOPENED: lambda e: f"{e.actor} reopened the ticket.",
    Fact.TICKET_CLOSED: lambda e: f"{e.actor} closed the ticket.",
    Fact.MESSAGE_FAILED: lambda e: "A reply could not be delivered.",
    Fact.MESSAGE_UNKNOWN: lambda e: "Whether a reply was delivered is not known: the provider's answer was lost.",
    Fact.TRANSFER_OFFERED: lambda e: f"{e.actor} offered it to {e.operator}.",
    Fact.TRANSFER_ACCEPTED: lambda e: f"{e.operator} accepted it.",
    Fact.TRANSFER_DECLINED: _offer("was declined"),
    Fact.TRANSFER_CANCELLED: _offer("was cancelled"),
    Fact.TRANSFER_RESCINDED: _offer("was rescinded"),
    Fact.TRANSFER_EXPIRED: _offer("expired"),
}
ACTORS = {"client": "The client", "system": "The system", "process": "A process", "user": "Somebody"}
