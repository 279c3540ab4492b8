"""An item's walk in a workflow, by a clock that skips: waits, events, questions, pauses, cancellations, retries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio.testing import WorkflowEnvironment

from domain.run_messages import Trouble
from domain.walks.ports import Decided, SubEnded
from tests.domain.walks.scenes import brief_of
from tests.workflows.conftest import until
from tests.workflows.items import ItemHouse
from worker import worker_for
from workflows import options

NO = {"error": "unwanted", "message": "no"}
TAG = {"call": "add_tag", "with": {"tag": "vip"}}


@asynccontextmanager
async def item(env: WorkflowEnvironment, *do: dict[str, Any], **more: Any) -> AsyncIterator[ItemHouse]:
    mocks = more.pop("mocks", {})
    house = ItemHouse(brief_of(do, **more), mocks)
    async with worker_for(env.client, options.MASS, house.activities):
        yield house


async def test_a_wait_of_a_day_is_a_timer(env: WorkflowEnvironment) -> None:
    async with item(env, {"id": "first", **TAG}, {"id": "gap", "wait": "1d"}, {"id": "last", **TAG}) as house:
        before = await env.get_current_time()
        assert await (await house.start(env)).result() == "succeeded"
        assert timedelta(days=1) <= await env.get_current_time() - before < timedelta(days=1, minutes=1)
    assert house.trace == [("first", "succeeded"), ("gap", "succeeded"), ("last", "succeeded")]
    assert house.parks[0]["kind"] == "wait"


async def test_listening_ends_with_an_event_or_with_its_time(env: WorkflowEnvironment) -> None:
    ear = {"id": "ear", "listen": {"to": "message.received", "timeout": "1h"}}
    async with item(env, ear, {"id": "told", "if": "steps.ear.timed_out", **TAG}) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.hear("message.received", (await env.get_current_time()).isoformat(), text="hello")
        await handle.signal("ring")
        assert await handle.result() == "succeeded"
        assert house.trace == [("ear", "succeeded"), ("told", "skipped")]
    async with item(env, ear, {"id": "told", "if": "steps.ear.timed_out", **TAG}) as house:
        assert await (await house.start(env)).result() == "succeeded"
        assert house.trace == [("ear", "succeeded"), ("told", "succeeded")]


async def test_an_event_after_the_deadline_is_too_late(env: WorkflowEnvironment) -> None:
    ear = {"id": "ear", "listen": {"to": "message.received", "timeout": "1h", "on_timeout": "fail"}}
    async with item(env, ear) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        late = await env.get_current_time() + timedelta(hours=1, seconds=1)
        house.hear("message.received", late.isoformat())
        assert await handle.result() == "failed"
        assert house.outcome is not None
        assert house.outcome.error_type == "timeout"


async def test_an_event_stays_open_until_the_history_has_it(env: WorkflowEnvironment) -> None:
    ear = {"id": "ear", "listen": {"to": "message.received", "timeout": "1h"}}
    async with item(env, ear, {"id": "same", **TAG}, {"id": "gap", "wait": "1s"}, {"id": "later", **TAG}) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.hear("message.received", (await env.get_current_time()).isoformat())
        await handle.signal("ring")
        assert await handle.result() == "succeeded"
        assert house.done == [1]


async def test_a_question_is_decided_by_people(env: WorkflowEnvironment) -> None:
    ask = {"id": "may", "approve": {"by": {"roles": ["admin"]}, "message": "May we?", "timeout": "2h"}}
    async with item(env, ask) as house:
        house.deadline = 7200.0
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.decided = Decided(True, by="somebody")
        await handle.signal("ring")
        assert await handle.result() == "succeeded"


async def test_the_stored_deadline_of_a_question_decides(env: WorkflowEnvironment) -> None:
    ask = {"id": "may", "approve": {"by": {"roles": ["admin"]}, "message": "May we?", "timeout": "2h"}}
    async with item(env, ask) as house:
        house.deadline = 7200.0
        before = await env.get_current_time()
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        async with env_skips(env, 7190):
            assert house.outcome is None
        house.decided = Decided(None)
        assert await handle.result() == "failed"
        assert house.outcome is not None
        assert house.outcome.error_type == "approval_rejected"
        assert await env.get_current_time() - before >= timedelta(hours=2)


@asynccontextmanager
async def env_skips(env: WorkflowEnvironment, seconds: float) -> AsyncIterator[None]:
    await env.sleep(seconds)
    yield


async def test_a_child_is_waited_for(env: WorkflowEnvironment) -> None:
    sub = {"id": "sub", "run": {"process": "other", "version": 1}}
    async with item(env, sub, mocks={"sub": {}}) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.sub = SubEnded("child", "succeeded", {"n": 1})
        await handle.signal("ring")
        assert await handle.result() == "succeeded"
        assert house.records[1].result["n"] == 1


async def test_a_paused_item_acts_when_it_is_resumed(env: WorkflowEnvironment) -> None:
    async with item(env, {"id": "gap", "wait": "1m"}, {"id": "last", **TAG}) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.status = "paused"
        await handle.signal("ring")
        await until(lambda: house.looks >= 2)
        await env.sleep(3600)
        assert house.deeds == []
        house.status = "running"
        await handle.signal("ring")
        assert await handle.result() == "succeeded"
        assert house.deeds == ["last"]


async def test_a_pause_that_only_the_transaction_saw_holds(env: WorkflowEnvironment) -> None:
    async with item(env, {"id": "gap", "wait": "1m"}, {"id": "last", **TAG}) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.status = "paused"
        await env.sleep(120)
        await until(lambda: house.looks >= 2)
        assert house.deeds == []
        house.status = "running"
        await handle.signal("ring")
        assert await handle.result() == "succeeded"


TIDY = {
    "id": "block",
    "try": [{"id": "gap", "wait": "1d"}, {"id": "never", **TAG}],
    "finally": [{"id": "tidy", **TAG}],
}


async def test_a_cancelled_item_tidies_up(env: WorkflowEnvironment) -> None:
    for mode in ("finish_step", "now"):
        async with item(env, TIDY) as house:
            handle = await house.start(env)
            await until(lambda house=house: bool(house.parks))
            house.cancel_mode = mode
            await handle.signal("ring")
            assert await handle.result() == "cancelled"
            assert house.deeds == ["tidy"]


async def test_a_cancellation_by_temporal_counts_as_now(env: WorkflowEnvironment) -> None:
    async with item(env, TIDY) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.cancel_mode = "now"
        await handle.cancel()
        assert await handle.result() == "cancelled"
        assert house.deeds == ["tidy"]


async def test_finish_items_lets_an_item_go_on(env: WorkflowEnvironment) -> None:
    async with item(env, TIDY) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.cancel_mode = "finish_items"
        await handle.signal("ring")
        assert await handle.result() == "succeeded"
        assert house.deeds == ["never", "tidy"]


async def test_attempts_are_paused_between_and_counted(env: WorkflowEnvironment) -> None:
    async with item(env, {"id": "tag", **TAG, "retry": {"max_attempts": 3, "initial": "10m", "max": "1h"}}) as house:
        house.troubles = [Trouble("conflict", "busy", again=True)] * 2
        before = await env.get_current_time()
        assert await (await house.start(env)).result() == "succeeded"
        assert house.records[1].attempts == 3
        assert await env.get_current_time() - before >= timedelta(minutes=30)
    async with item(env, {"id": "tag", **TAG, "retry": 2}) as house:
        house.troubles = [Trouble("conflict", "busy", again=True)] * 2
        assert await (await house.start(env)).result() == "failed"
    async with item(env, {"id": "tag", **TAG}) as house:
        house.troubles = [Trouble("not_found", "gone", again=True)]
        assert await (await house.start(env)).result() == "failed"
        assert house.records[1].attempts == 1


async def test_an_item_is_parked_when_all_its_branches_wait(env: WorkflowEnvironment) -> None:
    fork = {
        "id": "both",
        "fork": {
            "branches": [
                {"id": "a", "do": [{"id": "short", "wait": "1m"}]},
                {"id": "b", "do": [{"id": "long", "wait": "1h"}, {"id": "tag", **TAG}]},
            ]
        },
    }
    async with item(env, fork) as house:
        assert await (await house.start(env)).result() == "succeeded"
        assert [p["step"] for p in house.parks] == ["long", "long"]


async def test_the_first_branch_to_succeed_wins(env: WorkflowEnvironment) -> None:
    fork = {
        "id": "race",
        "fork": {
            "compete": True,
            "branches": [
                {"id": "slow", "do": [{"id": "hour", "wait": "1h"}, {"id": "never", **TAG}]},
                {
                    "id": "bad",
                    "do": [{"id": "second", "wait": "1s"}, {"id": "no", "raise": {"error": "x", "message": "x"}}],
                },
                {"id": "quick", "do": [{"id": "minute", "wait": "1m"}, {"id": "tag", **TAG}]},
            ],
        },
    }
    async with item(env, fork) as house:
        handle = await house.start(env)
        assert await handle.result() == "succeeded"
        ended = await handle.describe()
        assert ended.close_time is not None
        assert ended.close_time - ended.start_time < timedelta(minutes=30)
        assert house.deeds == ["tag"]


async def test_what_ended_elsewhere_is_left_alone(env: WorkflowEnvironment) -> None:
    async with item(env, {"id": "gap", "wait": "1m"}, {"id": "last", **TAG}) as house:
        handle = await house.start(env)
        await until(lambda: bool(house.parks))
        house.status = "ended"
        await handle.signal("ring")
        assert await handle.result() == "cancelled"
        assert (house.deeds, house.outcome) == ([], None)
