"""A server whose clock skips, the production's runner and converter, and activities that answer as told."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.commands import (
    Command,
    Glance,
    OfferLook,
    OfferSeen,
    Outcome,
    PresenceLook,
    PresenceSeen,
    Reaction,
    Request,
    Say,
    Seen,
)
from worker import worker_for
from workflows import options
from workflows.converting import DATA_CONVERTER

TEST_SERVER = Path(sys.executable).with_name("temporal-test-server")
_ONLY_WAKE = ("dialog_opened", "dialog_closed", "dialog_reopened")


@dataclass
class House:
    """Stands for the database behind the activities: open rows, answers to looks, what was asked of it."""

    open: list[Reaction] = field(default_factory=list)
    is_closed: bool = False
    offers: list[OfferSeen] = field(default_factory=list)
    leases: list[PresenceSeen] = field(default_factory=list)
    on_apply: Callable[[Request], Awaitable[Outcome]] | None = None
    on_deliver: Callable[[str], Awaitable[None]] | None = None
    on_look: Callable[[], Awaitable[object]] | None = None
    applied: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    looks: int = 0
    runs: list[str] = field(default_factory=list)
    ids: int = 0

    def react(self, kind: str, **payload: Any) -> Reaction:
        self.ids += 1
        reaction = Reaction(self.ids, kind, payload)
        self.open.append(reaction)
        if kind in ("dialog_closed", "dialog_reopened"):
            self.is_closed = kind == "dialog_closed"
        return reaction

    def queue(self, *message_ids: str) -> None:
        for message_id in message_ids:
            self.react("message_queued", message_id=message_id)

    def pull(self) -> tuple[Reaction, ...]:
        found = tuple(self.open)
        self.open = [r for r in self.open if r.kind not in _ONLY_WAKE]
        return found

    @activity.defn
    async def apply_command(self, request: Request) -> Outcome:
        self.applied.append(request.key)
        if self.on_apply is not None:
            return await self.on_apply(request)
        if request.command.kind in ("close", "reopen"):
            self.react("dialog_closed" if request.command.kind == "close" else "dialog_reopened")
        return Outcome(200, {"did": request.command.kind, "key": request.key}, None, self.pull())

    @activity.defn
    async def look_at_dialog(self, glance: Glance) -> Seen:
        self.looks += 1
        if glance.run_id is not None:
            self.runs.append(glance.run_id)
        seen = Seen(self.pull(), self.is_closed)
        if self.on_look is not None:
            await self.on_look()
        return seen

    @activity.defn
    async def deliver_message(self, message_id: str) -> str:
        self.tried.append(message_id)
        if self.on_deliver is not None:
            await self.on_deliver(message_id)
        self._settle(message_id)
        self.delivered.append(message_id)
        return "sent"

    @activity.defn
    async def give_up_delivery(self, message_id: str) -> str:
        self._settle(message_id)
        self.given_up.append(message_id)
        return "failed"

    def _settle(self, message_id: str) -> None:
        self.open = [r for r in self.open if r.payload.get("message_id") != message_id]

    @activity.defn
    async def look_at_offer(self, look: OfferLook) -> OfferSeen:
        self.looks += 1
        return self.offers.pop(0) if len(self.offers) > 1 else self.offers[0]

    @activity.defn
    async def judge_presence(self, look: PresenceLook) -> PresenceSeen:
        self.looks += 1
        if look.run_id is not None:
            self.runs.append(look.run_id)
        seen = self.leases.pop(0) if len(self.leases) > 1 else self.leases[0]
        if self.on_look is not None:
            await self.on_look()
        return seen

    @property
    def activities(self) -> list[object]:
        return [
            self.apply_command, self.look_at_dialog, self.deliver_message, self.give_up_delivery, self.look_at_offer,
            self.judge_presence,
        ]  # fmt: skip


def request(command: Command, dialog_id: UUID, *, key: str | None = None, transfer_id: UUID | None = None) -> Request:
    return Request(UUID(int=1), key or uuid4().hex, "digest", dialog_id, command, transfer_id)


async def tell(handle: WorkflowHandle, command: Command, *, key: str | None = None, **ids: Any) -> Outcome:
    """Speak a command to a workflow whose id ends in its dialog's or transfer's."""
    asked = request(command, UUID(handle.id.split(":")[1]), key=key, **ids)
    return await handle.execute_update(command.kind, asked, id=asked.update_id, result_type=Outcome)


async def say(handle: WorkflowHandle, times: int, *, start: int = 0, at_once: int = 8) -> list[Outcome]:
    """Many replies, a few at a time."""
    turn = asyncio.Semaphore(at_once)

    async def one(number: int) -> Outcome:
        async with turn:
            return await tell(handle, Say("hello"), key=f"say-{number}")

    return await asyncio.gather(*(one(n) for n in range(start, start + times)))


async def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait for something that happens in real time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def is_running(handle: WorkflowHandle) -> bool:
    return (await handle.describe()).status == WorkflowExecutionStatus.RUNNING


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER), data_converter=DATA_CONVERTER
    ) as server:
        yield server


@pytest.fixture
async def house(env: WorkflowEnvironment) -> AsyncIterator[House]:
    """A worker serves it."""
    made = House()
    async with serving(env, made):
        yield made


@asynccontextmanager
async def serving(env: WorkflowEnvironment, house: House) -> AsyncIterator[None]:
    async with worker_for(env.client, options.INTERACTIVE, house.activities):
        yield
