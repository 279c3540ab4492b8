"""Why a dialog waits: one word, and the moment something about it changes by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.dialogs import Place
from domain.distribution import Candidate, Decision, Method, Waiting, decide


@dataclass(frozen=True, slots=True)
class Ground:
    """The team a dialog waits in."""

    method: str = Method.LEAST_LOADED
    is_auto: bool = True
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Wait:
    """`reason` is one of domain.decisions.WAITS. `until`: from then on who was excluded may get it (DECISIONS 24)."""

    reason: str
    decision: Decision | None = None
    until: datetime | None = None


def why_waiting(
    dialog: Waiting,
    place: str,
    ground: Ground,
    candidates: Sequence[Candidate],
    *,
    now: datetime,
    ends_alone_at: datetime | None = None,
) -> Wait:
    """Judge one waiting dialog as a drain at `now` would."""
    if not ground.is_active:
        return Wait("team_inactive")
    if place == Place.UNASSIGNED or not ground.is_auto:
        return Wait("manual")
    decision = decide(dialog, candidates, ground.method)
    if decision.winner is None:
        is_lone = decision.reason == "only_excluded_online" and ends_alone_at is not None and ends_alone_at > now
        return Wait(decision.reason, decision, ends_alone_at if is_lone else None)
    return Wait("forced" if dialog.is_forced else "next_in_line", decision)
