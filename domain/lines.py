"""From a group of events to the line that tells it: one small function for each kind of thing that happens."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.histories import UPDATE_ACCEPTED, UPDATE_COMPLETED, By, Category, Group, Line

SYSTEM, CLOCK = By("system"), By("clock")
#: kind of workflow → what its waits are for, where the wait itself does not say
WAITS = {"transfer": "window", "presence": "lease", "dialog": "linger", "sla": "deadline"}
_CONTINUED = "CONTINUE_AS_NEW"
#: the activity result that says how a delivery ended
_UNDELIVERED = frozenset({"failed", "unknown"})


def tell(group: Group, run_id: str, workflow: str, tries: Mapping[str, Mapping[str, Any]] | None = None) -> Line:
    """`workflow` is the kind of the workflow; `tries`: activity id → attempt and last failure of what is under way."""
    opener = group.events[-1]
    for prefix, teller in _TELLERS:
        if opener.kind.startswith(prefix):
            return teller(group, run_id, workflow, tries or {})
    return _line(group, run_id, Category.PLATFORM, opener.kind)


def _line(
    group: Group, run_id: str, category: Category, code: str, by: By = SYSTEM, outcome: str = "done", **more: Any
) -> Line:
    first, last = group.events[-1], group.events[0]
    began_at = group.began_at or first.at
    took = last.at - began_at if last.id != first.id else None
    return Line(
        at=last.at, began_at=began_at, run_id=run_id, first=first.id, last=last.id, category=category, code=code,
        by=by, outcome=outcome, **{"took": took, **more},
    )  # fmt: skip


def _command(group: Group, run_id: str, _: str, __: Mapping[str, Any]) -> Line:
    accepted, completed = group.find(UPDATE_ACCEPTED), group.find(UPDATE_COMPLETED)
    request = _dig((accepted or group.events[-1]).facts, "accepted_request", "input")
    code = str(request.get("name") or "command")
    given = _first(request.get("args"))
    given = given if isinstance(given, Mapping) else {}
    asked = {k: v for k, v in _dig(given, "command").items() if k != "kind" and v not in (None, [], ())}
    who = By("user", found) if (found := as_uuid(given.get("caller"))) else SYSTEM
    facts, attempts = _brought_up(group)
    shared: dict[str, Any] = {"details": asked, "facts": facts, "attempts": attempts}
    if completed is None:
        return _line(group, run_id, Category.COMMAND, code, who, "pending", **shared)
    failure = _dig(completed.facts, "outcome", "failure")
    answer = _first(_dig(completed.facts, "outcome").get("success"))
    answer = answer if isinstance(answer, Mapping) else {}
    refusal = _dig(failure, "application_failure_info").get("type") or ("failed" if failure else answer.get("refusal"))
    if refusal is not None:
        why = failure.get("message") or _dig(answer, "answer").get("detail")
        return _line(group, run_id, Category.REFUSED, code, who, str(refusal), why=why, **shared)
    return _line(group, run_id, Category.COMMAND, code, who, "done", why=asked.get("reason"), **shared)


def _transaction(group: Group, run_id: str, workflow: str, tries: Mapping[str, Any]) -> Line:
    """A marker: one local activity. Those of a command whose beginning is not in this history are told with it."""
    event = group.events[0]
    if group.find(UPDATE_ACCEPTED, UPDATE_COMPLETED):
        return _command(group, run_id, workflow, tries)
    data = _first(_dig(event.facts, "details").get("data"))
    code = str(data.get("activity_type")) if _is_map(data) else str(event.facts.get("marker_name"))
    facts, attempts = _brought_up(group)
    if failure := _dig(event.facts, "failure"):
        return _failed(group, run_id, code, failure, attempts=attempts)
    result = _first(_dig(event.facts, "details").get("result"))
    ended = result.get("state") if _is_map(result) else result
    if isinstance(ended, str) and ended != "pending":
        return _line(group, run_id, Category.FACT, code, outcome=ended, facts=facts, attempts=attempts)
    category = Category.FACT if facts else Category.PLATFORM
    details = {"for": _ids_brought_up(group)} if facts else {}
    return _line(group, run_id, category, code, facts=facts, attempts=attempts, details=details)


def _wait(group: Group, run_id: str, workflow: str, _: Mapping[str, Any]) -> Line:
    started = group.events[-1]
    length = timedelta(seconds=float(started.facts.get("start_to_fire_timeout") or 0))
    code = started.summary or WAITS.get(workflow, "wait")
    end = {"timer_fired": "woke", "timer_canceled": "ended_early"}.get(group.events[0].kind, "pending")
    by = CLOCK if end == "woke" else SYSTEM
    return _line(group, run_id, Category.WAIT, code, by, end, details={"until": started.at + length})


def _delivery(group: Group, run_id: str, _: str, tries: Mapping[str, Any]) -> Line:
    scheduled, newest = group.events[-1], group.events[0]
    code = str(_dig(scheduled.facts, "activity_type").get("name") or "activity")
    given = _first(scheduled.facts.get("input"))
    details = {"given": given} if isinstance(given, str) else {}
    if scheduled.summary:
        details["summary"] = scheduled.summary
    started = group.find("activity_task_started")
    now = tries.get(str(scheduled.facts.get("activity_id")), {})
    attempts = int((started.facts.get("attempt") if started else now.get("attempt")) or 1)
    failure = (_dig(started.facts, "last_failure") if started else None) or now.get("last_failure") or {}
    shared: dict[str, Any] = {"attempts": attempts, "details": details, "why": told_failure(failure)}
    match newest.kind.removeprefix("activity_task_"):
        case "completed":
            result = _first(newest.facts.get("result"))
            outcome = result if isinstance(result, str) else "done"
            category = Category.FAILURE if outcome in _UNDELIVERED else Category.DELIVERY
            return _line(group, run_id, category, code, outcome=outcome, **shared)
        case "failed" | "timed_out" as end:
            shared["why"] = told_failure(_dig(newest.facts, "failure")) or shared["why"]
            return _line(group, run_id, Category.FAILURE, code, outcome=end, **shared)
        case "canceled":
            return _line(group, run_id, Category.DELIVERY, code, outcome="cancelled", **shared)
    return _line(group, run_id, Category.DELIVERY, code, outcome="pending", **shared)


def _child(group: Group, run_id: str, _: str, __: Mapping[str, Any]) -> Line:
    initiated, newest = group.events[-1], group.events[0]
    end = newest.kind.removeprefix("start_").removeprefix("child_workflow_execution_")
    known = {"workflow_id": _child_id(group), "workflow": _dig(initiated.facts, "workflow_type").get("name")}
    code = str(known["workflow"] or "child")
    if end in ("failed", "timed_out", "terminated"):
        why = told_failure(_dig(newest.facts, "failure")) or newest.facts.get("cause")
        return _line(group, run_id, Category.FAILURE, code, outcome=end, why=why, details=known)
    outcome = {"started": "started", "completed": "done", "canceled": "cancelled"}.get(end, "pending")
    return _line(group, run_id, Category.CHILD, code, outcome=outcome, details=known)


def _signal(group: Group, run_id: str, _: str, __: Mapping[str, Any]) -> Line:
    """`ring` only wakes: what it led to is told by the transaction that looked."""
    name = str(group.events[0].facts.get("signal_name"))
    return _line(group, run_id, Category.PLATFORM if name == "ring" else Category.FACT, name)


def _life(group: Group, run_id: str, _: str, __: Mapping[str, Any]) -> Line:
    """The beginning and the end of a run."""
    event = group.events[0]
    code = event.kind.removeprefix("workflow_execution_")
    details = {"workflow": name} if (name := _dig(event.facts, "workflow_type").get("name")) else {}
    match code:
        case "started":
            is_new = event.facts.get("initiator") != _CONTINUED and not event.facts.get("continued_execution_run_id")
            category = Category.FACT if is_new else Category.PLATFORM
            return _line(group, run_id, category, "began" if is_new else "continued", details=details)
        case "completed":
            result = _first(event.facts.get("result"))
            return _line(group, run_id, Category.FACT, "ended", outcome=result if isinstance(result, str) else "done")
        case "failed" | "timed_out" | "terminated" | "canceled" | "cancel_requested":
            why = told_failure(_dig(event.facts, "failure")) or event.facts.get("reason") or event.facts.get("cause")
            return _line(group, run_id, Category.FAILURE, code, outcome=code, why=why)
    return _line(group, run_id, Category.PLATFORM, code)


def _turn(group: Group, run_id: str, _: str, __: Mapping[str, Any]) -> Line:
    event = group.events[0]
    why = told_failure(_dig(event.facts, "failure")) or event.facts.get("timeout_type") or event.facts.get("cause")
    return _line(group, run_id, Category.PLATFORM, event.kind, outcome=event.kind.rpartition("task_")[2], why=why)


def _failed(group: Group, run_id: str, code: str, failure: Mapping[str, Any], **more: Any) -> Line:
    return _line(group, run_id, Category.FAILURE, code, outcome="failed", why=told_failure(failure), **more)


def told_failure(failure: Mapping[str, Any] | None) -> str | None:
    """The innermost message: wrappers only say that something failed."""
    message: str | None = None
    while failure:
        message = failure.get("message") or message
        failure = failure.get("cause")
    return message


def as_uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _reactions(group: Group) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for event in reversed(group.events):
        result = _first(_dig(event.facts, "details").get("result"))
        if _is_map(result) and isinstance(result.get("reactions"), list):
            found += [r for r in result["reactions"] if _is_map(r) and "kind" in r]
    return found


def _brought_up(group: Group) -> tuple[tuple[str, ...], int | None]:
    """Kinds of the rows that the group's transactions found waiting, and how many tries those took."""
    tries = [
        int(data.get("attempt") or 1)
        for event in group.events
        if _is_map(data := _first(_dig(event.facts, "details").get("data")))
    ]
    return tuple(str(r["kind"]) for r in _reactions(group)), max(tries, default=None)


def _ids_brought_up(group: Group) -> list[Any]:
    return [r.get("payload") for r in _reactions(group) if r.get("payload")]


def _child_id(group: Group) -> str | None:
    for event in group.events:
        found = event.facts.get("workflow_id") or _dig(event.facts, "workflow_execution").get("workflow_id")
        if found:
            return str(found)
    return None


def _dig(facts: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for name in path:
        inner = facts.get(name)
        facts = inner if isinstance(inner, Mapping) else {}
    return facts


def _first(values: Any) -> Any:
    return values[0] if isinstance(values, list) and values else None


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


Teller = Callable[[Group, str, str, Mapping[str, Any]], Line]
#: the first whose prefix fits tells the group
_TELLERS: tuple[tuple[str, Teller], ...] = (
    ("workflow_execution_update_", _command),
    ("marker_recorded", _transaction),
    ("timer_", _wait),
    ("activity_task_", _delivery),
    ("start_child_workflow_", _child),
    ("child_workflow_", _child),
    ("workflow_execution_signaled", _signal),
    ("workflow_execution_", _life),
    ("workflow_task_", _turn),
)
