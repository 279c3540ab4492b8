"""Runs and their items: windows, ends, verdicts; what happens at once happens once."""

from __future__ import annotations

import asyncio

import pytest

from domain.walks.ports import Outcome, StepRecord
from store import effects, run_items, runs, traces
from store.run_retention import prune_runs
from tests.store.launching import DONE, FAILED, LISTEN, NOTE, launched

SKIPPED = Outcome("skipped", "guard")


async def test_items_are_handed_out_within_the_window(desk):
    told = await launched(desk, 5, LISTEN, concurrency=2)
    run = told["run_id"]
    seen = await desk.begin(run)
    assert (seen.status, seen.phase, seen.topology, seen.pending) == ("running", "items", "child", 5)
    first, again = await asyncio.gather(desk.advance(run), desk.advance(run))
    assert {*first.start, *again.start} == {1, 2}
    assert (await desk.advance(run)).start == ()
    await desk.do(run_items.park, run, 1, {"listens": "message.received"})
    assert (await desk.advance(run)).start == (3,)
    await desk.do(run_items.park, run, 1, None)
    await desk.end(run, 2)
    assert (await desk.advance(run)).start == ()
    await desk.end(run, 1)
    step = await desk.advance(run)
    assert (step.start, step.live, step.pending) == ((4,), 2, 1)


async def test_a_claim_that_was_lost_is_handed_out_again(desk):
    told = await launched(desk, 3, LISTEN, concurrency=2)
    run = told["run_id"]
    await desk.begin(run)
    assert (await desk.do(run_items.advance, run)).start == (1, 2)
    await desk.do(run_items.begin, run, 2, f"begun-{run}")
    assert (await desk.do(run_items.advance, run)).start == (1,)
    await desk.do(run_items.note_started, run, {1: f"started-{run}"})
    assert (await desk.do(run_items.advance, run)).start == ()


async def test_an_item_ends_once_and_its_run_is_rung_once(desk):
    told = await launched(desk, 3, LISTEN)
    run = told["run_id"]
    await desk.begin(run)
    await desk.advance(run)
    record = StepRecord(1, "hear", "hear", "listen", "succeeded", "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z")

    async def end(outcome: Outcome) -> bool:
        return await desk.do(run_items.end, run, 1, outcome, (record,))

    assert sorted(await asyncio.gather(end(DONE), end(FAILED), end(SKIPPED))) == [False, False, True]
    await desk.end(run, 2)
    assert await desk.open_reactions(f"mass:{run}") == ["item_ended"]
    async with desk.stage.sessions() as session:
        assert [s["id"] for s in await traces.trace_of(session, run, 1)] == ["hear"]
    assert await desk.do(runs.finish, run) == "running"
    await desk.end(run, 3)
    assert await desk.do(runs.finish, run) in ("succeeded", "partially_failed")
    assert await desk.open_reactions(f"mass:{run}") == []


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([DONE, DONE], "succeeded"), ([DONE, FAILED], "partially_failed"), ([FAILED, FAILED], "failed"),
        ([SKIPPED, SKIPPED], "succeeded"), ([SKIPPED, FAILED], "partially_failed"),
    ],
)  # fmt: skip
async def test_the_verdict_is_computed_from_the_items(desk, outcomes, status):
    told = await launched(desk, 2, LISTEN)
    run = told["run_id"]
    await desk.begin(run)
    for seq, outcome in zip((await desk.advance(run)).start, outcomes, strict=True):
        await desk.end(run, seq, outcome)
    assert await desk.do(runs.finish, run) == status
    row = await desk.run(run)
    assert (row.phase, row.finished_at is not None) == ("done", True)
    (event,) = await desk.stage.sql("SELECT data FROM events WHERE kind = 'run.finished' AND run_id = :r", r=run)
    assert (event.data["status"], event.data["items"]["total"]) == (status, 2)


async def test_before_that_fails_begins_no_item(desk):
    told = await launched(desk, 2, before=[{"id": "b", "raise": {"error": "x", "message": "no"}}])
    run = told["run_id"]
    assert (await desk.begin(run)).phase == "before"
    async with desk.stage.sessions() as session:
        brief = await runs.phase_brief(session, run, "before")
    assert (brief.items["total"], brief.item_key) == (2, f"{run}:0")
    assert await desk.do(runs.end_phase, run, "before", Outcome("failed", error_type="x", error_message="no")) == "done"
    assert await desk.do(runs.finish, run) == "failed"
    assert await desk.states(run) == [("cancelled", "before_failed")] * 2
    assert (await desk.run(run)).error["type"] == "x"


async def test_after_sees_the_totals_and_its_failure_is_told_beside_the_verdict(desk):
    told = await launched(desk, 2, after=[{"id": "a", "set": {"x": 1}}], vars={"x": 0})
    run = told["run_id"]
    await desk.begin(run)
    assert (await desk.advance(run)).start == (1, 2)
    for seq in (1, 2):
        await desk.end(run, seq)
    assert (await desk.do(runs.look, run)).phase == "after"
    async with desk.stage.sessions() as session:
        assert (await runs.phase_brief(session, run, "after")).items["succeeded"] == 2
    await desk.do(runs.end_phase, run, "after", FAILED)
    assert await desk.do(runs.finish, run) == "succeeded"
    assert (await desk.run(run)).error["phase"] == "after"


