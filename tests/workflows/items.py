"""Stands for the database behind an item's walk: mocks answer its acts, events are played in, all is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.run_messages import (
    Act,
    Acted,
    Ask,
    Asked,
    Begin,
    Begun,
    Deliver,
    End,
    Glimpse,
    Heard,
    ProcessStart,
    Sight,
    StartSub,
    SubStarted,
    Trouble,
    WorkingMoment,
    WorkingTime,
)
from domain.walks.memory import Memory, stage_for
from domain.walks.ports import Brief, Decided, Event, Outcome, StepError, StepRecord, SubEnded
from domain.walks.samples import START
from domain.walks.schedulers import Clockwork
from workflows import options

RUN = UUID(int=7)


@dataclass
class ItemHouse:
    """`halted`: what the gate answers. `asked`: (approval id, seconds to its deadline) while it is undecided."""

    brief: Brief
    mocks: Mapping[str, Any] = field(default_factory=dict)
    status: str = "running"
    cancel_mode: str | None = None
    open: list[Heard] = field(default_factory=list)
    records: dict[int, StepRecord] = field(default_factory=dict)
    deeds: list[str] = field(default_factory=list)
    parks: list[dict[str, Any]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    deadline: float | None = None
    decided: Decided | None = None
    sub: SubEnded | None = None
    outcome: Outcome | None = None
    looks: int = 0
    tries: int = 0
    troubles: list[Trouble] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = Memory(stage_for(self.brief, Clockwork(START), self.mocks))

    def hear(self, event: str, at: str, **payload: Any) -> None:
        number = len(self.done) + len(self.open) + 1
        self.open.append(Heard(number, Event(number, event, at, payload)))

    def _write(self, bearings: Any) -> None:
        self.records |= {record.n: record for record in bearings.records}
        self.done += bearings.done
        self.open = [heard for heard in self.open if heard.reaction not in bearings.done]

    def _gate(self, bearings: Any) -> str | None:
        if self.outcome is not None:
            return "ended"
        if self.cancel_mode in ("finish_step", "now"):
            return None if bearings.is_cleanup else "cancelled"
        return "paused" if self.status == "paused" else None

    @activity.defn
    async def begin_item(self, begin: Begin) -> Begun:
        return Begun(self.brief)

    @activity.defn
    async def look_at_item(self, glimpse: Glimpse) -> Sight:
        self.looks += 1
        self._write(glimpse.bearings)
        if glimpse.parks is not None:
            self.parks.append(glimpse.parks)
        decided = {key: self.decided for key in glimpse.approvals if self.decided is not None}
        ended = {key: self.sub for key in glimpse.subs if self.sub is not None}
        return Sight(self.status, self.cancel_mode, tuple(self.open), decided, ended)

    @activity.defn
    async def act(self, act: Act) -> Acted:
        if (halted := self._gate(act.bearings)) is not None:
            return Acted(halted=halted)
        self._write(act.bearings)
        if self.troubles:
            return Acted(trouble=self.troubles.pop(0))
        self.deeds.append(act.deed.step)
        try:
            return Acted(await self.memory.act(act.deed))
        except StepError as error:
            return Acted(trouble=Trouble(error.type, error.message, error.details, error.attempts))

    @activity.defn
    async def prepare_message(self, act: Act) -> Acted:
        return await self.act(act)

    @activity.defn
    async def act_outside(self, act: Act) -> Acted:
        return await self.act(act)

    @activity.defn
    async def deliver_for_step(self, order: Deliver) -> Acted:
        raise AssertionError("nothing was prepared")

    @activity.defn
    async def ask_people(self, ask: Ask) -> Asked:
        if (halted := self._gate(ask.bearings)) is not None:
            return Asked(halted=halted)
        self._write(ask.bearings)
        mocked = self.memory._stage.mock_for(ask.asking.step)
        if self.deadline is not None or (isinstance(mocked, Mapping) and mocked.get("timed_out")):
            self.decided = self.decided or (None if self.deadline is not None else Decided(None))
            return Asked("question", self.deadline if self.deadline is not None else ask.asking.seconds)
        try:
            return Asked("question", decided=await self.memory.approve(ask.asking))
        except StepError as error:
            return Asked(trouble=Trouble(error.type, error.message))

    @activity.defn
    async def start_sub(self, start: StartSub) -> SubStarted:
        self._write(start.bearings)
        if self.sub is None and "sub" in self.mocks:
            return SubStarted("child")
        return SubStarted("child", await self.memory.run(start.sub))

    @activity.defn
    async def reckon_working_time(self, asked: WorkingTime) -> WorkingMoment:
        return WorkingMoment(asked.start + timedelta(seconds=asked.seconds))

    @activity.defn
    async def end_item(self, end: End) -> str:
        self._write(end.bearings)
        self.outcome = end.outcome
        return end.outcome.state

    @property
    def activities(self) -> list[object]:
        return [
            self.begin_item, self.look_at_item, self.act, self.prepare_message, self.act_outside,
            self.deliver_for_step, self.ask_people, self.start_sub, self.reckon_working_time, self.end_item,
        ]  # fmt: skip

    async def start(self, env: WorkflowEnvironment) -> WorkflowHandle:
        return await env.client.start_workflow(
            "ProcessWorkflow", ProcessStart(RUN, 1), id=f"process:{RUN}:{uuid4()}", task_queue=options.MASS,
            result_type=str,
        )  # fmt: skip

    @property
    def trace(self) -> list[tuple[str, str]]:
        return [(self.records[n].path, self.records[n].status) for n in sorted(self.records)]
