"""What is allowed and probably not meant (E309, W602–W609)."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from domain.actions.manifests import Effect, Manifest
from domain.definitions.calls import calls_of
from domain.definitions.diagnostics import Findings
from domain.definitions.places import Path
from domain.definitions.scalars import Duration, has_braces
from domain.definitions.shapes import Definition
from domain.definitions.steps import Call, Do, For, Fork, Listen, Raise, Set, Stop, Switch, Try, Wait
from domain.definitions.surveys import sections_of, steps_of, walk
from domain.definitions.triggers import ManualTrigger, ScheduleTrigger
from domain.durations import format_duration
from domain.expressions import fields_in
from domain.walks.contexts import FILLABLE

_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_SENDS = ("send_message", "send_quick_reply")
#: channels one may write in at any time
_WITHOUT_WINDOW = ("email", "sms", "phone", "widget", "generic")
_DAY = timedelta(days=1)
_MANY = frozenset({"table", "folder", "operator"})


def check_lints(
    definition: Definition, catalogue: Mapping[str, Manifest], read_vars: set[str], findings: Findings
) -> None:
    _parallel_sets(definition, findings)
    for section, steps in sections_of(definition):
        _unreachable(steps, (section,), findings)
    _calls(definition, findings)
    _rate(definition, catalogue, findings)
    for _, steps in sections_of(definition):
        _waits(steps, findings, definition)
    for name in definition.vars:
        if name not in read_vars:
            findings.add("W609", ("vars", name), at_key=True, name=name)


# --- variables set at the same time


def _parallel_sets(definition: Definition, findings: Findings) -> None:
    for visit in steps_of(definition):
        if isinstance(visit.step, Fork):
            seen: set[str] = set()
            for n, branch in enumerate(visit.step.fork.branches):
                mine = list(_sets(branch.do, (*visit.path, "fork", "branches", n, "do")))
                for name, path in mine:
                    if name in seen:
                        findings.add("E309", path, at_key=True, name=name)
                seen.update(name for name, _ in mine)
        elif isinstance(visit.step, For) and visit.step.for_.concurrency > 1:
            for name, path in _sets(visit.step.do, (*visit.path, "do")):
                findings.add("E309.loop", path, at_key=True, name=name)


def _sets(steps: tuple[Any, ...], path: Path) -> Iterator[tuple[str, Path]]:
    for visit in walk(steps, path, ""):
        if isinstance(visit.step, Set):
            for name in visit.step.set:
                yield name, (*visit.path, "set", name)


# --- steps that never run


def _unreachable(steps: tuple[Any, ...], path: Path, findings: Findings) -> bool:
    """Whether nothing runs behind these steps."""
    ends = False
    for n, step in enumerate(steps):
        here = (*path, n)
        if _ends(step, here, findings) and not ends:
            ends = True
            if n + 1 < len(steps):
                findings.add("W602", here)
    return ends


def _ends(step: Any, path: Path, findings: Findings) -> bool:
    match step:
        case Stop() | Raise():
            inner = True
        case Do():
            inner = _unreachable(step.do, (*path, "do"), findings)
        case Switch():
            cases = [_unreachable(c.do, (*path, "switch", n, "do"), findings) for n, c in enumerate(step.switch)]
            inner = all(cases) and any(case.else_ for case in step.switch)
        case Try():
            tried = _unreachable(step.try_, (*path, "try"), findings)
            caught = step.catch is None or _unreachable(step.catch.do, (*path, "catch", "do"), findings)
            finished = step.finally_ is not None and _unreachable(step.finally_, (*path, "finally"), findings)
            inner = (tried and caught) or finished
        case For():
            _unreachable(step.do, (*path, "do"), findings)
            inner = False
        case Fork():
            for n, branch in enumerate(step.fork.branches):
                _unreachable(branch.do, (*path, "fork", "branches", n, "do"), findings)
            inner = False
        case _:
            inner = False
    is_sure = step.if_ is None and not step.disabled and step.on_error == "fail"
    return inner and is_sure


# --- calls


def _calls(definition: Definition, findings: Findings) -> None:
    for visit, call in calls_of(definition):
        if call.call == "http" and call.with_.get("method") in _CHANGING and call.with_.get("idempotent") is not True:
            if call.retry is not None and call.retry.max_attempts > 1:
                findings.add("W604", (*visit.path, "retry"), at_key=True, method=call.with_["method"])
        elif call.call in _SENDS and "if_window_closed" not in call.with_:
            findings.add("W607", (*visit.path, "call"))
        for name, value in call.with_.items():
            if isinstance(value, str) and not has_braces(value):
                for field, _ in fields_in(value):
                    if field in FILLABLE:
                        findings.add("W612", (*visit.path, "with", name), name=field)


def _rate(definition: Definition, catalogue: Mapping[str, Manifest], findings: Findings) -> None:
    is_mass = any(
        isinstance(trigger, ScheduleTrigger)
        or (isinstance(trigger, ManualTrigger) and not _MANY.isdisjoint(trigger.manual.from_))
        for trigger in definition.triggers
    )
    if definition.kind != "process" or not is_mass or (definition.mass is not None and definition.mass.rate):
        return
    for visit, call in calls_of(definition):
        if (manifest := catalogue.get(call.call)) and manifest.effect is Effect.SEND and visit.section == "do":
            findings.add("W605", (*visit.path, "call"))
            return


def _waits(steps: tuple[Any, ...], findings: Findings, definition: Definition) -> None:
    """Messages behind a wait as long as a reply window."""
    path: Path = (next(name for name, own in sections_of(definition) if own is steps),)
    waited: timedelta | None = None
    for visit in walk(steps, path, ""):
        step = visit.step
        if isinstance(step, Wait) and isinstance(step.wait.for_, Duration):
            waited = step.wait.for_.span
        elif isinstance(step, Listen):
            waited = None
        elif isinstance(step, Call) and step.call in _SENDS and waited is not None and waited >= _DAY:
            policy, channel = step.with_.get("if_window_closed"), step.with_.get("channel")
            if policy in (None, "fail") and step.with_.get("template") is None and channel not in _WITHOUT_WINDOW:
                findings.add("W606", visit.path, wait=format_duration(waited))
