"""The names a walk's expressions read (PROCESS_LANGUAGE 8.4), and who may change them.

Branches of a fork and concurrent rounds of a loop each work on a copy taken when they start; copies are joined in the
order they were declared. So what a branch reads never depends on how far its neighbours are.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from domain.expressions.values import parse_moment
from domain.walks.contexts import CONTACT, CONTACT_CHANNEL, DIALOG, OPERATOR, RUN
from domain.walks.ports import Brief, Snapshot, StepError
from domain.walks.sizes import MOST_VARS, size_of


def _moments(context: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name, kind in context.items() if kind == "moment")


_DIALOG, _CONTACT, _OPERATOR, _RUN = (_moments(context) for context in (DIALOG, CONTACT, OPERATOR, RUN))
_CHANNEL = _moments(CONTACT_CHANNEL)


def with_moments(context: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A copy whose RFC 3339 texts are moments; a text that is none stays as it is."""
    read = dict(context)
    for name in names:
        text = read.get(name)
        if type(text) is str:
            read[name] = parse_moment(text) or text
    return read


def contact_context(contact: Mapping[str, Any]) -> dict[str, Any]:
    read = with_moments(contact, _CONTACT)
    channels = read.get("channels")
    if isinstance(channels, list):
        read["channels"] = [with_moments(c, _CHANNEL) if isinstance(c, dict) else c for c in channels]
    return read


def names_of(snapshot: Snapshot) -> dict[str, Any]:
    """`dialog`, `contact` and `operator` as expressions read them; an empty object for whoever is not there."""
    return {
        "dialog": with_moments(snapshot.dialog or {}, _DIALOG),
        "contact": contact_context(snapshot.contact or {}),
        "operator": with_moments(snapshot.operator or {}, _OPERATOR),
    }


class Scope:
    """`names` is what expressions get. `ended`: when each step ended; `latest`: when the last one did.

    `fresh`: ids of the steps that ended since the scope was copied, in order.
    """

    __slots__ = ("changed", "ended", "fresh", "latest", "names", "revision", "sizes", "steps", "vars")

    def __init__(self, names: dict[str, Any], steps: dict[str, Any], start: datetime) -> None:
        self.names = names
        self.steps = steps
        self.vars: dict[str, Any] = {}
        self.sizes: dict[str, int] = {}
        self.names["vars"], self.names["steps"] = self.vars, self.steps
        self.ended: dict[str, datetime] = {}
        self.latest = start
        self.revision = -1
        self.fresh: dict[str, None] = {}
        self.changed: dict[str, None] = {}

    @classmethod
    def of(cls, brief: Brief, start: datetime) -> "Scope":
        names: dict[str, Any] = {
            "inputs": brief.inputs, "trigger": brief.trigger, "run": with_moments(brief.run, _RUN),
            "dialog": {}, "contact": {}, "operator": {},
        }  # fmt: skip
        if brief.items is not None:
            names["items"] = brief.items
        scope = cls(names, dict(brief.before.get("steps") or {}), start)
        scope.take(brief.snapshot)
        return scope

    def take(self, snapshot: Snapshot) -> None:
        """Keep what is newer: by revision, or because the item got another dialog."""
        if snapshot.dialog is not None:
            dialog = self.names["dialog"]
            if dialog.get("id") == snapshot.dialog.get("id") and snapshot.revision < self.revision:
                return
            self.names["dialog"] = with_moments(snapshot.dialog, _DIALOG)
            self.names["operator"] = with_moments(snapshot.operator or {}, _OPERATOR)
            self.revision = snapshot.revision
        elif snapshot.operator is not None:
            self.names["operator"] = with_moments(snapshot.operator, _OPERATOR)
        if snapshot.contact is not None:
            self.names["contact"] = contact_context(snapshot.contact)

    def write(self, values: Mapping[str, Any], written: Mapping[str, Any]) -> None:
        """Set variables together. `written`: the same as plain JSON. Raises StepError(limit) above 128 KB in all."""
        sizes = self.sizes | {name: size_of(value) for name, value in written.items()}
        if sum(sizes.values()) > MOST_VARS:
            raise StepError("limit", f"the variables together are larger than {MOST_VARS // 1024} KB")
        self.sizes = sizes
        self.vars.update(values)
        self.changed.update(dict.fromkeys(values))

    def put(self, step: str, entry: dict[str, Any], at: datetime) -> None:
        """A step ended."""
        self.steps[step] = entry
        self.fresh[step] = None
        self.ended[step] = self.latest = at

    def forget(self, steps: Iterable[str]) -> None:
        """What the round before left behind is not this round's."""
        for step in steps:
            self.steps.pop(step, None)
            self.ended.pop(step, None)

    def copied(self, extra: Mapping[str, Any] | None = None) -> "Scope":
        copy = Scope({**self.names, **(extra or {})}, dict(self.steps), self.latest)
        copy.vars.update(self.vars)
        copy.sizes = dict(self.sizes)
        copy.ended = dict(self.ended)
        copy.revision = self.revision
        return copy

    def join(self, part: "Scope") -> None:
        """Take over what a part changed."""
        self.vars.update({name: part.vars[name] for name in part.changed})
        self.changed.update(part.changed)
        self.sizes.update({name: part.sizes[name] for name in part.changed if name in part.sizes})
        for step in part.fresh:
            if step in part.steps:
                self.steps[step] = part.steps[step]
                self.fresh[step] = None
                self.ended[step] = part.ended[step]
        self.latest = max(self.latest, part.latest)
        self.see(part)

    def see(self, part: "Scope") -> None:
        """Take over only what a part knows of the dialog and its people."""
        other = part.names["dialog"].get("id") != self.names["dialog"].get("id")
        if other or part.revision >= self.revision:
            self.revision = part.revision
            for name in ("dialog", "contact", "operator"):
                self.names[name] = part.names[name]
