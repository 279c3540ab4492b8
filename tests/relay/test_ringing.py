"""The bell: rings melt together, none is lost, and Temporal's absence is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from temporalio.service import RPCError, RPCStatusCode

from domain import workflow_ids
from domain.errors import UnavailableError
from relay.ringing import Bell
from tests.stack import eventually


class SlowTemporal:
    """Takes each ring only when told to go on."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.at_once = self.most_at_once = 0
        self.go_on = asyncio.Event()
        self.is_broken = False
        self.service_client = self

    async def start_workflow(self, *_: Any, id: str, **__: Any) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.rung.append(id)
        await self.go_on.wait()
        self.at_once -= 1
        if self.is_broken:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    async def check_health(self, **_: Any) -> bool:
        if self.is_broken:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        return True


@asynccontextmanager
async def bell_of(temporal: SlowTemporal) -> AsyncIterator[Bell]:
    async def connect() -> Any:
        return temporal

    bell = Bell(connect)
    await bell.start()
    try:
        yield bell
    finally:
        await bell.stop()


async def test_rings_for_one_workflow_melt_and_the_last_is_not_lost() -> None:
    temporal, mine = SlowTemporal(), workflow_ids.of_dialog(uuid4())
    async with bell_of(temporal) as bell:
        bell.ring([mine])
        await eventually(lambda: asyncio.sleep(0, temporal.rung))
        for _ in range(100):
            bell.ring([mine])
        await asyncio.sleep(0.05)
        assert temporal.rung == [mine]
        temporal.go_on.set()
        await eventually(lambda: asyncio.sleep(0, temporal.rung == [mine, mine]))


async def test_many_workflows_are_rung_a_few_at_a_time() -> None:
    temporal, all_of_them = SlowTemporal(), [workflow_ids.of_dialog(uuid4()) for _ in range(50)]
    async with bell_of(temporal) as bell:
        bell.ring(all_of_them)
        await eventually(lambda: asyncio.sleep(0, temporal.at_once == 8))
        temporal.go_on.set()
        await eventually(lambda: asyncio.sleep(0, set(temporal.rung) == set(all_of_them)))
        assert temporal.most_at_once == 8


async def test_ringing_each_answers_whom_it_reached() -> None:
    temporal, mine = SlowTemporal(), workflow_ids.of_dialog(uuid4())
    temporal.go_on.set()
    async with bell_of(temporal) as bell:
        assert await bell.ring_each([mine]) == {mine}
        temporal.is_broken = True
        assert await bell.ring_each([mine]) == set()
        await eventually(lambda: asyncio.sleep(0, bell.is_away))
        temporal.is_broken = False
        await eventually(lambda: asyncio.sleep(0, not bell.is_away))


async def test_a_temporal_that_cannot_be_reached_is_told_as_unavailable() -> None:
    async def connect() -> Any:
        raise RuntimeError("connection refused")

    bell = Bell(connect)
    with pytest.raises(UnavailableError):
        await bell.client()
    with pytest.raises(UnavailableError):
        await bell.is_ready()
    assert bell.is_away
