"""A policy as people write it, what is wrong with it, and what it promises to one dialog.

{"kinds": ["ticket"], "calendar": "office", "metrics": [
  {"metric": "tfr", "alias": "First answer", "target": 900, "warn": [50, 80], "targets": {"critical": 300}},
  {"metric": "tis", "status": "in_progress", "target": 14400}]}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.calendars.calendars import ALWAYS, Calendar
from domain.clocks.metrics import NORMS, Metric, Plan, Target
from domain.dialogs import TICKET_STATUSES, Kind, Status
from domain.errors import InvalidError

LONGEST_TARGET = 10 * 366 * 24 * 3600
"""Seconds."""
LONGEST_NORM = 604_800
MOST_METRICS = 20
MOST_WARNINGS = 20
LONGEST_ALIAS = 100
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_STATUSES = tuple(str(s) for s in TICKET_STATUSES if s != Status.CLOSED)
_METRICS = tuple(str(m) for m in Metric if m not in NORMS)
_KINDS = tuple(str(k) for k in Kind)


@dataclass(frozen=True, slots=True)
class Promise:
    """One metric of a policy. `seconds` for every priority that `by_priority` does not name."""

    metric: Metric
    seconds: int
    status: str = ""
    alias: str = ""
    warn: tuple[int, ...] = ()
    by_priority: dict[str, int] = field(default_factory=dict)

    def target(self, priority: str | None) -> Target:
        seconds = self.by_priority.get(priority or "", self.seconds)
        return Target(self.metric, seconds, self.warn, self.status, self.alias)


@dataclass(frozen=True, slots=True)
class Policy:
    """`kinds` of dialogs it is about; `calendar`: the key of the one that holds where the topic names none."""

    promises: tuple[Promise, ...]
    kinds: frozenset[str] = frozenset({str(Kind.TICKET)})
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Norms:
    """What a team promises of its operators, in seconds; None: nothing."""

    accept: int | None = None
    respond: int | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A calendar as it was chosen: its key and version."""

    calendar: Calendar
    ref: tuple[str, int]


def norms_of(accept: int | None, respond: int | None, everywhere: Norms) -> Norms:
    """A team's own norms before those that hold everywhere."""
    return Norms(everywhere.accept if accept is None else accept, everywhere.respond if respond is None else respond)


def plan_for(
    policy: Policy | None,
    kind: str,
    priority: str | None,
    calendar: Chosen | None,
    norms: Norms,
    *,
    policy_ref: tuple[str, int] | None = None,
    policy_calendar: Chosen | None = None,
) -> Plan:
    """What is promised to a dialog. `calendar`: its topic's; `policy_calendar`: the one its policy names itself."""
    targets: list[Target] = []
    concerns = policy is not None and kind in policy.kinds
    if policy is not None and concerns:
        targets += [promise.target(priority) for promise in policy.promises]
    if kind in (Kind.CHAT, Kind.TICKET):
        promised = ((Metric.ACCEPT, norms.accept), (Metric.RESPOND, norms.respond))
        targets += [Target(metric, seconds) for metric, seconds in promised if seconds is not None]
    mine = calendar or policy_calendar
    plan = Plan(
        tuple(targets), mine.calendar if mine else ALWAYS, policy_ref if concerns else None, mine.ref if mine else None
    )
    if calendar is None and policy_calendar is not None:
        return Plan(plan.targets, plan.calendar, plan.policy, plan.calendar_ref, ALWAYS, None)
    return plan


def policy_of(body: Mapping[str, Any], priorities: frozenset[str] | None = None) -> Policy:
    """Raises InvalidError with `field`, the place in the body. `priorities`: those there are, where it is known."""
    _require_known(body, {"kinds", "calendar", "metrics"}, "A policy", "")
    metrics = body.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        raise InvalidError("At least one metric is expected.", field="metrics")
    if len(metrics) > MOST_METRICS:
        raise InvalidError(f"A policy has at most {MOST_METRICS} metrics.", field="metrics")
    promises = tuple(_promise(given, f"metrics.{n}", priorities) for n, given in enumerate(metrics))
    seen: set[tuple[Metric, str]] = set()
    for n, promise in enumerate(promises):
        if (promise.metric, promise.status) in seen:
            about = f"{promise.metric} of {promise.status}" if promise.status else str(promise.metric)
            raise InvalidError(f"The metric {about} is promised twice.", field=f"metrics.{n}.metric")
        seen.add((promise.metric, promise.status))
    return Policy(promises, _kinds(body.get("kinds", ["ticket"])), _calendar(body.get("calendar")))


