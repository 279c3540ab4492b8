"""Being there: asleep until the stored lease ends, however often it was renewed meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain import workflow_ids
from domain.commands import PresenceSeen, PresenceStart
from tests.workflows.conftest import House, is_running, until
from workflows import options

pytestmark = pytest.mark.timeout(60)
LEASE, GRACE, OVER = PresenceSeen(45.0), PresenceSeen(300.0), PresenceSeen(None)


async def begin(env: WorkflowEnvironment) -> WorkflowHandle:
    start = PresenceStart(uuid4())
    return await env.client.start_workflow(
        "PresenceWorkflow", start, id=workflow_ids.of_presence(start.operator_id), task_queue=options.INTERACTIVE,
        start_signal="ring",
    )  # fmt: skip


async def test_it_sleeps_through_renewals_then_lapse_and_grace_then_ends(
    env: WorkflowEnvironment, house: House
) -> None:
    house.leases = [LEASE, LEASE, LEASE, GRACE, OVER]
    before = await env.get_current_time()
    handle = await begin(env)
    await handle.result()
    assert house.looks == 5
    assert (await env.get_current_time()) - before >= timedelta(seconds=3 * 45 + 300)


async def test_it_does_not_look_before_the_lease_ends(env: WorkflowEnvironment, house: House) -> None:
    house.leases = [LEASE]
    await begin(env)
    await until(lambda: house.looks == 1)
    await env.sleep(40)
    assert house.looks == 1
    await env.sleep(10)
    await until(lambda: house.looks == 2)


async def test_a_ring_makes_it_look_at_once_and_end_when_nobody_is_there(
    env: WorkflowEnvironment, house: House
) -> None:
    house.leases = [LEASE]
    handle = await begin(env)
    await until(lambda: house.looks == 1)
    house.leases = [OVER]
    await handle.signal("ring")
    with env.auto_time_skipping_disabled():
        await handle.result()


async def test_a_ring_during_the_last_look_is_looked_after(env: WorkflowEnvironment, house: House) -> None:
    """Whoever comes back while their absence is being written is not forgotten."""
    written = asyncio.Event()
    house.leases, house.on_look = [OVER, LEASE], written.wait
    handle = await begin(env)
    await until(lambda: house.looks == 1)
    await handle.signal("ring")
    written.set()
    await until(lambda: house.looks >= 2)
    await env.sleep(10)
    assert await is_running(handle)


async def test_a_long_shift_continues_as_new(
    env: WorkflowEnvironment, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "RENEW_AT", 60)
    house.leases = [LEASE] * 40 + [OVER]
    handle = await begin(env)
    await handle.result()
    assert house.looks == 41
    assert len(house.runs) > 1
    assert len(set(house.runs)) == len(house.runs)
    assert not await is_running(handle)
