"""Outgoing messages: one after another, tried again as the provider says, never twice, never forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.commands import Close, Say
from tests.workflows.conftest import House, is_running, say, tell, until
from tests.workflows.test_dialogs import begin
from workflows import options

pytestmark = pytest.mark.timeout(60)


def refusing(*waits: float) -> object:
    """A provider that takes nothing as often as there are waits, each the seconds it asks for."""
    left = list(waits)

    async def deliver(_: str) -> None:
        if left:
            raise ApplicationError("busy", type="not_taken", next_retry_delay=timedelta(seconds=left.pop(0)))

    return deliver


async def test_messages_leave_in_order_each_once_though_pulled_twice(env: WorkflowEnvironment, house: House) -> None:
    house.queue("a", "b", "c")
    handle = await begin(env)
    house.queue("d")
    await tell(handle, Say("hello"))
    await handle.signal("ring")
    house.queue("e")
    await tell(handle, Say("hello"))
    await until(lambda: len(house.delivered) == 5)
    assert house.delivered == house.tried == ["a", "b", "c", "d", "e"]


async def test_a_message_the_provider_does_not_take_is_tried_again_when_it_said(
    env: WorkflowEnvironment, house: House
) -> None:
    house.on_deliver = refusing(600)
    house.queue("a", "b")
    await begin(env)
    await until(lambda: house.tried == ["a"])
    await env.sleep(500)
    assert house.tried == ["a"]
    await env.sleep(200)
    await until(lambda: house.delivered == ["a", "b"])
    assert house.tried == ["a", "a", "b"]


async def test_after_a_day_of_refusals_it_is_given_up_and_the_next_goes(env: WorkflowEnvironment, house: House) -> None:
    house.on_deliver = refusing(*[6 * 3600] * 4)
    house.queue("a", "b")
    await begin(env)
    await until(lambda: house.tried == ["a"])
    await env.sleep(timedelta(hours=25))
    await until(lambda: "b" in house.delivered)
    assert house.given_up == ["a"]
    assert house.delivered == ["b"]


async def test_a_dialog_does_not_end_while_a_message_is_on_its_way(env: WorkflowEnvironment, house: House) -> None:
    house.on_deliver = refusing(600)
    house.queue("a")
    handle = await begin(env)
    await until(lambda: house.tried == ["a"])
    await tell(handle, Close())
    await env.sleep(60)
    assert await is_running(handle)
    await handle.result()
    assert house.delivered == ["a"]


async def test_a_message_waiting_for_its_provider_moves_to_the_fresh_run(
    env: WorkflowEnvironment, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "RENEW_AT", 40)
    house.on_deliver = refusing(3600)
    house.queue("a", "b")
    handle = await begin(env)
    await until(lambda: house.tried == ["a"])
    await say(handle, 20)
    await env.sleep(31)
    await until(lambda: len(house.runs) > 1)
    await until(lambda: house.delivered == ["a", "b"])
    assert house.tried == ["a", "a", "b"]


async def test_a_call_under_way_is_finished_before_the_fresh_run_and_the_rest_after_it(
    env: WorkflowEnvironment, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "RENEW_AT", 40)
    go_on = asyncio.Event()

    async def slowly(_: str) -> None:
        await go_on.wait()

    house.on_deliver = slowly
    house.queue("a", "b")
    handle = await begin(env)
    await until(lambda: house.tried == ["a"])
    await say(handle, 20)
    assert len(house.runs) == 1
    go_on.set()
    await until(lambda: house.delivered == ["a", "b"])
    assert house.tried == ["a", "b"]
    assert len(house.runs) > 1
