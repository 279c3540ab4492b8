"""What a definition names of its installation, and whether that is there (E401–E416, W611)."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.actions.manifests import Manifest
from domain.definitions.calls import references_in_calls
from domain.definitions.diagnostics import Findings
from domain.definitions.inputs import InputField
from domain.definitions.names import CHANNEL_KINDS, OPTIONS, closest
from domain.definitions.places import Path
from domain.definitions.scalars import has_braces
from domain.definitions.selections import AllOf, AnyOf, Audience, Comparison, Not
from domain.definitions.shapes import Definition
from domain.definitions.steps import Approve, Run, Wait
from domain.definitions.surveys import steps_of
from domain.definitions.triggers import WebhookTrigger
from domain.definitions.worlds import DEEPEST_CHAIN, KnownDefinition, Reference, World

#: input types whose default names a thing
_INPUTS = ("operator", "team", "channel", "topic", "tag", "status", "quick_reply", "template", "priority")
#: fields of conditions that hold keys
_FIELDS: Mapping[str, str] = {
    "dialog.team": "team", "dialog.topic": "topic", "dialog.tags": "tag", "contact.tags": "tag",
    "dialog.status": "status", "dialog.channel": "channel", "operator.teams": "team",
    "dialog.priority": "priority",
}  # fmt: skip
#: what roles a definition may name besides the installation's
_SYSTEM = "system"
_CODES: Mapping[str, str] = {
    "quick_reply": "E401", "role": "E402", "team": "E403", "topic": "E404", "tag": "E405", "status": "E406",
    "template": "E407", "connection": "E408", "channel": "E411", "operator": "E412", "user": "E412",
    "calendar": "E413", "secret": "E414", "ticket_type": "E415", "priority": "E416",
}  # fmt: skip


def references_of(definition: Definition, catalogue: Mapping[str, Manifest]) -> list[Reference]:
    """In the order of the text; people (`role:x`, `team:x`) are told apart. For checks and for export bundles."""
    found = [
        *_in_permissions(definition),
        *_in_triggers(definition),
        *_in_inputs(definition),
        *_in_selection(definition),
        *_in_mass(definition),
    ]
    for visit in steps_of(definition):
        if isinstance(visit.step, Approve):
            found += _audience(visit.step.approve.by, (*visit.path, "approve", "by"))
        elif isinstance(visit.step, Wait) and (calendar := visit.step.wait.calendar) is not None:
            found.append(Reference("calendar", calendar, (*visit.path, "wait", "calendar")))
        elif isinstance(visit.step, Run):
            errand = visit.step.run
            kind = "process" if errand.process else "macro"
            found.append(Reference(kind, errand.name, (*visit.path, "run", kind), errand.version))
            if errand.selection is not None:
                found += _in_where(errand.selection.where, (*visit.path, "run", "selection", "where"))
    found += references_in_calls(definition, catalogue)
    return [_told_apart(one) for one in found]


def _told_apart(reference: Reference) -> Reference:
    if reference.kind != "people":
        return reference
    kind, colon, key = reference.key.partition(":")
    if colon and kind in ("role", "team"):
        return Reference(kind, key, reference.path)
    return Reference("operator", reference.key, reference.path)


def _in_permissions(definition: Definition) -> Iterator[Reference]:
    for name in ("launch", "view"):
        yield from _audience(getattr(definition.permissions, name), ("permissions", name))


def _in_triggers(definition: Definition) -> Iterator[Reference]:
    for n, trigger in enumerate(definition.triggers):
        if isinstance(trigger, WebhookTrigger):
            yield Reference("secret", trigger.webhook.secret, ("triggers", n, "webhook", "secret"))


def _audience(audience: Audience, path: Path) -> Iterator[Reference]:
    for plural, kind in (("roles", "role"), ("teams", "team"), ("users", "user")):
        for n, key in enumerate(getattr(audience, plural)):
            if (kind, key) != ("role", _SYSTEM):
                yield Reference(kind, key, (*path, plural, n))


def _in_inputs(definition: Definition) -> Iterator[Reference]:
    fields: dict[str, InputField] = definition.inputs
    for name, one in fields.items():
        if one.type in _INPUTS and isinstance(one.default, str) and not has_braces(one.default):
            yield Reference(one.type, one.default, ("inputs", name, "default"))


def _in_mass(definition: Definition) -> Iterator[Reference]:
    for channel in definition.mass.rate if definition.mass else ():
        if channel != "default":
            yield Reference("channel", channel, ("mass", "rate", channel))


def _in_selection(definition: Definition) -> Iterator[Reference]:
    if definition.selection is not None:
        yield from _in_where(definition.selection.where, ("selection", "where"))


def _in_where(tree: Any, path: Path) -> Iterator[Reference]:
    match tree:
        case AllOf() | AnyOf():
            name = "all" if isinstance(tree, AllOf) else "any"
            for n, one in enumerate(getattr(tree, name)):
                yield from _in_where(one, (*path, name, n))
        case Not():
            yield from _in_where(tree.not_, (*path, "not"))
        case Comparison(field=field, value=value) if field in _FIELDS:
            values = value if isinstance(value, list) else [value]
            for n, one in enumerate(values):
                if isinstance(one, str) and not has_braces(one):
                    where = (*path, "value", n) if isinstance(value, list) else (*path, "value")
                    yield Reference(_FIELDS[field], one, where)


def check_references(
    definition: Definition, catalogue: Mapping[str, Manifest], world: World | None, findings: Findings
) -> None:
    """Without a world only what is the same everywhere: statuses, and a definition that starts itself."""
    known = _known_in(world)
    for reference in references_of(definition, catalogue):
        if reference.kind in ("process", "macro"):
            _errand(definition, reference, world, findings)
            continue
        if reference.kind == "new_tag":
            if world is not None and reference.key not in world.tags:
                findings.add("W611", reference.path, key=reference.key)
            continue
        code = _CODES.get(reference.kind)
        keys = known.get(reference.kind)
        if code is None or keys is None or reference.key in keys:
            continue
        if reference.kind in ("user", "operator") and reference.key.lower() in keys:
            continue
        suggestion = closest(reference.key, keys)
        is_key = reference.path[:2] == ("mass", "rate")
        span = findings.places.key(reference.path) if is_key else findings.places.value(reference.path)
        written = findings.places.written(span) or ""
        fix = written.replace(reference.key, suggestion) if suggestion and written.count(reference.key) == 1 else None
        findings.add(code, reference.path, span=span, key=reference.key, suggestion=suggestion, fix=fix)


def _known_in(world: World | None) -> dict[str, frozenset[str]]:
    """Kind → keys; kinds that cannot be told are left out."""
    known = {"status": frozenset(OPTIONS["dialog.status"])}
    if world is None:
        return known
    users = world.users
    return known | {
        "quick_reply": world.quick_replies, "role": world.roles, "team": world.teams, "topic": world.topics,
        "tag": world.tags, "template": world.templates, "connection": world.connections,
        "channel": world.channels | CHANNEL_KINDS, "operator": users, "user": users,
        "calendar": world.calendars, "secret": world.secrets, "ticket_type": world.ticket_types,
        "priority": world.priorities,
    }  # fmt: skip


def _errand(definition: Definition, reference: Reference, world: World | None, findings: Findings) -> None:
    if reference.key == definition.name:
        findings.add("E410", reference.path, chain=f"{definition.name} → {reference.key}")
        return
    if world is None:
        return
    found = world.definitions.get(reference.key)
    if found is None or found.kind != reference.kind:
        names = [name for name, one in world.definitions.items() if one.kind == reference.kind]
        suggestion = closest(reference.key, names)
        findings.add(
            "E409", reference.path, kind=reference.kind, key=reference.key, suggestion=suggestion, fix=suggestion
        )  # fmt: skip
        return
    version = found.pinned(reference.version or "pinned")
    if version is None:
        wording = "E409.version" if found.latest else "E409.unpublished"
        findings.add(
            wording, reference.path, kind=reference.kind, key=reference.key, version=reference.version,
            latest=found.latest,
        )  # fmt: skip
        return
    _inputs(definition, reference, found, version, findings)
    _chain(definition, reference, world, findings)


def _inputs(
    definition: Definition, reference: Reference, found: KnownDefinition, version: int, findings: Findings
) -> None:
    known = found.versions.get(version)
    step = next(visit.step for visit in steps_of(definition) if visit.path == reference.path[:-2])
    if known is None:
        return
    path = (*reference.path[:-1], "inputs")
    for name in step.run.inputs:
        if name not in known.inputs:
            suggestion = closest(name, known.inputs)
            findings.add("E302.input", (*path, name), at_key=True, name=name, suggestion=suggestion, fix=suggestion)
    for name, is_required in known.inputs.items():
        if is_required and name not in step.run.inputs:
            findings.add("E202", path if findings.places.written_at(path) == path else path[:-1], key=name)


def _chain(definition: Definition, reference: Reference, world: World, findings: Findings) -> None:
    """Whether what is started leads back here, or too deep."""
    longest = 1

    def follow(name: str, version: int | str | None, chain: tuple[str, ...]) -> tuple[str, ...] | None:
        nonlocal longest
        longest = max(longest, len(chain))
        known = world.definitions.get(name)
        pinned = known.pinned(version or "pinned") if known else None
        if known is None or pinned is None or len(chain) > 10:
            return None
        for below, its_version in known.versions[pinned].runs if pinned in known.versions else ():
            if below == definition.name or below in chain:
                return (*chain, below)
            if (found := follow(below, its_version, (*chain, below))) is not None:
                return found
        return None

    circle = follow(reference.key, reference.version, (reference.key,))
    if circle is not None:
        findings.add("E410", reference.path, chain=" → ".join((definition.name, *circle)))
    elif longest > DEEPEST_CHAIN:
        findings.add("E506.chain", reference.path, count=longest, most=DEEPEST_CHAIN)
