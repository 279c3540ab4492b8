"""What holds of every walk, whatever the definition, the mocks and the events."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings

from domain.definitions.shapes import Try
from domain.definitions.surveys import steps_of
from domain.durations import parse_duration
from domain.runs import ITEM_ENDED
from domain.topologies import capabilities_of, heavy, sends, topology_of, uses_listen
from domain.walks.memory import Memory, stage_for
from domain.walks.ports import Deed, Done, StepError, Stopped
from domain.walks.prepared import prepare
from domain.walks.rehearsals import Played, Rehearsal, rehearse_once
from domain.walks.samples import START
from domain.walks.schedulers import Clockwork
from domain.walks.walk import walk_item
from tests.domain.walks.strategies import AT_ONCE, Scene, scenes

often = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def played(scene: Scene, *, is_cancelled: bool = False) -> Rehearsal:
    events = [Played(parse_duration(after), name, payload) for after, name, payload in scene.events]
    stop = parse_duration(scene.cancel_after) if is_cancelled else None
    return rehearse_once(scene.brief, scene.mocks, events, cancel_after=stop)


@often
@given(scene=scenes())
def test_a_walk_always_ends_and_leaves_nothing_running(scene: Scene):
    gone = played(scene)
    assert gone.outcome.state in ITEM_ENDED - {"cancelled"}
    assert (gone.outcome.state == "failed") == (gone.outcome.error_type is not None)
    assert [record.n for record in gone.records] == list(range(1, len(gone.records) + 1))
    assert {record.status for record in gone.records} <= {"succeeded", "skipped", "failed", "cancelled"}
    paths = [record.path for record in gone.records]
    assert len(set(paths)) == len(paths)


@often
@given(scene=scenes())
def test_the_same_twice(scene: Scene):
    assert played(scene) == played(scene)


@often
@given(scene=scenes())
def test_a_cancelled_walk_ends_and_tidies_up(scene: Scene):
    gone = played(scene, is_cancelled=True)
    assert gone.outcome.state in ITEM_ENDED
    assert "running" not in {record.status for record in gone.records}
    tidying = {
        visit.step.id: visit.step.finally_[0].id
        for visit in steps_of(prepare(scene.brief.canonical).definition)
        if isinstance(visit.step, Try) and visit.step.finally_
    }
    paths = {record.path for record in gone.records}
    for record in gone.records:
        if record.step in tidying and record.status == "cancelled":
            assert f"{record.path}/{tidying[record.step]}" in paths


class Apart(Memory):
    """Branches learn nothing of the dialog from each other: that alone depends on who comes first."""

    async def act(self, deed: Deed) -> Done:
        return Done((await super().act(deed)).result)


class InTurn(Apart):
    """A host that cannot do two things at once, as a transaction."""

    async def together(
        self, parts: Sequence[Callable[[], Awaitable[Any]]], *, at_once: int, compete: bool = False
    ) -> list[Any]:
        answers: list[Any] = []
        for part in parts:
            try:
                answers.append(await part())
            except (StepError, Stopped) as error:
                answers.append(error)
        return answers


@often
@given(scene=scenes(AT_ONCE, compete=False))
def test_a_host_that_does_one_thing_at_a_time_gives_the_same(scene: Scene):
    mocks = {step: mock for step, mock in scene.mocks.items() if not isinstance(mock, list)}

    def told(host: type[Memory]) -> Any:
        clock = Clockwork(START)
        stage = stage_for(scene.brief, clock, mocks)
        outcome = clock.run(walk_item(scene.brief, host(stage), takes_any_id=True))
        records = {record.path: (record.status, record.inputs, record.error) for record in stage.records.values()}
        return outcome.state, outcome.error_type, outcome.error_step, records, sorted(deed.key for deed in stage.deeds)

    assert told(Apart) == told(InTurn)


@often
@given(scene=scenes())
def test_every_definition_can_be_told_about(scene: Scene):
    canonical = scene.brief.canonical
    assert topology_of(canonical, scene.brief.inputs) in ("batch", "child")
    assert isinstance(heavy(canonical), bool)
    assert isinstance(sends(canonical), bool)
    assert set(uses_listen(canonical)) == set(uses_listen(canonical))
    assert all(isinstance(capability, str) for capability in capabilities_of(canonical))


@often
@given(scene=scenes(AT_ONCE))
def test_what_does_its_work_at_once_is_a_batch_and_takes_no_time(scene: Scene):
    assert topology_of(scene.brief.canonical, scene.brief.inputs) == "batch"
    assert played(scene).took.total_seconds() == 0
