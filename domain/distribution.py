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
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
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


@dataclass(frozen=True, slots=True)
class Candidate:
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
    if dialog.reserved_for in {c.operator_id for c in ranked}:
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
    nobody can get does not hold up those behind it. Answers the assignments only, in the order they were made.
    """
    queues = {
        team: sorted((w for w in waiting if w.team == team), key=lambda w: queue_order(w, methods[team]))
        for team in {w.team for w in waiting}
    }
    heads = dict.fromkeys(queues, 0)
    people = {c.operator_id: c for c in candidates}
    made: list[Decision] = []
    while len(made) < most:
        open_heads = [(queues[t][i], t) for t, i in heads.items() if i < len(queues[t])]
        if not open_heads or not _anybody_free(people.values()):
            break
        dialog, team = min(open_heads, key=lambda head: (-head[0].weight, head[0].waiting_since, head[0].dialog_id))
        heads[team] += 1
        decision = decide(dialog, people.values(), methods[team])
        if decision.winner is None:
            continue
        made.append(decision)
        people[decision.winner] = _after(people[decision.winner], dialog, now)
    return made


def _anybody_free(people: Iterable[Candidate]) -> bool:
    return any(
        c.status == "online" and c.is_connected and not c.is_light and c.load.total < c.limits.total for c in people
    )


def _after(c: Candidate, dialog: Waiting, now: datetime) -> Candidate:
    is_new_contact = dialog.contact_id not in c.known_contacts
    return Candidate(
        operator_id=c.operator_id, teams=c.teams, limits=c.limits, load=c.load.plus(dialog.channel),
        status=c.status, is_connected=c.is_connected, is_light=c.is_light, last_assigned_at=now,
        last_closed_at=c.last_closed_at, contacts_today=c.contacts_today + is_new_contact,
        daily_quota=c.daily_quota, known_contacts=c.known_contacts | {dialog.contact_id},
    )  # fmt: skip