def body_of(policy: Policy) -> dict[str, Any]:
    """The policy as people write it; reading it answers the same policy."""
    return {
        "kinds": [kind for kind in _KINDS if kind in policy.kinds],
        "calendar": policy.calendar,
        "metrics": [
            {
                "metric": str(p.metric), "status": p.status or None, "alias": p.alias, "target": p.seconds,
                "warn": list(p.warn), "targets": dict(p.by_priority),
            }
            for p in policy.promises
        ],
    }  # fmt: skip


def _require_known(given: Mapping[str, Any], known: set[str], what: str, place: str) -> None:
    if unknown := sorted(str(name) for name in set(given) - known):
        name = _shown(unknown[0])
        raise InvalidError(f"{what} has no {name}: it has {', '.join(sorted(known))}.", field=place + name)


def _shown(value: Any) -> str:
    """What somebody wrote, as far as it can be told back: characters that no text may hold are spelled out."""
    return str(value)[:40].encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _kinds(given: Any) -> frozenset[str]:
    if not isinstance(given, list) or not given:
        raise InvalidError(f"A list of kinds is expected: {', '.join(_KINDS)}.", field="kinds")
    if unknown := [kind for kind in given if not isinstance(kind, str) or kind not in _KINDS]:
        raise InvalidError(f"There is no kind {_shown(unknown[0])}: {', '.join(_KINDS)}.", field="kinds")
    return frozenset(given)


def _calendar(given: Any) -> str | None:
    if given is None or (isinstance(given, str) and _KEY.fullmatch(given)):
        return given
    raise InvalidError("The key of a calendar is expected, or null.", field="calendar")


def _promise(given: Any, place: str, priorities: frozenset[str] | None) -> Promise:
    if not isinstance(given, Mapping):
        raise InvalidError("A metric with its target is expected.", field=place)
    _require_known(given, {"metric", "status", "alias", "target", "warn", "targets"}, "A metric", f"{place}.")
    name = given.get("metric")
    if not isinstance(name, str) or name not in _METRICS:
        raise InvalidError(f"There is no such metric: {', '.join(_METRICS)} are known.", field=f"{place}.metric")
    metric = Metric(name)
    return Promise(
        metric, _seconds(given.get("target"), f"{place}.target"), _status(metric, given.get("status"), place),
        _alias(given.get("alias", ""), place), _warnings(given.get("warn", []), place),
        _by_priority(given.get("targets", {}), place, priorities),
    )  # fmt: skip


def _seconds(given: Any, place: str) -> int:
    if not isinstance(given, int) or isinstance(given, bool):
        raise InvalidError("A target is a whole number of seconds.", field=place)
    if not 1 <= given <= LONGEST_TARGET:
        raise InvalidError("A target is at least one second and at most ten years.", field=place)
    return given


def _status(metric: Metric, given: Any, place: str) -> str:
    if metric is not Metric.TIS:
        if given is not None:
            raise InvalidError("Only the time in a status is about one status.", field=f"{place}.status")
        return ""
    if not isinstance(given, str) or given not in _STATUSES:
        raise InvalidError(f"Name the status: {', '.join(_STATUSES)}.", field=f"{place}.status")
    return given


def _alias(given: Any, place: str) -> str:
    if not isinstance(given, str) or len(given) > LONGEST_ALIAS or not given.isprintable():
        raise InvalidError(f"A name of at most {LONGEST_ALIAS} characters is expected.", field=f"{place}.alias")
    return given.strip()


def _warnings(given: Any, place: str) -> tuple[int, ...]:
    is_list = isinstance(given, list) and len(given) <= MOST_WARNINGS
    if not is_list or not all(isinstance(p, int) and not isinstance(p, bool) and 1 <= p <= 99 for p in given):
        raise InvalidError(
            f"At most {MOST_WARNINGS} whole percents of the target are expected, each from 1 to 99.",
            field=f"{place}.warn",
        )
    return tuple(sorted(set(given)))


def _by_priority(given: Any, place: str, priorities: frozenset[str] | None) -> dict[str, int]:
    if not isinstance(given, Mapping):
        raise InvalidError("Targets by priority are expected, like {'critical': 300}.", field=f"{place}.targets")
    for name in given:
        if not isinstance(name, str) or not _KEY.fullmatch(name) or (priorities is not None and name not in priorities):
            raise InvalidError(f"There is no priority {_shown(name)}.", field=f"{place}.targets")
    return {name: _seconds(seconds, f"{place}.targets.{name}") for name, seconds in sorted(given.items())}
