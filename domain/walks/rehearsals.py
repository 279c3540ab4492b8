"""Tests of definitions: the file's own, and previews of one item. In memory, by a clock that jumps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from domain.actions.manifests import Manifest
from domain.definitions.canonical import canonical_of, from_canonical
from domain.definitions.shapes import Definition, Run, TestCase
from domain.definitions.surveys import steps_of
from domain.expressions.values import format_moment
from domain.input_values import REFERENCES
from domain.run_inputs import check
from domain.walks.comparing import differences, told
from domain.walks.memory import Memory, Stage, stage_for
from domain.walks.ports import Brief, Event, Outcome, Snapshot, StepRecord, lock_key
from domain.walks.samples import START, sample_run, sample_snapshot
from domain.walks.schedulers import Clockwork
from domain.walks.scopes import names_of
from domain.walks.sizes import MOST_FUEL
from domain.walks.walk import Phase, walk_item, walk_phase

#: the tests of a definition are run while its author waits: their fuel is shared out
FUEL_OF_ALL, LEAST_FUEL = 2_000_000, 50_000
_NO_STEP = frozenset({"guard", "outputs", "cut"})


@dataclass(frozen=True, slots=True)
class Played:
    """An event and how long after the start it happens."""

    after: timedelta
    event: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a walk in memory went. `calls`: how often each action was carried out. `path`: steps executed, in order."""

    outcome: Outcome
    records: tuple[StepRecord, ...]
    calls: dict[str, int]
    took: timedelta

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(
            record.step for record in self.records if record.status != "skipped" and record.kind not in _NO_STEP
        )


@dataclass(frozen=True, slots=True)
class TestResult:
    """`failures`: what was expected and what happened, one line each, the trace last; empty when it passed.

    `executed`: every step that ran, in any phase.
    """

    __test__ = False

    name: str
    failures: tuple[str, ...]
    executed: frozenset[str]
    took: timedelta
    outcome: Outcome | None = None

    @property
    def passed(self) -> bool:
        return not self.failures


def rehearse_once(
    brief: Brief,
    mocks: Mapping[str, Any] | None = None,
    events: Sequence[Played] = (),
    *,
    phase: Phase | None = None,
    start: datetime = START,
    actions: Mapping[str, Manifest] | None = None,
    cancel_after: timedelta | None = None,
    fuel: int = MOST_FUEL,
) -> Rehearsal:
    """One item, or one phase. `cancel_after`: how long after the start it is cancelled."""
    clock = Clockwork(start)
    stage = stage_for(brief, clock, mocks or {}, actions)
    for number, played in enumerate(events, start=1):
        _play(clock, stage, number, start + played.after, played)
    effects = Memory(stage)
    walk = (
        walk_item(brief, effects, actions, takes_any_id=True, fuel=fuel)
        if phase is None
        else walk_phase(brief, phase, effects, actions, takes_any_id=True, fuel=fuel)
    )
    outcome = clock.run(walk, stop_at=None if cancel_after is None else start + cancel_after)
    records = tuple(stage.records[n] for n in sorted(stage.records))
    calls = Counter(deed.action for deed in stage.deeds)
    calls.update("log" for record in records if record.kind == "call:log" and record.status == "succeeded")
    return Rehearsal(outcome, records, dict(calls), clock.now - start)


def _play(clock: Clockwork, stage: Stage, number: int, moment: datetime, played: Played) -> None:
    event = Event(number, played.event, format_moment(moment), played.payload)
    clock.at(moment, lambda: stage.hear(event))


