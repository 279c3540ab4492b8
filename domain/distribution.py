"""Who gets which waiting dialog, and why. Pure: facts in, decisions out.

Methods (PRODUCT.md, Distribution):
  least_loaded    fewest slots taken; tie: earliest last close, then longest since the last assignment
  round_robin     longest since the last assignment
  topic_priority  queue order by topic priority first; the operator by least_loaded
Queue order: (topic priority desc under topic_priority), weight desc, then original waiting age.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from domain.capacity import Limits, Load, why_full

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
NEXT_CANDIDATES = 10


class Method(StrEnum):
    LEAST_LOADED = "least_loaded"
    ROUND_ROBIN = "round_robin"
    TOPIC_PRIORITY = "topic_priority"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A dialog without an operator. `excluded` may not get it; `reserved_for` gets it first when free."""

    dialog_id: UUID
    team: str
    channel: str
    contact_id: UUID
    priority: int
    weight: int
    waiting_since: datetime
    excluded: frozenset[UUID] = frozenset()
    reserved_for: UUID | None = None
    is_forced: bool = False
    kind: str = "chat"


class Candidate(NamedTuple):
    """A member of a team as the moment of decision finds them."""

    operator_id: UUID
    teams: frozenset[str]
    limits: Limits
    load: Load
    status: str = "online"
    is_connected: bool = True
    is_light: bool = False
    last_assigned_at: datetime | None = None
    last_closed_at: datetime | None = None
    contacts_today: int = 0
    daily_quota: int | None = None
    known_contacts: frozenset[UUID] = frozenset()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one dialog. `excluded` counts team members out by reason."""

    dialog_id: UUID
    team: str
    method: str
    winner: UUID | None
    reason: str
    candidates: tuple[dict[str, Any], ...] = ()
    excluded: Mapping[str, int] = field(default_factory=dict)


def why_not(candidate: Candidate, dialog: Waiting) -> str | None:
    """Why this person cannot get this dialog now, or None when they can."""
    if dialog.team not in candidate.teams:
        return "other_team"
    if candidate.is_light:
        return "light_agent"
    if candidate.status != "online":
        return "not_online"
    if not candidate.is_connected:
        return "connection_lost"
    if candidate.operator_id in dialog.excluded:
        return "excluded"
    if full := why_full(candidate.limits, candidate.load, dialog.channel):
        return full
    at_quota = candidate.daily_quota is not None and candidate.contacts_today >= candidate.daily_quota
    if at_quota and dialog.contact_id not in candidate.known_contacts:
        return "at_quota"
    return None


def _least_loaded(c: Candidate) -> tuple[Any, ...]:
    return (c.load.total, c.last_closed_at or NEVER, c.last_assigned_at or NEVER, c.operator_id)


def _round_robin(c: Candidate) -> tuple[Any, ...]:
    return (c.last_assigned_at or NEVER, c.operator_id)


RANKINGS: dict[str, Callable[[Candidate], tuple[Any, ...]]] = {
    Method.LEAST_LOADED: _least_loaded,
    Method.ROUND_ROBIN: _round_robin,
    Method.TOPIC_PRIORITY: _least_loaded,
}


def queue_order(dialog: Waiting, method: str) -> tuple[Any, ...]:
    """Sort key: who leaves the queue first."""
    priority = -dialog.priority if method == Method.TOPIC_PRIORITY else 0
    return (priority, -dialog.weight, dialog.waiting_since, dialog.dialog_id)


def decide(dialog: Waiting, candidates: Iterable[Candidate], method: str) -> Decision:
    """Choose among `candidates` for one dialog, and keep the why."""
    out: Counter[str] = Counter()
    able: list[Candidate] = []
    for candidate in candidates:
        reason = why_not(candidate, dialog)
        if reason is None:
            able.append(candidate)
        elif reason != "other_team":
            out[reason] += 1
    if not able:
        return Decision(dialog.dialog_id, dialog.team, method, None, why_nobody(out), excluded=dict(out))
    ranked = sorted(able, key=RANKINGS[method])
    reason = method
    if dialog.reserved_for is not None and any(c.operator_id == dialog.reserved_for for c in ranked):
        ranked.sort(key=lambda c: c.operator_id != dialog.reserved_for)
        reason = "reserved_for"
    shown = tuple(_shown(c) for c in ranked[: NEXT_CANDIDATES + 1])
    return Decision(dialog.dialog_id, dialog.team, method, ranked[0].operator_id, reason, shown, {**out})


def why_nobody(out: Mapping[str, int]) -> str:
    """One word for a dialog that must wait, from the counts of who is out and why."""
    if not out or set(out) <= {"light_agent"}:
        return "team_empty"
    reachable = {k for k in out if k not in ("not_online", "connection_lost", "light_agent")}
    if not reachable:
        return "nobody_online"
    if reachable == {"excluded"}:
        return "only_excluded_online"
    if reachable <= {"at_quota", "excluded"}:
        return "all_at_quota"
    if "at_limit" in reachable:
        return "all_at_limit"
    return "all_at_channel_limit"


def _shown(c: Candidate) -> dict[str, Any]:
    return {
        "operator_id": str(c.operator_id),
        "load": c.load.total,
        "limit": c.limits.total,
        "last_closed_at": c.last_closed_at.isoformat() if c.last_closed_at else None,
        "last_assigned_at": c.last_assigned_at.isoformat() if c.last_assigned_at else None,
    }


def plan(
    waiting: Sequence[Waiting],
    candidates: Sequence[Candidate],
    methods: Mapping[str, str],
    *,
    now: datetime,
    most: int = 100,
) -> list[Decision]:
    """Walk the queues of several teams and give away what room there is, at most `most` assignments.

    Each team keeps its own order; among the teams' heads the heavier, then the older goes first. A dialog that
    nobody can get does not hold up those behind it. Answers the assignments only, in the order they were made; each
    counts as made a microsecond after the one before, the first at `now`: people take turns within a walk, too.
    """
    people = {c.operator_id: c for c in candidates}
    queues: dict[str, list[Waiting]] = {}
    for dialog in waiting:
        queues.setdefault(dialog.team, []).append(dialog)
    for team, queue in queues.items():
        queue.sort(key=partial(queue_order, method=methods[team]), reverse=True)
    members = {team: [i for i, c in people.items() if team in c.teams] for team in queues}
    full: set[tuple[str, str]] = set()
    made: list[Decision] = []
    while len(made) < most:
        crowds = {team: [people[i] for i in members[team]] for team in queues}
        heads = [head for team, queue in queues.items() if (head := _head(queue, crowds[team], full))]
        if not heads:
            break
        dialog = min(heads, key=lambda head: (-head.weight, head.waiting_since, head.dialog_id))
        queues[dialog.team].pop()
        decision = decide(dialog, crowds[dialog.team], methods[dialog.team])
        if decision.winner is not None:
            at = now + timedelta(microseconds=len(made))
            made.append(decision)
            people[decision.winner] = _after(people[decision.winner], dialog, at)
    return made


def _head(queue: list[Waiting], crowd: Sequence[Candidate], full: set[tuple[str, str]]) -> Waiting | None:
    """The next of a queue (its end) that one of the team can get. Those before it leave the queue for good: room only
    shrinks during a walk. `full` remembers in which team and channel nobody has any.
    """
    while queue:
        dialog = queue[-1]
        lane = (dialog.team, dialog.channel)
        if lane not in full:
            if any(why_not(c, dialog) is None for c in crowd):
                return dialog
            if not any(_has_room(c, dialog.channel) for c in crowd):
                full.add(lane)
        queue.pop()
    return None


def _has_room(c: Candidate, channel: str) -> bool:
    is_there = c.status == "online" and c.is_connected and not c.is_light
    return is_there and why_full(c.limits, c.load, channel) is None


def _after(c: Candidate, dialog: Waiting, at: datetime) -> Candidate:
    """The winner once the dialog is theirs."""
    return c._replace(
        load=c.load.plus(dialog.channel),
        last_assigned_at=at,
        contacts_today=c.contacts_today + (dialog.contact_id not in c.known_contacts),
        known_contacts=c.known_contacts | {dialog.contact_id},
    )
