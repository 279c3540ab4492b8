"""A workflow's history told as a plain timeline: what, when, by whom, why; newest first.

Events are read in falling order. What belongs together (a command and its transaction, a wait and its end, a delivery
and its tries) is one line, placed where its newest event stands, and given out once all its events were read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

HIDDEN = "[hidden]"
#: fields that hold what people wrote
_TEXTS = frozenset({"text", "note", "body", "html", "subject", "description", "caption"})
#: fields of failures that quote their surroundings
_QUOTES = frozenset({"stack_trace", "encoded_attributes"})

UPDATE_ACCEPTED = "workflow_execution_update_accepted"
UPDATE_COMPLETED = "workflow_execution_update_completed"
MARKER = "marker_recorded"

#: kind of event → the field that names the event it follows from
FOLLOWS: dict[str, str] = {
    UPDATE_COMPLETED: "accepted_event_id",
    **{f"activity_task_{end}": "scheduled_event_id"
       for end in ("started", "completed", "failed", "timed_out", "cancel_requested", "canceled")},
    **{f"timer_{end}": "started_event_id" for end in ("fired", "canceled")},
    **{f"child_workflow_execution_{end}": "initiated_event_id"
       for end in ("started", "completed", "failed", "canceled", "timed_out", "terminated")},
    "start_child_workflow_execution_failed": "initiated_event_id",
    "external_workflow_execution_signaled": "initiated_event_id",
    "signal_external_workflow_execution_failed": "initiated_event_id",
    "external_workflow_execution_cancel_requested": "initiated_event_id",
    "request_cancel_external_workflow_execution_failed": "initiated_event_id",
}  # fmt: skip
#: the engine's own turns: they say nothing unless one fails
TURNS = frozenset({"workflow_task_scheduled", "workflow_task_started", "workflow_task_completed"})


class Category(StrEnum):
    COMMAND = "command"
    REFUSED = "refused"
    FACT = "fact"
    WAIT = "wait"
    DELIVERY = "delivery"
    CHILD = "child"
    FAILURE = "failure"
    PLATFORM = "platform"


#: event ids begin at 1
_ITS_BEGINNING = 0
#: what is told unless all is asked for
TOLD = frozenset(Category) - {Category.PLATFORM}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a history, decoded. `kind` is the engine's name of it; `update_id`: the command it belongs to."""

    id: int
    at: datetime
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    summary: str | None = None
    update_id: str | None = None

    @property
    def follows(self) -> int:
        """The event that began what this one goes on with: itself when it begins something."""
        name = FOLLOWS.get(self.kind)
        return int(self.facts.get(name) or self.id) if name else self.id


@dataclass(frozen=True, slots=True)
class By:
    """Who caused a line. kind: user, clock (a wait that ended), system."""

    kind: str
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `at` is when it ended or last moved, `took` how long it lasted; `code` names it for
    programs, domain/sentences.py says it in words. `first`..`last` are its events. `facts` are what it brought up.
    """

    at: datetime
    began_at: datetime
    run_id: str
    first: int
    last: int
    category: Category
    code: str
    by: By
    outcome: str
    why: str | None = None
    took: timedelta | None = None
    attempts: int | None = None
    facts: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """Events that are one line. `lacks` are the events still to be read before it is whole."""

    events: list[Event]
    lacks: set[int] = field(default_factory=set)
    began_at: datetime | None = None

    def find(self, *kinds: str) -> Event | None:
        return next((e for e in self.events if e.kind in kinds), None)


class Grouping:
    """Sorts the events of one run, read newest first, into groups in the order of their newest events.

    `told` are older events that an earlier page has already told as part of newer groups.
    """

    def __init__(self, told: Iterable[int] = ()) -> None:
        self._told = frozenset(told)
        self._order: list[Group] = []
        self._open: dict[int | str, Group] = {}
        self._witnesses: dict[int, list[Group]] = {}

    def read(self, event: Event) -> None:
        for group in self._witnesses.pop(event.id, ()):
            group.began_at = event.at
            group.lacks.discard(event.id)
        if event.id in self._told or event.kind in TURNS:
            return
        key = self._key_of(event)
        if key is None:
            self._order.append(Group([event]))
            return
        group = self._open.get(key) or self._begin(key)
        group.events.append(event)
        if event.kind == UPDATE_ACCEPTED or event.kind not in (MARKER, *FOLLOWS):
            self._close(key, group, event)

    def _begin(self, key: int | str) -> Group:
        group = self._open[key] = Group([], {_ITS_BEGINNING})
        self._order.append(group)
        return group

    def _key_of(self, event: Event) -> int | str | None:
        """What joins an event to its group; None when it stands alone."""
        if event.kind in (MARKER, UPDATE_ACCEPTED, UPDATE_COMPLETED):
            return event.update_id
        if event.kind in FOLLOWS:
            return event.follows
        return event.id if event.id in self._open else None

    def _close(self, key: int | str, group: Group, opener: Event) -> None:
        del self._open[key]
        group.lacks.discard(_ITS_BEGINNING)
        asked = int(opener.facts.get("accepted_request_sequencing_event_id") or 0)
        if opener.kind == UPDATE_ACCEPTED and 0 < asked < opener.id:
            group.lacks.add(asked)
            self._witnesses.setdefault(asked, []).append(group)

    def take_whole(self, *, is_all_read: bool = False) -> list[Group]:
        """Hand out the newest groups that are whole; a whole one behind one that is not waits for its turn."""
        count = 0
        while count < len(self._order) and (is_all_read or not self._order[count].lacks):
            count += 1
        whole, self._order = self._order[:count], self._order[count:]
        return whole


def without_texts(value: Any) -> Any:
    """The same value with everything people wrote hidden."""
    if isinstance(value, dict):
        if value.get("kind") == "decline" and value.get("reason"):
            value = {**value, "reason": HIDDEN}
        return {key: _hidden(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_texts(inner) for inner in value]
    return value


def _hidden(key: str, value: Any) -> Any:
    if key in _QUOTES:
        return None
    if key in _TEXTS and value is not None and not isinstance(value, bool):
        return HIDDEN
    if key == "fields" and isinstance(value, dict):
        return dict.fromkeys(value, HIDDEN)
    if key == "message" and isinstance(value, str):
        head, quote, _ = value.partition("input_value=")
        return head + quote + HIDDEN if quote else value
    return without_texts(value)
