"""Closed lists of names: events, selectable fields, roles of names in expressions; and which known name was meant."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from domain.dialogs import Kind, Place, Status
from domain.events import Fact
from domain.expressions import suggestions

#: what other systems call a step kind
FOREIGN_KINDS: Mapping[str, str] = {
    "parallel": "fork", "delay": "wait", "sleep": "wait", "for_each": "for", "foreach": "for", "loop": "for",
    "repeat": "for", "each": "for", "wait_for": "listen", "choose": "switch", "choice": "switch", "case": "switch",
    "match": "switch", "fail": "raise", "error": "raise", "throw": "raise", "action": "call", "service": "call",
    "task": "call", "steps": "do", "sequence": "do", "block": "do", "exit": "stop", "end": "stop", "return": "stop",
    "event": "emit", "publish": "emit", "subprocess": "run", "workflow": "run", "approval": "approve",
    "assign": "set", "variables": "set",
}  # fmt: skip

#: name in expressions → all it may hold
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "dialog.status": tuple(Status), "dialog.kind": tuple(Kind), "dialog.place": tuple(Place),
}  # fmt: skip

#: what other systems, or people in a hurry, call a key
FOREIGN_KEYS: Mapping[str, str] = {
    "steps": "do", "actions": "do", "tasks": "do", "sequence": "do", "variables": "vars", "params": "with",
    "parameters": "inputs", "description": "summary", "desc": "summary", "condition": "if", "when": "if",
    "trigger": "triggers", "on": "triggers", "case": "when", "cases": "switch", "default": "else", "each_item": "each",
    "items": "in", "list": "in", "as": "each", "index": "at", "limit": "max", "rescue": "catch", "ensure": "finally",
    "attempts": "max_attempts", "until_event": "to", "event": "to", "args": "with", "arguments": "with", "data": "with",
    "comment": "note", "name": "title", "roles": "launch",
}  # fmt: skip

#: kinds of channels: where a channel is named, a kind means the contact's last used one of it (DECISIONS 37)
CHANNEL_KINDS: frozenset[str] = frozenset(
    ["telegram", "viber", "whatsapp", "facebook", "instagram", "email", "sms", "widget", "generic", "phone", "comments"]
)

#: the catalogue of DECISIONS 39
_CATALOGUE = frozenset({
    "dialog.opened", "dialog.queued", "dialog.assigned", "dialog.unassigned", "dialog.closed", "dialog.reopened",
    "dialog.converted", "dialog.merged", "dialog.topic_changed", "dialog.tagged", "dialog.untagged",
    "ticket.created", "ticket.updated", "ticket.status_changed", "ticket.reassigned", "ticket.reopened",
    "ticket.closed", "message.received", "message.sent", "message.failed", "message.unknown", "note.added",
    "transfer.offered", "transfer.accepted", "transfer.declined", "transfer.cancelled", "transfer.rescinded",
    "transfer.expired", "sla.warned", "sla.breached", "csat.asked", "csat.received", "csat.corrected",
    "operator.online", "operator.offline", "operator.absent", "run.started", "run.finished",
})  # fmt: skip
#: facts of the audit, not of the contact centre's day
_INTERNAL = ("settings.", "user.", "distribution.", "definition.", "connection.", "secret.")

EVENTS: frozenset[str] = _CATALOGUE | {str(fact) for fact in Fact if not str(fact).startswith(_INTERNAL)}
CUSTOM = "custom."
LONGEST_NAME = 60
MOST_KNOWN = 300


def closest(name: object, known: Iterable[str]) -> str | None:
    """The known name that was probably meant; among more than MOST_KNOWN nobody looks."""
    names = tuple(known)
    if not isinstance(name, str) or len(name) > LONGEST_NAME or len(names) > MOST_KNOWN:
        return None
    return _closest(name.lower(), names)


@lru_cache(maxsize=1024)
def _closest(name: str, known: tuple[str, ...]) -> str | None:
    by_lower = {one.lower(): one for one in known}
    found = suggestions.closest(name, by_lower)
    return by_lower[found] if found else None


def is_event(name: str) -> bool:
    return name in EVENTS or (name.startswith(CUSTOM) and len(name) > len(CUSTOM))
