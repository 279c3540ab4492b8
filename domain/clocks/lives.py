"""The life of a dialog as far as time goes: what of its facts decides which clocks run since when."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.clocks.metrics import Metric
from domain.dialogs import Kind, Status
from domain.events import Fact

#: in these the time to close and to the next response stand still
STANDING = frozenset({Status.PENDING, Status.RESOLVED})


@dataclass(frozen=True, slots=True)
class Happening:
    """A fact of the events catalogue as clocks see it. `data`: the event's own (before, after, cycle)."""

    fact: str
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    data: dict[str, Any]

    def status(self, side: str) -> str | None:
        """The status `before` or `after` it, where it tells one."""
        inner = self.data.get(side)
        value = inner.get("status") if isinstance(inner, dict) else None
        return str(value) if value is not None else None


@dataclass(frozen=True, slots=True)
class Span:
    """A metric that runs, or stands still, since `start`; `pauses` in it, the last one open while it stands still."""

    start: datetime
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()

    @property
    def stands_still(self) -> bool:
        return bool(self.pauses) and self.pauses[-1][1] is None


@dataclass(frozen=True, slots=True)
class Life:
    """`cycle_at`: the opening, conversion or reopening from closed. `responded_at`: first response of the cycle.
    `waiting_since`: the first client message nobody has answered. `queued_since`: it waits for an operator.
    `held_since`: an operator holds it. `pauses`: pending and resolved stretches of the cycle, each status its own.
    `resolved_at`: it is resolved since then, or was closed out of that. `causes`: the facts that set those moments.
    """

    kind: str
    status: str
    status_since: datetime
    cycle: int
    cycle_at: datetime
    responded_at: datetime | None = None
    waiting_since: datetime | None = None
    queued_since: datetime | None = None
    held_since: datetime | None = None
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()
    resolved_at: datetime | None = None
    causes: tuple[Happening, ...] = ()

    def after(self, happening: Happening) -> "Life":
        """The life with one more fact. Facts that say nothing about time change nothing."""
        change = _CHANGES.get(happening.fact)
        life = change(self, happening) if change is not None else self
        return self if life is self else _remembering(life, happening)

    def spans(self) -> dict[tuple[Metric, str], Span]:
        """What runs now, whatever is promised."""
        if self.status == Status.CLOSED:
            return {}
        found = {(Metric.TTC, ""): Span(self.cycle_at, self.pauses)}
        if self.responded_at is None:
            found[Metric.TFR, ""] = Span(self.cycle_at)
        elif self.waiting_since is not None:
            found[Metric.NRT, ""] = Span(self.waiting_since, _since(self.waiting_since, self.pauses))
        if self.kind == Kind.TICKET:
            found[Metric.TIS, self.status] = Span(self.status_since)
        if self.queued_since is not None:
            found[Metric.ACCEPT, ""] = Span(self.queued_since)
        if self.held_since is not None and self.waiting_since is not None:
            found[Metric.RESPOND, ""] = Span(max(self.waiting_since, self.held_since))
        return found

    def cause_of(self, at: datetime, facts: frozenset[str]) -> Happening | None:
        """The latest remembered one of these facts at that moment."""
        return next((c for c in reversed(self.causes) if c.at == at and c.fact in facts), None)


def begun(happening: Happening) -> Life:
    """The first life: of a dialog that has just been opened (or whose first known fact this is)."""
    kind = str(happening.data.get("kind") or Kind.CHAT)
    status = happening.data.get("status") or happening.status("after")
    first = str(status or (Status.OPEN if kind == Kind.TICKET else Status.NEW))
    return _remembering(Life(kind, first, happening.at, 1, happening.at), happening)


def is_response(happening: Happening) -> bool:
    """A message of a person to the client. Notes are no messages; what processes, bots and AI say is not a person's."""
    return happening.fact == Fact.MESSAGE_QUEUED and happening.actor_kind == "user"


def awaiting_of(happening: Happening) -> datetime | None:
    """Since when a message waits that a merge brought over; None: none does."""
    told = happening.data.get("awaiting_since") if happening.fact == Fact.DIALOG_MERGED else None
    return min(datetime.fromisoformat(told), happening.at) if told else None


def _remembering(life: Life, happening: Happening) -> Life:
    told = {side: {"status": s} for side in ("before", "after") if (s := happening.status(side)) is not None}
    cause = replace(happening, data=told)
    moments = {life.cycle_at, life.status_since, life.waiting_since, life.queued_since, life.held_since}
    moments |= {moment for pause in life.pauses for moment in pause}
    return replace(life, causes=tuple(c for c in (*life.causes, cause) if c.at in moments))


def _since(
    start: datetime, pauses: tuple[tuple[datetime, datetime | None], ...]
) -> tuple[tuple[datetime, datetime | None], ...]:
    return tuple((max(began, start), ended) for began, ended in pauses if ended is None or ended > start)


def _into(life: Life, status: str, at: datetime) -> Life:
    """The life in another status of the same cycle."""
    if status == life.status:
        return life
    pauses = life.pauses
    if pauses and pauses[-1][1] is None:
        began = pauses[-1][0]
        pauses = pauses[:-1] if began == at else (*pauses[:-1], (began, at))
    if status in STANDING:
        pauses = (*pauses, (at, None))
    resolved_at = at if status == Status.RESOLVED else None
    return replace(life, status=status, status_since=at, pauses=pauses, resolved_at=resolved_at)


def _received(life: Life, happening: Happening) -> Life:
    """A score that came as a message waits for no answer."""
    if life.waiting_since is not None or happening.data.get("rates"):
        return life
    return replace(life, waiting_since=happening.at)


