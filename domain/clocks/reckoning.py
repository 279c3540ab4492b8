"""What becomes of a dialog's clocks by one more fact. Pure: clocks, life and plan in, clocks and firings out."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.calendars.calendars import ALWAYS
from domain.clocks.aims import Reckoned, due_of, fire, remaining, settle, timed
from domain.clocks.clocks import Clock, Firing, Interval
from domain.clocks.lives import Happening, Life, Span, awaiting_of, is_response
from domain.clocks.metrics import Metric, Plan, Target
from domain.dialogs import Status
from domain.events import Fact

__all__ = ["AIMING", "Reckoned", "due_of", "moved", "reckon", "remaining", "settle"]

#: facts by which running clocks get the promises anew
AIMING = frozenset(
    {
        Fact.DIALOG_TOPIC_CHANGED,
        Fact.DIALOG_PRIORITY_CHANGED,
        Fact.DIALOG_CONVERTED,
        Fact.DIALOG_TEAM_CHANGED,
        Fact.SLA_MOVED,
    }
)
_NOTHING = Plan((), ALWAYS)
#: these run from a client's message, which a merge may bring over from another ticket
_WAITING = frozenset({Metric.NRT, Metric.RESPOND})
_CLOSING = frozenset({Fact.DIALOG_CLOSED, Fact.TICKET_CLOSED})
#: cause of a closing that keeps no promise: the ticket goes on in another one
_MERGED = "merged"
#: by which of the facts of that moment a stretch of the metric begins
_BEGINNING = {
    Metric.TFR: frozenset({Fact.DIALOG_OPENED, Fact.DIALOG_CONVERTED, Fact.DIALOG_REOPENED, Fact.TICKET_REOPENED}),
    Metric.TTC: frozenset({Fact.DIALOG_OPENED, Fact.DIALOG_CONVERTED, Fact.DIALOG_REOPENED, Fact.TICKET_REOPENED}),
    Metric.NRT: frozenset({Fact.MESSAGE_RECEIVED}),
    Metric.TIS: frozenset(
        {Fact.DIALOG_OPENED, Fact.DIALOG_CONVERTED, Fact.TICKET_REOPENED, Fact.TICKET_STATUS_CHANGED}
    ),
    Metric.ACCEPT: frozenset({Fact.DIALOG_QUEUED, Fact.DIALOG_UNASSIGNED, Fact.DIALOG_TEAM_CHANGED}),
    Metric.RESPOND: frozenset({Fact.MESSAGE_RECEIVED, Fact.DIALOG_ASSIGNED}),
}
_TURNING = frozenset({Fact.TICKET_STATUS_CHANGED, Fact.TICKET_REOPENED, Fact.MESSAGE_RECEIVED})


def reckon(
    clocks: Iterable[Clock],
    life: Life,
    plan: Plan | None,
    happening: Happening,
    *,
    aims_anew: bool,
    new_id: Callable[[], UUID],
) -> Reckoned:
    """`life` is the life after `happening`. What was due is settled first, so a fact never undoes a passed deadline.

    Ended clocks among `clocks` come back as they are. A line of a ledger may come back changed under its number (one
    of no length is replaced): write lines by (clock, number). A move that names its `metrics` aims only these.
    """
    plan = plan or _NOTHING
    aimed = _aimed_by(happening) if aims_anew else frozenset[str]()
    came = awaiting_of(happening)
    settled = settle(clocks, happening.at)
    firings = list(settled.firings)
    spans = life.spans()
    open_ones: set[tuple[Metric, str]] = set()
    kept: list[Clock] = []
    for clock in settled.clocks:
        if clock.state != "ended":
            span = spans.get(clock.key)
            if span is None or span.start != clock.started_at:
                clock = _ended(clock, life, happening)
            else:
                open_ones.add(clock.key)
                clock = _going_on(clock, span, happening)
                clock = _aimed(clock, life, plan, happening) if clock.metric in aimed else clock
        kept.append(clock)
    for key, span in spans.items():
        target = plan.target_for(*key)
        is_new = span.start == happening.at or (key[0] in _WAITING and came is not None and came == life.waiting_since)
        if key not in open_ones and target is not None and (key[0] in aimed or is_new):
            kept.append(_begun(life, span, plan, target, happening, new_id()))
    if aims_anew or came is not None:
        for n, clock in enumerate(kept):
            if clock.state != "ended":
                kept[n], fired = fire(clock, happening.at)
                firings += fired
    return Reckoned(tuple(kept), _in_order(firings))


def _aimed_by(happening: Happening) -> frozenset[str]:
    named = happening.data.get("metrics") if happening.fact == Fact.SLA_MOVED else None
    return frozenset(map(str, named or Metric))


def moved(clock: Clock, plan: Plan | None) -> Clock | None:
    """The open clock as it would be under another plan; None: nothing is promised of it any more."""
    target = (plan or _NOTHING).target_for(*clock.key)
    return timed(_under(clock, plan or _NOTHING, target)) if target is not None else None


def _in_order(firings: list[Firing]) -> tuple[Firing, ...]:
    return tuple(sorted(firings, key=lambda f: f.at))


def _going_on(clock: Clock, span: Span, happening: Happening) -> Clock:
    """A boundary where the clock starts to stand still or to run, and where it stands still for another reason."""
    state = "paused" if span.stands_still else "running"
    told = _status_told(happening)
    begins_standing = bool(told) and span.stands_still and span.pauses[-1][0] == happening.at
    if state == clock.state and not begins_standing:
        return clock
    return timed(replace(_turned(clock, state, happening, told), state=state))


def _ended(clock: Clock, life: Life, happening: Happening) -> Clock:
    at = happening.at
    if clock.metric is Metric.TTC and life.status == Status.CLOSED and life.resolved_at is not None:
        at = max(life.resolved_at, clock.ledger[-1].began_at)
    result = "breached" if clock.breached_at is not None else "met" if _is_kept(clock, life, happening) else "dropped"
    ledger = (*clock.ledger[:-1], replace(clock.ledger[-1], ended_at=at))
    return replace(clock, state="ended", result=result, ended_at=at, ledger=ledger, next_at=None)


def _is_kept(clock: Clock, life: Life, happening: Happening) -> bool:
    """Whether the clock ends by what it measures."""
    if happening.fact in _CLOSING and happening.data.get("cause") == _MERGED:
        return False
    match clock.metric:
        case Metric.TFR | Metric.NRT | Metric.RESPOND:
            return is_response(happening)
        case Metric.TTC:
            return happening.fact in _CLOSING
        case Metric.TIS:
            return life.status != clock.status
        case Metric.ACCEPT:
            return happening.fact == Fact.DIALOG_ASSIGNED


def _aimed(clock: Clock, life: Life, plan: Plan, happening: Happening) -> Clock:
    """The clock under what is promised now, over the same ledger; ended where nothing is."""
    target = plan.target_for(*clock.key)
    if target is None:
        return _ended(clock, life, happening)
    aimed = _under(clock, plan, target)
    changed = {name: list(pair) for name, pair in _differences(clock, aimed).items()}
    if not changed:
        return timed(aimed) if aimed.calendar != clock.calendar else aimed
    if clock.state == "paused" and life.resolved_at is not None:
        # Closing it now would end its time at the resolving, and no line of the ledger may begin later than that.
        last = clock.ledger[-1]
        ledger = (*clock.ledger[:-1], replace(last, changed=_merged(last.changed, changed)))
        return timed(replace(aimed, ledger=ledger))
    return timed(_turned(aimed, clock.state, happening, changed))


def _under(clock: Clock, plan: Plan, target: Target) -> Clock:
    calendar, ref = plan.calendar_for(clock.metric)
    return replace(
        clock, target=target.seconds, warn=target.warn, alias=target.alias, calendar=calendar, calendar_ref=ref,
        policy=plan.policy_for(clock.metric),
    )  # fmt: skip


def _differences(before: Clock, after: Clock) -> dict[str, tuple[Any, Any]]:
    return {
        name: (was, now)
        for name, attribute in _AIMS.items()
        if (was := _plain(getattr(before, attribute))) != (now := _plain(getattr(after, attribute)))
    }


_AIMS = {"target": "target", "warn": "warn", "calendar": "calendar_ref", "policy": "policy", "alias": "alias"}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _begun(life: Life, span: Span, plan: Plan, target: Target, happening: Happening, clock_id: UUID) -> Clock:
    """A clock since the beginning of its span; one promised only later has the same ledger up to then."""
    ledger = _told(life, span, target.metric, happening)
    clock = Clock(
        clock_id, target.metric, life.cycle, span.start, target.seconds, ALWAYS, ledger, state=ledger[-1].state,
        status=target.status,
    )  # fmt: skip
    clock = _under(clock, plan, target)
    if span.start != happening.at:
        news = {name: [None, now] for name in ("target", "policy") if (now := _plain(getattr(clock, name))) is not None}
        if clock.state == "paused" and life.resolved_at is not None:
            last = clock.ledger[-1]
            clock = replace(clock, ledger=(*clock.ledger[:-1], replace(last, changed=_merged(last.changed, news))))
        else:
            clock = _turned(clock, clock.state, happening, news)
    return timed(clock)


def _told(life: Life, span: Span, metric: Metric, happening: Happening) -> tuple[Interval, ...]:
    """The ledger of a span up to now, as the life remembers who did what."""
    lines: list[Interval] = []

    def add(state: str, at: datetime, facts: frozenset[Fact]) -> None:
        if lines and lines[-1].began_at == at:
            lines.pop()
        elif lines:
            lines[-1] = replace(lines[-1], ended_at=at)
        cause = life.cause_of(at, frozenset(map(str, facts))) or replace(happening, actor_kind="system", actor_id=None)
        changed = _status_told(cause) if lines or state == "paused" else {}
        lines.append(Interval(len(lines) + 1, state, at, cause.fact, cause.actor_kind, cause.actor_id, changed=changed))

    add("running", span.start, _BEGINNING[metric])
    for began, ended in span.pauses:
        add("paused", began, _TURNING)
        if ended is not None:
            add("running", ended, _TURNING)
    return tuple(lines)


def _turned(clock: Clock, state: str, happening: Happening, changed: dict[str, Any]) -> Clock:
    """The ledger with a boundary at the happening; a line that would have no length is replaced under its number."""
    last = clock.ledger[-1]
    number = last.number + 1
    before = (*clock.ledger[:-1], replace(last, ended_at=happening.at))
    if last.began_at == happening.at:
        number, before, changed = last.number, clock.ledger[:-1], _merged(last.changed, changed)
    line = Interval(
        number, state, happening.at, happening.fact, happening.actor_kind, happening.actor_id, changed=changed
    )
    return replace(clock, ledger=(*before, line))


def _merged(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Two changes of one moment as one: what was before the first, what is after the second."""
    both = {name: [first[name][0], pair[1]] if name in first else pair for name, pair in then.items()}
    return {name: pair for name, pair in {**first, **both}.items() if pair[0] != pair[1]}


def _status_told(happening: Happening) -> dict[str, Any]:
    before, after = happening.status("before"), happening.status("after")
    return {"status": [before, after]} if after is not None and before != after else {}
