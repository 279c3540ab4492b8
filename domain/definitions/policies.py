"""What a definition may not do though it is well written (E502, E504–E510)."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from domain.actions.capabilities import covers
from domain.actions.manifests import Manifest
from domain.definitions.calls import calls_of, capabilities_of
from domain.definitions.diagnostics import Findings
from domain.definitions.places import Path
from domain.definitions.scalars import Duration
from domain.definitions.shapes import DEEPEST_STEPS, MOST_STEPS, Definition
from domain.definitions.steps import Approve, Listen, Step, Switch, Wait
from domain.definitions.surveys import steps_of
from domain.definitions.triggers import EventTrigger, ManualTrigger, ScheduleTrigger, Trigger, WebhookTrigger
from domain.durations import format_duration
from domain.windows import WINDOWS

LONGEST_ITEM = timedelta(days=30)
_FOR_PROCESSES = ("selection", "mass", "before", "after")
_FOR_BLUEPRINTS = ("parameters",)
SYSTEM = "system"


def check_policies(
    definition: Definition, catalogue: Mapping[str, Manifest], publisher: frozenset[str] | None, findings: Findings
) -> None:
    """`publisher`: the rights of whoever publishes; None where nobody does."""
    _limits(definition, findings)
    _kinds(definition, catalogue, findings)
    _places(definition, catalogue, findings)
    _windows(definition, findings)
    for n, trigger in enumerate(definition.triggers):
        _trigger(definition, trigger, ("triggers", n), findings)
    if definition.kind != "macro":
        _guard_rail(definition, findings)
    if publisher is not None:
        for capability, path in capabilities_of(definition, catalogue).items():
            if not covers(publisher, capability):
                findings.add("E505", path, capability=capability)


def _limits(definition: Definition, findings: Findings) -> None:
    visits = list(steps_of(definition))
    if len(visits) > MOST_STEPS:
        findings.add("E506", visits[MOST_STEPS].path, count=len(visits), most=MOST_STEPS)
    deepest = max(visits, key=lambda visit: visit.depth, default=None)
    if deepest is not None and deepest.depth > DEEPEST_STEPS:
        findings.add("E506.depth", deepest.path, count=deepest.depth, most=DEEPEST_STEPS)
    _long(definition.timeout, ("timeout",), findings)
    for visit in visits:
        for path, span in _spans_of(visit.step):
            _long(span, (*visit.path, *path), findings)
        if isinstance(visit.step, Switch):
            for n, case in enumerate(visit.step.switch[:-1]):
                if case.else_:
                    findings.add("E502", (*visit.path, "switch", n, "else"), at_key=True)


def _spans_of(step: Step) -> Iterator[tuple[Path, object]]:
    """How long a step may take."""
    yield ("timeout",), step.timeout
    match step:
        case Wait():
            yield ("wait", "for"), step.wait.for_
        case Listen():
            yield ("listen", "timeout"), step.listen.timeout
        case Approve():
            yield ("approve", "timeout"), step.approve.timeout


def _long(span: object, path: Path, findings: Findings) -> None:
    """No item lives long enough for it."""
    if isinstance(span, Duration) and span.span > LONGEST_ITEM:
        name = "wait" if path[-1] == "for" else path[-1]
        findings.add("E506.long", path, name=name, most=format_duration(LONGEST_ITEM))


def _kinds(definition: Definition, catalogue: Mapping[str, Manifest], findings: Findings) -> None:
    if definition.kind != "blueprint":
        for name in _FOR_BLUEPRINTS:
            if getattr(definition, name):
                findings.add("E508.blueprint", (name,), at_key=True, name=name)
    if definition.kind != "macro":
        for visit, call in calls_of(definition):
            if (manifest := catalogue.get(call.call)) and manifest.macros_only and definition.kind == "process":
                findings.add("E508.macros_only", (*visit.path, "call"), name=call.call)
        return
    for name in _FOR_PROCESSES:
        if getattr(definition, name) is not None:
            findings.add("E508.macro", (name,), at_key=True, name=name)
    if definition.target != "dialog":
        findings.add("E508.macro", ("target",), name=f"target: {definition.target}")
    for n, trigger in enumerate(definition.triggers):
        if not isinstance(trigger, ManualTrigger):
            findings.add("E508.macro", ("triggers", n), name=_name_of(trigger))


def _name_of(trigger: Trigger) -> str:
    return {EventTrigger: "event", ScheduleTrigger: "schedule", WebhookTrigger: "webhook"}.get(type(trigger), "manual")


def _places(definition: Definition, catalogue: Mapping[str, Manifest], findings: Findings) -> None:
    """Actions on a dialog where there is none."""
    starts = any(call.call == "start_dialog" for _, call in calls_of(definition))
    for visit, call in calls_of(definition):
        manifest = catalogue.get(call.call)
        if manifest is None or manifest.needs == "none":
            continue
        if visit.section in ("before", "after"):
            findings.add("E508", (*visit.path, "call"), name=call.call, where=visit.section)
            continue
        has_contact = definition.target in ("dialog", "contact")
        has_dialog = definition.target == "dialog" or (starts and call.call != "start_dialog")
        is_there = {"dialog": has_dialog, "contact": has_contact, "either": has_contact or has_dialog}
        if not is_there.get(manifest.needs, True):
            needs = "contact" if manifest.needs == "contact" else "dialog"
            findings.add(
                "E508.target", (*visit.path, "call"), name=call.call, needs=needs, target=definition.target
            )  # fmt: skip


def _windows(definition: Definition, findings: Findings) -> None:
    """Messages that no channel would take."""
    for visit, call in calls_of(definition):
        params, path = call.with_, (*visit.path, "with")
        if params.get("template") is not None:
            continue
        if call.call == "start_dialog" and str(params.get("channel")) in WINDOWS and params.get("contact") is None:
            findings.add("E510", (*path, "channel"))
        if call.call in ("send_message", "send_quick_reply") and params.get("if_window_closed") == "template":
            findings.add("E510.template", (*path, "if_window_closed"))


def _trigger(definition: Definition, trigger: Trigger, path: Path, findings: Findings) -> None:
    if isinstance(trigger, ManualTrigger):
        return
    if SYSTEM not in definition.permissions.launch.roles:
        findings.add("E507", (*path, _name_of(trigger)), at_key=True)
    if isinstance(trigger, WebhookTrigger):
        return
    for name, one in definition.inputs.items():
        # What a form shows only sometimes is required only then.
        is_needed = one.required and one.default is None and one.show_if is None
        if is_needed and trigger.inputs.get(name) is None:
            findings.add("E504", (*path, _name_of(trigger)), at_key=True, name=name)


def _guard_rail(definition: Definition, findings: Findings) -> None:
    """A schedule, or a launch from an operator, names no items: without a condition it would take all of them."""
    has_where = definition.selection is not None and definition.selection.where is not None
    if has_where or definition.target not in ("dialog", "contact"):
        return
    for n, trigger in enumerate(definition.triggers):
        path: Path = ("triggers", n)
        if isinstance(trigger, ScheduleTrigger):
            findings.add("E509", (*path, "schedule"), at_key=True, every=definition.target)
        elif isinstance(trigger, ManualTrigger) and "operator" in trigger.manual.from_:
            findings.add("E509", (*path, "manual"), at_key=True, every=definition.target)
        elif isinstance(trigger, EventTrigger) and trigger.event.startswith("operator."):
            findings.add("E509", (*path, "event"), every=definition.target)