def rehearse(definition: Definition | Mapping[str, Any], tests: Sequence[TestCase] | None = None) -> list[TestResult]:
    """The definition's own tests, or those given. Raises ValidationError for a document of no valid shape."""
    canonical = canonical_of(
        definition.model_dump(mode="json", by_alias=True, exclude_unset=True)
        if isinstance(definition, Definition)
        else dict(definition)
    )
    read = definition if isinstance(definition, Definition) else from_canonical(canonical)
    chosen = read.tests if tests is None else tests
    fuel = max(LEAST_FUEL, FUEL_OF_ALL // max(1, len(chosen)))
    return [_tried_safely(canonical, read, test, fuel) for test in chosen]


def covered(results: Sequence[TestResult]) -> frozenset[str]:
    """The steps some test ran."""
    return frozenset().union(*(result.executed for result in results))


def _tried_safely(canonical: dict[str, Any], definition: Definition, test: TestCase, fuel: int) -> TestResult:
    """A test may say anything of a dialog (that its tags are a number); what no rule foresees fails the test alone."""
    try:
        return _tried(canonical, definition, test, fuel)
    except Exception as error:
        told = f"the test cannot be run: {type(error).__name__}: {str(error)[:200]}"
        return TestResult(test.name, (told,), frozenset(), timedelta(0))


def _tried(canonical: dict[str, Any], definition: Definition, test: TestCase, fuel: int) -> TestResult:
    """The phase before, the item, the phase after. Path, outcome and time are the item's; calls are counted in all."""
    snapshot = sample_snapshot(definition.target, test.dialog, test.contact, test.operator)
    inputs, wrong = _filled_inputs(definition, test, snapshot)
    if wrong:
        return TestResult(test.name, tuple(wrong), frozenset(), timedelta(0))
    brief = Brief(
        canonical=canonical,
        inputs=inputs,
        item_key="run-1:1",
        run=sample_run(definition.name),
        trigger=dict(test.trigger),
        snapshot=snapshot,
        locks=_locks(definition),
    )
    events = [Played(event.after.span, event.event, event.payload) for event in test.events]
    done: list[Rehearsal] = []
    totals = {"total": 1, "succeeded": 0, "failed": 0, "skipped": 0, "cancelled": 0}
    if definition.before:
        done.append(rehearse_once(_phase_brief(brief, totals), test.mocks, phase="before", fuel=fuel))
        brief = _with_before(brief, done[0].outcome.names)
    item = done[0] if done and (done[0].outcome.state != "succeeded" or done[0].outcome.reason) else None
    if item is None:
        item = rehearse_once(brief, test.mocks, events, fuel=fuel)
        done.append(item)
        if definition.after:
            totals = {**totals, item.outcome.state: 1}
            done.append(rehearse_once(_phase_brief(brief, totals), test.mocks, phase="after", fuel=fuel))
    calls = sum((Counter(part.calls) for part in done), Counter[str]())
    failures = differences(test.expect, item.outcome, item.path, calls, item.took)
    if done[-1] is not item and done[-1].outcome.state == "failed":
        failures.append(f"after: {done[-1].outcome.error_message} (step {done[-1].outcome.error_step})")
    if failures:
        failures.append(told([record for part in done for record in part.records]))
    executed = frozenset(step for part in done for step in part.path)
    return TestResult(test.name, tuple(failures), executed, item.took, item.outcome)


def _filled_inputs(definition: Definition, test: TestCase, snapshot: Snapshot) -> tuple[dict[str, Any], list[str]]:
    """The inputs and what is wrong with them. People, teams and the like may be named freely: nothing is looked up."""
    names = {**names_of(snapshot), "trigger": test.trigger, "run": sample_run(definition.name)}
    checked = check(definition.inputs, test.inputs, names, START)
    wrong: list[str] = []
    for error in checked.errors:
        field = definition.inputs.get(error["field"])
        if field is not None and field.type in REFERENCES and test.inputs.get(error["field"]) is not None:
            checked.values[error["field"]] = test.inputs[error["field"]]
        else:
            wrong.append(f"input {error['field']}: {error['message']}")
    return checked.values, wrong


def _locks(definition: Definition) -> dict[str, Any]:
    """Every sub-process in its first version."""
    runs = [visit.step.run for visit in steps_of(definition) if isinstance(visit.step, Run)]
    return {lock_key("process" if run.process else "macro", run.name, str(run.version)): 1 for run in runs}


def _phase_brief(brief: Brief, totals: dict[str, int]) -> Brief:
    return replace(brief, items=totals, snapshot=Snapshot(), item_key="run-1:0")


def _with_before(brief: Brief, names: dict[str, Any]) -> Brief:
    return replace(brief, before=names)
