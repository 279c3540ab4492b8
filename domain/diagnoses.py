"""Why an operator gets no dialogs: everything that has to be so, looked at one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.capacity import Limits, Load
from domain.presence import Presence, is_connected


@dataclass(frozen=True, slots=True)
class Standing:
    """How an operator stands at `now`. `teams`: key → (auto, active, topics, waiting); `excluded_from`: how many of
    the waiting dialogs are not given to this person after a decline, an expiry or a release.
    """

    now: datetime
    is_active: bool
    may_hold: bool
    status: str
    status_reason: str | None
    lease_until: datetime | None
    seen_at: datetime | None
    limits: Limits
    load: Load
    contacts_today: int
    daily_quota: int | None
    teams: Mapping[str, "TeamStanding"]
    excluded_from: int


@dataclass(frozen=True, slots=True)
class TeamStanding:
    is_auto: bool
    is_active: bool
    topics: Sequence[str]
    queued: int
    unassigned: int


@dataclass(frozen=True, slots=True)
class Check:
    """`blocks`: a check that is not ok keeps every dialog away; otherwise it only narrows."""

    check: str
    ok: bool
    says: str
    blocks: bool = True
    facts: Mapping[str, Any] | None = None


def diagnose(s: Standing) -> list[Check]:
    """All checks in the order distribution asks them."""
    return [
        _account(s), _role(s), _status(s), _connection(s), _limit(s), *_channel_limits(s), _quota(s), _teams(s),
        _topics(s), _exclusions(s), _waiting(s),
    ]  # fmt: skip


def gets_dialogs(checks: Sequence[Check]) -> bool:
    return all(c.ok for c in checks if c.blocks)


def _account(s: Standing) -> Check:
    return Check("account", s.is_active, "The account is active." if s.is_active else "The account is deactivated.")


def _role(s: Standing) -> Check:
    says = "The role may hold dialogs." if s.may_hold else "No role of this person has the right dialog.hold."
    return Check("role", s.may_hold, says)


def _status(s: Standing) -> Check:
    ok = s.status == Presence.ONLINE
    why = f" ({s.status_reason})" if s.status_reason else ""
    return Check("status", ok, f"The chosen status is {s.status}{why}." + ("" if ok else " Only online receives."))


def _connection(s: Standing) -> Check:
    ok = is_connected(s.lease_until, s.now)
    if ok:
        return Check("connection", True, "The connection is alive.", facts={"lease_until": s.lease_until})
    if s.seen_at is None:
        return Check("connection", False, "There has never been a connection.")
    ago = int((s.now - s.seen_at).total_seconds())
    return Check("connection", False, f"The connection is lost: last seen {ago} s ago.", facts={"seen_at": s.seen_at})


def _limit(s: Standing) -> Check:
    ok = s.load.total < s.limits.total
    says = f"{s.load.total} of {s.limits.total} slots are taken."
    return Check("limit", ok, says, facts={"taken": s.load.total, "limit": s.limits.total})


def _channel_limits(s: Standing) -> list[Check]:
    checks = []
    for channel, limit in sorted(s.limits.channels.items()):
        taken = s.load.channels.get(channel, 0)
        says = f"{taken} of {limit} slots of the channel {channel} are taken."
        facts = {"channel": channel, "taken": taken, "limit": limit}
        checks.append(Check("channel_limit", taken < limit, says, blocks=False, facts=facts))
    return checks


def _quota(s: Standing) -> Check:
    facts = {"actual": s.contacts_today, "quota": s.daily_quota}
    if s.daily_quota is None:
        return Check("quota", True, f"{s.contacts_today} clients today, no quota.", facts=facts)
    ok = s.contacts_today < s.daily_quota
    more = "" if ok else " Only clients met today may still come."
    return Check("quota", ok, f"{s.contacts_today} of {s.daily_quota} clients today.{more}", facts=facts)


def _teams(s: Standing) -> Check:
    if not s.teams:
        return Check("teams", False, "This person is in no team.")
    working = sorted(k for k, t in s.teams.items() if t.is_active and t.is_auto)
    idle = sorted(s.teams.keys() - set(working))
    facts = {k: {"auto": t.is_auto, "active": t.is_active} for k, t in sorted(s.teams.items())}
    if not working:
        says = f"None of the teams distributes automatically: {', '.join(idle)}."
        return Check("teams", False, says, facts=facts)
    also = f" Not automatic or not active: {', '.join(idle)}." if idle else ""
    return Check("teams", True, f"Dialogs come from: {', '.join(working)}.{also}", facts=facts)


def _topics(s: Standing) -> Check:
    topics = sorted({topic for t in s.teams.values() if t.is_active for topic in t.topics})
    if not topics:
        says = "No topic leads to these teams: only dialogs without a topic, or moved there, come."
        return Check("topics", False, says, blocks=False, facts={"topics": []})
    return Check("topics", True, f"Topics covered: {', '.join(topics)}.", blocks=False, facts={"topics": topics})


def _exclusions(s: Standing) -> Check:
    if not s.excluded_from:
        return Check("exclusions", True, "No waiting dialog excludes this person.", blocks=False)
    says = f"{s.excluded_from} waiting dialogs exclude this person after a decline, an expiry or a release."
    return Check("exclusions", False, says, blocks=False, facts={"dialogs": s.excluded_from})


def _waiting(s: Standing) -> Check:
    queued = sum(t.queued for t in s.teams.values())
    unassigned = sum(t.unassigned for t in s.teams.values())
    facts = {"queued": queued, "unassigned": unassigned}
    if queued:
        return Check("waiting", True, f"{queued} dialogs are queued in these teams.", blocks=False, facts=facts)
    more = f" {unassigned} wait to be taken by hand." if unassigned else ""
    return Check("waiting", False, f"Nothing is queued in these teams.{more}", blocks=False, facts=facts)
