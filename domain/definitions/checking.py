"""Everything that can be said about a definition without running it, and with `full_check` by running its tests."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from domain.actions.manifests import Manifest
from domain.definitions.blueprints import expand
from domain.definitions.calls import check_calls, result_fields
from domain.definitions.canonical import canonical_of
from domain.definitions.contexts import Book
from domain.definitions.diagnostics import Diagnostic, EnoughError, Findings, has_errors
from domain.definitions.forms import Forms, fits
from domain.definitions.inputs import InputField
from domain.definitions.lints import check_lints
from domain.definitions.loading import Loaded
from domain.definitions.names import closest
from domain.definitions.patterns import Patterns
from domain.definitions.policies import check_policies
from domain.definitions.reading import Reader
from domain.definitions.references import check_references
from domain.definitions.scalars import has_braces
from domain.definitions.scoping import Scoping
from domain.definitions.shapes import Definition
from domain.definitions.shaping import shape
from domain.definitions.surveys import steps_of
from domain.definitions.worlds import World
from domain.walks.rehearsals import TestResult, covered, rehearse


def check(
    loaded: Loaded,
    catalogue: Mapping[str, Manifest],
    world: World | None = None,
    publisher: frozenset[str] | None = None,
    *,
    timezones: frozenset[str] | None = None,
) -> list[Diagnostic]:
    """What loading found and everything behind it, in the order of the text.

    `world`: what there is in the installation; without it references are not looked up. `publisher`: the rights of
    whoever publishes; None where nobody does.
    """
    findings = Findings(loaded.places)
    findings.extend(loaded.diagnostics)
    with suppress(EnoughError):
        draft = loaded.draft
        if draft is not None and draft.use is not None:
            document = _expanded(loaded, world, findings)
            draft = shape(document, findings) if document is not None else None
        if draft is not None:
            _check(draft, catalogue, world, publisher, timezones, findings)
    return findings.sorted()


def _check(
    definition: Definition,
    catalogue: Mapping[str, Manifest],
    world: World | None,
    publisher: frozenset[str] | None,
    timezones: frozenset[str] | None,
    findings: Findings,
) -> None:
    book = Book.of(definition, result_fields(definition, catalogue))
    patterns = Patterns()
    reader = Reader(book, findings, patterns)
    Forms(definition, catalogue, findings, patterns).check(timezones)
    Scoping(book, reader).check()
    check_calls(definition, catalogue, findings)
    check_references(definition, catalogue, world, findings)
    check_policies(definition, catalogue, publisher, findings)
    check_lints(definition, catalogue, reader.read_vars, findings)


def _expanded(loaded: Loaded, world: World | None, findings: Findings) -> dict[str, Any] | None:
    """The canonical document an instance of a blueprint stands for, as far as the installation tells."""
    use = loaded.draft.use if loaded.draft else None
    if use is None or world is None or loaded.canonical is None:
        return None
    blueprint = world.blueprints.get((use.blueprint, use.version))
    if blueprint is None:
        names = [name for name, _ in world.blueprints]
        if use.blueprint in names:
            latest = max(number for name, number in world.blueprints if name == use.blueprint)
            findings.add(
                "E409.version", ("use", "version"), kind="blueprint", key=use.blueprint, version=use.version,
                latest=latest,
            )  # fmt: skip
            return None
        suggestion = closest(use.blueprint, names)
        findings.add("E409", ("use", "blueprint"), kind="blueprint", key=use.blueprint, suggestion=suggestion)
        return None
    for name, declared in blueprint.get("parameters", {}).items():
        given, field = use.with_.get(name), InputField.model_validate(declared)
        if given is not None and not has_braces(given) and not fits(field, given):
            findings.add("E203.parameter", ("use", "with", name), name=name, type=field.type)
            return None
    try:
        return canonical_of(expand(loaded.canonical, blueprint))
    except ValueError as wrong:
        name = str(wrong)
        if name in use.with_:
            findings.add("E302.input", ("use", "with", name), at_key=True, name=name)
        else:
            findings.add("E202", ("use",), key=name)
        return None


def full_check(
    loaded: Loaded,
    catalogue: Mapping[str, Manifest],
    world: World | None = None,
    publisher: frozenset[str] | None = None,
    *,
    timezones: frozenset[str] | None = None,
) -> list[Diagnostic]:
    """`check`, then the definition's own tests (T701, W610), which run only when there are no errors."""
    found = check(loaded, catalogue, world, publisher, timezones=timezones)
    if has_errors(found) or loaded.canonical is None or loaded.definition is None:
        return found
    definition: Definition | None = loaded.definition
    canonical: dict[str, Any] | None = loaded.canonical
    if loaded.definition.use is not None:
        canonical = _expanded(loaded, world, Findings(loaded.places))
        definition = shape(canonical, Findings(loaded.places)) if canonical is not None else None
    if definition is None or canonical is None or definition.kind == "blueprint":
        return found
    findings = Findings(loaded.places)
    findings.extend(found)
    with suppress(EnoughError):
        _run_tests(definition, rehearse(canonical), findings)
    return findings.sorted()


def _run_tests(definition: Definition, results: Sequence[TestResult], findings: Findings) -> None:
    if not definition.tests:
        findings.add("W610.none", ())
        return
    for n, result in enumerate(results):
        if not result.passed:
            said, *more = result.failures
            trace = [line for line in more if "\n" in line]
            why = "; ".join(line for line in more if line not in trace)
            findings.add("T701", ("tests", n), name=result.name, said=said, why=why, trace=trace)
    ran = covered(results)
    for visit in steps_of(definition):
        if visit.section == "do" and visit.step.id and visit.step.id not in ran and not visit.step.disabled:
            findings.add("W610", visit.path, name=visit.step.id)
