"""A stored decision in words: the rule that was followed, what broke a tie, who was out and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.distribution import NEXT_CANDIDATES, Method

RULES: dict[str, str] = {
    Method.LEAST_LOADED: "Whoever has the fewest slots taken; then the earliest last closing; then the longest wait.",
    Method.ROUND_ROBIN: "Whoever has waited the longest since the last assignment.",
    Method.TOPIC_PRIORITY: "The most urgent topic first, to whoever has the fewest slots taken.",
    "by_hand": "A person decided.",
    "by_run": "A process or a macro decided.",
}
#: reason a member of the team could not get the dialog → in words, for a number of people
OUT: dict[str, str] = {
    "not_online": "not online",
    "connection_lost": "without a connection",
    "excluded": "excluded after declining, letting expire or releasing it",
    "at_limit": "at the limit",
    "at_channel_limit": "at the limit of this channel",
    "at_quota": "at the daily quota of clients",
    "light_agent": "without the right to hold dialogs",
}
#: why a dialog waits → in words
WAITS: dict[str, str] = {
    "team_empty": "The team has nobody who may hold dialogs.",
    "nobody_online": "Nobody of the team is online.",
    "only_excluded_online": "Only those are online who declined it, let it expire or released it.",
    "all_at_quota": "Everybody online has met the daily quota of clients.",
    "all_at_limit": "Everybody online is at the limit.",
    "all_at_channel_limit": "Everybody online is at the limit of this channel.",
    "manual": "The team is not distributed automatically: somebody takes it by hand.",
    "forced": "It was put into the queue on purpose and goes when the next room is made.",
    "team_inactive": "The team is not active.",
    "next_in_line": "Somebody has room: it is about to be given away.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """`tie_break`: what put the winner before the next candidate; None where the rule alone did."""

    rule: str
    tie_break: str | None
    says: str


def explain(
    method: str,
    outcome: str,
    reason: str,
    cause: str,
    candidates: Sequence[Mapping[str, Any]],
    excluded: Mapping[str, int],
) -> Told:
    """`candidates`: the winner, then those next in line, as they stood; `excluded`: how many were out, by reason.
    What is given without distribution has the reason `by_run` where a run did it.
    """
    rule = RULES.get("by_run" if reason == "by_run" else method, method)
    if outcome != "assigned":
        return Told(rule, None, " ".join([WAITS.get(reason, reason), *_counts(excluded)]))
    if method == "by_hand":
        return Told(rule, None, f"{rule} ({cause.replace('_', ' ')})")
    if reason == "reserved_for":
        return Told(rule, None, "It was reserved for its last operator, who has room.")
    tie_break = _tie_break(method, candidates)
    name = candidates[0].get("name") if candidates else None
    crowd = f"{len(candidates)} or more" if len(candidates) > NEXT_CANDIDATES else len(candidates)
    why = f"{name or 'The winner'} came first of {crowd}: {tie_break or rule}"
    return Told(rule, tie_break, " ".join([why, *_counts(excluded)]))


def _tie_break(method: str, candidates: Sequence[Mapping[str, Any]]) -> str | None:
    if len(candidates) < 2:
        return None
    first, second = candidates[0], candidates[1]
    if method == Method.ROUND_ROBIN:
        return None if first["last_assigned_at"] != second["last_assigned_at"] else "equal waits: the older account."
    if first["load"] != second["load"]:
        return None
    if first["last_closed_at"] != second["last_closed_at"]:
        return "equal loads: the earlier last closing."
    if first["last_assigned_at"] != second["last_assigned_at"]:
        return "equal loads and closings: the longer wait since the last assignment."
    return "equal in everything: the older account."


def _counts(excluded: Mapping[str, int]) -> list[str]:
    parts = [f"{n} {OUT.get(reason, reason)}" for reason, n in sorted(excluded.items())]
    return [f"Out: {', '.join(parts)}."] if parts else []
