"""Schedules on a real Temporal: made and dropped with their definition; firings that overlap wait or are skipped."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from temporalio.client import ScheduleHandle, ScheduleOverlapPolicy
from temporalio.service import RPCError, RPCStatusCode

from domain.runs import ENDED
from relay.schedules import id_of
from store import versions
from store.transactions import transact
from tests.launching import rows
from tests.stack import Shop, eventually
from tests.store.launching import Launching

#: never by itself while a test is watching
RARELY = "0 0 29 2 *"
PAUSE = {"id": "gap", "wait": "4s"}


async def scheduled(shop: Shop, overlap: str) -> tuple[str, ScheduleHandle]:
    """A process that takes a while, and its schedule once there is one."""
    await shop.prepare()
    trigger = {"schedule": {"cron": RARELY, "timezone": "Europe/Kyiv", "overlap": overlap}}
    key = await Launching(shop).publish("timely", PAUSE, target="none", mode="parallel", triggers=[trigger])
    handle = (await shop.stack.connect()).get_schedule_handle(id_of(key, 0))
    assert await eventually(lambda: is_there(handle))
    return key, handle


async def is_there(handle: ScheduleHandle) -> bool:
    try:
        await handle.describe()
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def runs_of(shop: Shop, key: str) -> list[Any]:
    return await rows(
        shop.sessions,
        "SELECT status, trigger_kind, run_as, started_at, finished_at FROM runs WHERE definition_key = :k"
        " ORDER BY number",
        k=key,
    )


@pytest.mark.parametrize(("overlap", "expected"), [("skip", 1), ("queue", 2)])
async def test_a_firing_during_a_run_waits_for_it_or_is_passed_over(shop: Shop, overlap: str, expected: int) -> None:
    key, handle = await scheduled(shop, overlap)
    await handle.trigger()
    await eventually(lambda: runs_of(shop, key), lambda found: [r.status for r in found] == ["running"])
    for _ in range(2):
        await asyncio.sleep(1.1)  # Temporal names firings by the second
        await handle.trigger()
    found = await eventually(
        lambda: runs_of(shop, key), lambda found: len(found) == expected and all(r.status in ENDED for r in found)
    )
    assert {(r.status, r.trigger_kind, r.run_as) for r in found} == {("succeeded", "schedule", "system")}
    assert all(earlier.finished_at <= later.started_at for earlier, later in pairwise(found))
    await asyncio.sleep(2)
    assert len(await runs_of(shop, key)) == expected
    await handle.trigger()
    again = await eventually(lambda: runs_of(shop, key), lambda found: len(found) == expected + 1)
    assert again[-1].status in ("queued", "running", "succeeded")


async def test_a_schedule_follows_its_definition_and_goes_with_it(shop: Shop) -> None:
    key, handle = await scheduled(shop, "skip")
    told = (await handle.describe()).schedule
    assert (told.spec.time_zone_name, told.policy.overlap) == ("Europe/Kyiv", ScheduleOverlapPolicy.SKIP)
    await transact(shop.sessions, lambda work: versions.deactivate(work, "process", key))
    await eventually(lambda: is_there(handle), lambda there: not there)
    await transact(shop.sessions, lambda work: versions.activate(work, "process", key, 1))
    assert await eventually(lambda: is_there(handle))
    await transact(shop.sessions, lambda work: versions.deactivate(work, "process", key))
    await eventually(lambda: is_there(handle), lambda there: not there)
    assert await runs_of(shop, key) == []
