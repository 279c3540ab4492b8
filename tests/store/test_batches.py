"""Items that live in one transaction: they tell when they began and ended, whatever became of them."""

from __future__ import annotations

from uuid import UUID

import pytest

from store import run_commands
from store.viewers import get_viewer
from tests.store.launching import NOTE, Launching
from tests.store.walking import walk

PRIORITY = {"id": "prio", "call": "set_priority", "with": {"priority": "high"}}
BROKEN = {"id": "broken", "raise": {"error": "unwanted", "message": "no"}}


@pytest.fixture
async def desk(stage):
    await stage.person("boss", role="supervisor")
    return Launching(stage)


async def moments(desk: Launching, run: UUID) -> list:
    rows = await desk.stage.sql(
        "SELECT i.state, i.finished_at > i.started_at AS took, i.started_at >= r.started_at AS after_its_run,"
        " i.finished_at <= r.finished_at AS before_its_end, i.finished_at - i.started_at < interval '5 s' AS is_short"
        " FROM run_items i JOIN runs r ON r.id = i.run_id WHERE r.id = :r ORDER BY seq", r=run,
    )  # fmt: skip
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("more", "steps", "state"),
    [
        ({}, [NOTE], "succeeded"), ({"vars": {"x": 0}}, [{"id": "s", "set": {"x": 1}}], "succeeded"),
        ({"mode": "queued"}, [NOTE], "succeeded"), ({}, [PRIORITY, BROKEN], "failed"),
        ({"mass": {"on_item_failure": "undo"}}, [PRIORITY, BROKEN], "failed"), ({"guard": "false"}, [NOTE], "skipped"),
        ({"is_dry": True}, [NOTE], "succeeded"),
    ],
)  # fmt: skip
async def test_an_item_of_a_batch_tells_when_it_began_and_ended(desk, more, steps, state):
    is_dry = more.get("is_dry", False)
    key = await desk.publish("timed", *steps, **{k: v for k, v in more.items() if k != "is_dry"})
    dialogs = [await desk.stage.opened(f"c{n}") for n in range(2)]
    run = (await desk.launch(key, "boss", *dialogs, is_dry=is_dry))["run_id"]
    await walk(desk, run)
    assert await moments(desk, run) == [(state, True, True, True, True)] * 2


async def test_an_item_that_is_taken_back_tells_it_too(desk):
    key = await desk.publish("timed-undo", PRIORITY)
    run = (await desk.launch(key, "boss", await desk.stage.opened("c")))["run_id"]
    await walk(desk, run)
    async with desk.stage.sessions() as session:
        boss = await get_viewer(session, desk.stage.id_of("boss"))
    undone = UUID((await desk.do(run_commands.undo, boss, run))["run_id"])
    assert await walk(desk, undone) == "succeeded"
    assert await moments(desk, undone) == [("succeeded", True, True, True, True)]
