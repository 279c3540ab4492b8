"""The host of a walk in memory: mocks answer, events are played in, the clock jumps."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from domain.actions.catalogue import catalogue
from domain.actions.fields import ANY_ID
from domain.actions.manifests import Manifest
from domain.expressions.values import format_moment
from domain.topologies import TRANSFER_ENDS
from domain.walks import predictions
from domain.walks.ports import (
    Asking,
    Brief,
    Decided,
    Deed,
    Done,
    Effects,
    Event,
    Listening,
    Snapshot,
    StepError,
    StepRecord,
    Stopped,
    SubEnded,
    SubRun,
)
from domain.walks.schedulers import Clockwork, Suspended

T = TypeVar("T")
#: newest kept while nobody listens
MOST_BUFFERED = 100


@dataclass(slots=True)
class _Ear:
    listening: Listening
    waiting: Suspended
    heard: list[Event] = field(default_factory=list)

    def takes(self, event: Event) -> bool:
        wanted = self.listening
        if event.event not in wanted.kinds or any(wanted.count > 1 and one.event == event.event for one in self.heard):
            return False
        if wanted.since is not None and event.at < format_moment(wanted.since):
            return False
        return wanted.wanted(event)


@dataclass(slots=True)
class Stage:
    """What all effects of one walk share. `deeds`: what was carried out, in order."""

    clock: Clockwork
    brief: Brief
    mocks: Mapping[str, Any]
    actions: Mapping[str, Manifest]
    snapshot: Snapshot = field(default_factory=Snapshot)
    records: dict[int, StepRecord] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)
    inbox: list[Event] = field(default_factory=list)
    ears: list[_Ear] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    def hear(self, event: Event) -> None:
        """Whoever listens for it first takes it, else it is kept."""
        for ear in self.ears:
            if ear.takes(event):
                self._give(ear, event)
                return
        self.inbox = [*self.inbox, event][-MOST_BUFFERED:]

    def _give(self, ear: _Ear, event: Event) -> None:
        ear.heard.append(event)
        if len(ear.heard) == ear.listening.count:
            self.ears.remove(ear)
            self.clock.resume(ear.waiting)

    def mock_for(self, step: str) -> Any:
        """What a test says a step answers; of a list, one after the other."""
        mock = self.mocks.get(step)
        if isinstance(mock, list) and mock:
            self.asked[step] += 1
            return mock[min(self.asked[step], len(mock)) - 1]
        return mock


class Memory:
    """`mocks`: step id → result, or {error: type}. What is not mocked is simulated by its manifest, approved, or
    answered with nothing.
    """

    def __init__(self, stage: Stage, *, shielded: bool = False) -> None:
        self._stage = stage
        self._shielded = shielded

    def now(self) -> datetime:
        return self._stage.clock.now

    async def gate(self) -> None:
        task = self._stage.clock.current
        if task is not None and task.is_cancelled and not self._shielded:
            raise Stopped

    async def act(self, deed: Deed) -> Done:
        await self.gate()
        stage = self._stage
        stage.deeds.append(deed)
        mock = stage.mock_for(deed.step)
        result = self._simulated(deed) if mock is None else _mocked(mock, deed.retry.max_attempts, deed.retry.on)
        after = predictions.after(deed.action, deed.params, result, stage.snapshot)
        if after is not None:
            stage.snapshot = Snapshot(
                after.dialog or stage.snapshot.dialog,
                after.contact or stage.snapshot.contact,
                after.operator if after.dialog is not None else stage.snapshot.operator,
                after.revision,
            )
        return Done(result, snapshot=stage.snapshot if after is not None else None)

    def _simulated(self, deed: Deed) -> dict[str, Any]:
        stage = self._stage
        manifest = stage.actions[deed.action]
        names = {
            "dialog": stage.snapshot.dialog or {}, "contact": stage.snapshot.contact or {},
            "operator": stage.snapshot.operator or {}, "inputs": stage.brief.inputs, "run": stage.brief.run,
            "trigger": stage.brief.trigger,
        }  # fmt: skip
        return manifest.simulate(manifest.params.model_validate(deed.params, context=ANY_ID), names)

    async def wait(self, until: datetime, *, step: str, path: str) -> None:
        waiting = self._stage.clock.suspended(self._shielded)
        self._stage.clock.at(until, lambda: self._stage.clock.resume(waiting))
        await waiting

    async def working_time(self, calendar: str, start: datetime, seconds: float) -> datetime:
        """Every hour counts: a test comes out the same whatever the calendars of an installation say."""
        return start + timedelta(seconds=seconds)

    async def listen(self, listening: Listening) -> tuple[Event, ...]:
        stage = self._stage
        await self.gate()
        # A transfer that is waited for is mocked as an action; its end is played in.
        mock = None if listening.kinds == TRANSFER_ENDS else stage.mock_for(listening.step)
        if mock is not None:
            return self._told(listening, mock)
        ear = _Ear(listening, stage.clock.suspended(self._shielded))
        stage.ears.append(ear)
        kept, stage.inbox = stage.inbox, []
        for event in kept:
            stage.hear(event)
        stage.clock.at(self.now() + timedelta(seconds=listening.seconds), lambda: stage.clock.resume(ear.waiting))
        try:
            await ear.waiting
        finally:
            if ear in stage.ears:
                stage.ears.remove(ear)
        return tuple(ear.heard)

    def _told(self, listening: Listening, mock: Any) -> tuple[Event, ...]:
        answer = _mocked(mock, 1, frozenset())
        if answer.get("timed_out"):
            return ()
        payload = {name: value for name, value in answer.items() if name not in ("event", "at", "timed_out")}
        kinds = listening.kinds if listening.count > 1 else (answer.get("event") or listening.kinds[0],)
        return tuple(Event(0, kind, format_moment(self.now()), payload) for kind in kinds)

    async def approve(self, asking: Asking) -> Decided:
        await self.gate()
        mock = self._stage.mock_for(asking.step)
        if mock is None:
            return Decided(True, by="test", at=format_moment(self.now()))
        answer = _mocked(mock, 1, frozenset())
        if not answer.get("timed_out"):
            return Decided(
                bool(answer.get("approved", True)), by=answer.get("by", "test"), at=format_moment(self.now()),
                comment=answer.get("comment"), form=answer.get("form"),
            )  # fmt: skip
        if asking.seconds is not None:
            await self.wait(self.now() + timedelta(seconds=asking.seconds), step=asking.step, path=asking.path)
        return Decided(None)

    async def run(self, sub: SubRun) -> SubEnded:
        await self.gate()
        mock = self._stage.mock_for(sub.step)
        try:
            outputs = _mocked(mock or {}, 1, frozenset())
        except StepError as error:
            return SubEnded("run-2", "failed", error={"type": error.type, "message": error.message})
        status = outputs.pop("status", "succeeded" if sub.mode == "wait" else "queued")
        return SubEnded(outputs.pop("run_id", "run-2"), status, outputs)

    async def together(
        self, parts: Sequence[Callable[[], Awaitable[T]]], *, at_once: int, compete: bool = False
    ) -> list[T | BaseException | None]:
        return await self._stage.clock.together(parts, at_once=at_once, compete=compete, shielded=self._shielded)

    def record(self, record: StepRecord) -> None:
        self._stage.records[record.n] = record

    def for_cleanup(self, seconds: float) -> Effects:
        return type(self)(self._stage, shielded=True)


def _mocked(mock: Any, attempts: int, tried_again: frozenset[str]) -> dict[str, Any]:
    """Raises StepError for {error: type}, after as many attempts as that type would get."""
    if not isinstance(mock, Mapping):
        raise StepError("invalid", "a mock is the step's result, an object, or {error: type}")
    if "error" in mock and set(mock) <= {"error", "message", "details", "needs_attention"}:
        raise StepError(
            str(mock["error"]), str(mock.get("message") or "as the test says"), details=mock.get("details"),
            attempts=attempts if mock["error"] in tried_again else 1, needs_attention=bool(mock.get("needs_attention")),
        )  # fmt: skip
    return dict(mock)


def stage_for(
    brief: Brief, clock: Clockwork, mocks: Mapping[str, Any], actions: Mapping[str, Manifest] | None = None
) -> Stage:
    return Stage(clock, brief, mocks, catalogue() if actions is None else actions, snapshot=brief.snapshot)