@pytest.mark.parametrize(
    ("mass", "reason"), [({"on_error": "stop"}, "on_error"), ({"max_failures": 0}, "too_many_failures")]
)
async def test_too_many_failures_stop_the_run(desk, mass, reason):
    told = await launched(desk, 3, LISTEN, mass={**mass, "concurrency": 1})
    run = told["run_id"]
    await desk.begin(run)
    await desk.advance(run)
    await desk.end(run, 1, FAILED)
    assert (await desk.advance(run)).start == ()
    assert await desk.do(runs.finish, run) == "stopped"
    assert await desk.states(run) == [("failed", None), ("cancelled", reason), ("cancelled", reason)]


async def test_an_effect_let_go_is_claimed_anew(desk):
    told = await launched(desk, 1)
    run = told["run_id"]
    given = (f"{run}:1:x", run, 1, "x", "http", "h")
    claimed = await asyncio.gather(*(desk.do(effects.claim, *given) for _ in range(4)))
    assert sorted(c.is_new for c in claimed) == [False, False, False, True]
    await desk.do(effects.let_go, given[0])
    again = await desk.do(effects.claim, *given[:5], "another")
    assert (again.is_new, again.attempts) == (True, 2)


async def test_a_macro_ends_with_its_item(desk):
    key = await desk.publish("m", NOTE, kind="macro")
    dialog = await desk.stage.opened("a")
    told = await desk.launch(key, "boss", kind="macro", dialog_id=dialog)
    brief = await desk.do(run_items.begin, told["run_id"], 1, f"t-{dialog}")
    assert (brief.snapshot.dialog["id"], brief.run["item_number"]) == (str(dialog), 1)
    await desk.do(run_items.end, told["run_id"], 1, Outcome("succeeded", message="done"))
    run = await desk.run(told["run_id"])
    assert (run.status, run.message) == ("succeeded", "done")
    assert await desk.open_reactions(f"macro:{run.id}") == []
    assert await desk.do(run_items.begin, run.id, 1, f"t2-{dialog}") is None


async def test_an_item_that_listens_is_subscribed_while_it_lives(desk):
    told = await launched(desk, 1, LISTEN)
    run = told["run_id"]
    await desk.begin(run)
    await desk.advance(run)
    await desk.do(run_items.begin, run, 1, f"t-{run}")
    await desk.do(run_items.begin, run, 1, f"t2-{run}")
    (row,) = await desk.stage.sql("SELECT * FROM subscriptions WHERE run_id = :r", r=run)
    assert (row.workflow_id, row.kinds) == (f"process:{run}:1", ["message.received"])
    await desk.end(run, 1)
    assert not await desk.stage.sql("SELECT 1 FROM subscriptions WHERE run_id = :r", r=run)


async def test_runs_wait_for_room_and_are_rung_when_there_is(desk):
    await desk.stage.setting("runs_at_once", 1)
    key = await desk.publish("roomy", mode="parallel")
    dialogs = [await desk.stage.opened(f"c{n}") for n in range(2)]
    first, second = [await desk.launch(key, "boss", *dialogs) for _ in range(2)]
    await desk.stage.sql("UPDATE runs SET status = 'succeeded' WHERE status = 'running'")
    assert (await desk.begin(first["run_id"])).status == "running"
    assert (await desk.begin(second["run_id"])).status == "queued"
    await desk.end_all(first["run_id"])
    assert await desk.open_reactions(f"mass:{second['run_id']}") == ["run_queued"]
    assert (await desk.begin(second["run_id"])).status == "running"
    await desk.stage.setting("runs_at_once", 50)


async def test_old_traces_and_dry_runs_are_forgotten(desk):
    kept, dry = await launched(desk, 1, LISTEN), await launched(desk, 1, NOTE, is_dry=True)
    record = StepRecord(1, "hear", "hear", "listen", "succeeded", "2026-11-22T10:00:00Z")
    for told in (kept, dry):
        await desk.begin(told["run_id"])
        await desk.advance(told["run_id"])
        await desk.do(run_items.end, told["run_id"], 1, DONE, (record,))
        await desk.do(runs.finish, told["run_id"])
    await desk.stage.sql("UPDATE runs SET finished_at = now() - interval '8 days' WHERE id IN (:a, :b)",
                         a=kept["run_id"], b=dry["run_id"])  # fmt: skip

    async def traces_left() -> int:
        (row,) = await desk.stage.sql("SELECT count(*) AS n FROM run_steps WHERE run_id = :r", r=kept["run_id"])
        return row.n

    async def prune() -> None:
        async with desk.stage.sessions.begin() as session:
            await prune_runs(session)

    await prune()
    assert await traces_left() == 1
    assert not await desk.stage.sql("SELECT 1 FROM runs WHERE id = :r", r=dry["run_id"])
    await desk.stage.sql("UPDATE runs SET finished_at = now() - interval '91 days' WHERE id = :a", a=kept["run_id"])
    await prune()
    assert await traces_left() == 0
