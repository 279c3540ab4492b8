"""Items that live in one transaction: they tell when they began and ended, whatever became of them."""

from __future__ import annotations

from uuid import UUID

import pytest

import activities.batches
from activities.batches import BatchActivities
from domain.run_messages import BatchOrder
from store import run_commands
from store.engines import Sessions, engine_for, sessions_of
from store.viewers import get_viewer
from tests.store.launching import NOTE, Launching
from tests.store.runs_at_hand import unhurried
from tests.store.stage import Stage
from tests.store.walking import ask_nobody, nobody, walk

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


async def test_items_are_on_disk_before_a_batch_answers_even_those_that_an_attempt_before_it_ended(
    new_database, monkeypatch
):
    """ADR 18. The attempt before was cut off between its last item and the wait for the disk."""
    engine = engine_for(new_database())
    stage = Stage(sessions_of(engine))
    await stage.prepare()
    await stage.sql(f"ALTER DATABASE {engine.url.database} SET synchronous_commit = 'on'")
    await engine.dispose()
    await stage.person("boss", role="supervisor")
    desk = Launching(stage)
    key = await desk.publish("lasting", NOTE)
    run = (await desk.launch(key, "boss", *[await stage.opened(f"c{n}") for n in range(3)]))["run_id"]
    await desk.begin(run)
    batches = BatchActivities(stage.sessions, lambda rings: None, nobody, ask_nobody, "mass")

    async def cut_off(_: Sessions) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(activities.batches, "make_lasting", cut_off)
        with pytest.raises(ConnectionError):
            await unhurried(60).run(batches.run_batch, BatchOrder(run, 0, 1))
    [written] = await stage.sql("SELECT pg_current_wal_insert_lsn()::text AS at, synchronous_commit FROM (SELECT"
                                " current_setting('synchronous_commit') AS synchronous_commit) AS s")  # fmt: skip
    assert written.synchronous_commit == "on"
    done = await unhurried(60).run(batches.run_batch, BatchOrder(run, 0, 1))
    assert (done.ended, done.has_more) == (0, False)
    [disk] = await stage.sql("SELECT pg_current_wal_flush_lsn() >= CAST(:at AS pg_lsn) AS reached", at=written.at)
    assert disk.reached
    await engine.dispose()