def _said(life: Life, happening: Happening) -> Life:
    if not is_response(happening) or life.status == Status.CLOSED:
        return life
    return replace(life, responded_at=life.responded_at or happening.at, waiting_since=None)


def _status_changed(life: Life, happening: Happening) -> Life:
    status = happening.status("after")
    return _into(life, status, happening.at) if status is not None else life


def _closed(life: Life, happening: Happening) -> Life:
    if life.status == Status.CLOSED:
        return life
    closed = _into(life, Status.CLOSED, happening.at)
    return replace(closed, resolved_at=life.resolved_at, waiting_since=None, queued_since=None, held_since=None)


def _reopened(life: Life, happening: Happening) -> Life:
    """From closed: a new cycle, in which only the message that reopened it waits. Else the old cycle goes on."""
    status = happening.status("after") or Status.OPEN
    if life.status != Status.CLOSED:
        return _into(life, status, happening.at)
    return _new_cycle(life, status, happening)


def _new_cycle(life: Life, status: str, happening: Happening) -> Life:
    at = happening.at
    return Life(
        life.kind, status, at, int(happening.data.get("cycle") or life.cycle + 1), at, causes=life.causes,
        waiting_since=at if life.waiting_since == at else None,
    )  # fmt: skip


def _converted(life: Life, happening: Happening) -> Life:
    """A new beginning for the ticket; who waits, and who holds it, stay as they are."""
    at = happening.at
    after = happening.data.get("after")
    kind = str((after.get("kind") if isinstance(after, dict) else None) or Kind.TICKET)
    status = happening.status("after") or Status.OPEN
    if life.status == Status.CLOSED:
        return replace(_new_cycle(life, status, happening), kind=kind)
    return replace(
        life, kind=kind, status=status, status_since=at, cycle_at=at, responded_at=None, pauses=(), resolved_at=None,
        cycle=int(happening.data.get("cycle") or life.cycle),
    )  # fmt: skip


def _assigned(life: Life, happening: Happening) -> Life:
    given = replace(life, held_since=happening.at, queued_since=None)
    return _into(given, Status.OPEN, happening.at) if life.status == Status.NEW else given


def _queued(life: Life, happening: Happening) -> Life:
    if life.queued_since is not None and life.held_since is None:
        return life
    return replace(life, queued_since=life.queued_since or happening.at, held_since=None)


def _unassigned(life: Life, happening: Happening) -> Life:
    return replace(life, queued_since=happening.at, held_since=None)


def _team_changed(life: Life, happening: Happening) -> Life:
    return replace(life, queued_since=happening.at) if life.queued_since is not None else life


def _merged(life: Life, happening: Happening) -> Life:
    """A client message that came over unanswered waits here since it was written."""
    awaiting = awaiting_of(happening)
    if awaiting is None or life.status == Status.CLOSED:
        return life
    if life.waiting_since is not None and life.waiting_since <= awaiting:
        return life
    wrote = Happening(str(Fact.MESSAGE_RECEIVED), awaiting, "client", None, {})
    return replace(life, waiting_since=awaiting, causes=(*life.causes, wrote))


_CHANGES: dict[str, Callable[[Life, Happening], Life]] = {
    Fact.MESSAGE_RECEIVED: _received,
    Fact.MESSAGE_QUEUED: _said,
    Fact.TICKET_STATUS_CHANGED: _status_changed,
    Fact.DIALOG_CLOSED: _closed,
    Fact.TICKET_CLOSED: _closed,
    Fact.DIALOG_REOPENED: _reopened,
    Fact.TICKET_REOPENED: _reopened,
    Fact.DIALOG_CONVERTED: _converted,
    Fact.DIALOG_ASSIGNED: _assigned,
    Fact.DIALOG_QUEUED: _queued,
    Fact.DIALOG_UNASSIGNED: _unassigned,
    Fact.DIALOG_TEAM_CHANGED: _team_changed,
    Fact.DIALOG_MERGED: _merged,
}
#: facts that may change a life; all others say nothing about time
TIMELY = frozenset(_CHANGES)


def to_json(life: Life) -> dict[str, Any]:
    """The life as JSON values."""
    return {
        "kind": life.kind, "status": life.status, "status_since": _iso(life.status_since), "cycle": life.cycle,
        "cycle_at": _iso(life.cycle_at), "responded_at": _iso(life.responded_at),
        "waiting_since": _iso(life.waiting_since), "queued_since": _iso(life.queued_since),
        "held_since": _iso(life.held_since), "pauses": [[_iso(a), _iso(b)] for a, b in life.pauses],
        "resolved_at": _iso(life.resolved_at),
        "causes": [
            [c.fact, _iso(c.at), c.actor_kind, str(c.actor_id) if c.actor_id else None, c.status("before"),
             c.status("after")]
            for c in life.causes
        ],
    }  # fmt: skip


def from_json(told: dict[str, Any]) -> Life:
    return Life(
        told["kind"], told["status"], datetime.fromisoformat(told["status_since"]), told["cycle"],
        datetime.fromisoformat(told["cycle_at"]), _moment(told["responded_at"]), _moment(told["waiting_since"]),
        _moment(told["queued_since"]), _moment(told["held_since"]),
        tuple((datetime.fromisoformat(a), _moment(b)) for a, b in told["pauses"]), _moment(told["resolved_at"]),
        tuple(_cause(c) for c in told["causes"]),
    )  # fmt: skip


def _cause(told: list[Any]) -> Happening:
    fact, at, actor_kind, actor_id, before, after = told
    data = {side: {"status": s} for side, s in (("before", before), ("after", after)) if s is not None}
    return Happening(fact, datetime.fromisoformat(at), actor_kind, UUID(actor_id) if actor_id else None, data)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
