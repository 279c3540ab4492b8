"""What people do with a run: hold it, end it, go on, try again, take back."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from domain.errors import (
    ConfirmationNeededError,
    ConflictError,
    ForbiddenError,
    NothingLeftToUndoError,
    NothingToDoError,
    RunEndedError,
    RunNotEndedError,
    WrongStatusError,
)
from domain.run_messages import BEFORE, Bearings
from domain.walks.ports import Outcome, StepError, SubRun
from store import effects, run_commands, run_items, runs, sub_runs
from store.effects import Kept
from store.viewers import get_viewer
from tests.store.launching import DONE, FAILED, LISTEN, NOTE, SEND, Launching, boss_of, launched


async def test_a_canary_pauses_until_somebody_goes_on(desk):
    told = await launched(desk, 3, canary=1)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    async with desk.stage.sessions() as session:
        assert await run_items.next_seqs(session, await runs.get_run(session, run)) == [1]
    assert (await desk.advance(run)).start == (1,)
    await desk.end(run, 1)
    assert (await desk.advance(run)).status == "paused"
    with pytest.raises(WrongStatusError):
        await desk.do(run_commands.resume, boss, run)
    assert (await desk.do(run_commands.continue_rest, boss, run))["status"] == "running"
    assert await desk.open_reactions(f"mass:{run}") == ["run_continued"]
    assert (await desk.advance(run)).start == (2, 3)


async def test_pause_and_resume(desk):
    told = await launched(desk, 2, LISTEN, concurrency=1)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    await desk.advance(run)
    assert (await desk.do(run_commands.pause, boss, run))["status"] == "paused"
    assert (await desk.do(run_commands.pause, boss, run))["status"] == "paused"
    assert await desk.do(run_items.claim, run, 2) is None
    await desk.end(run, 1)
    assert (await desk.advance(run)).start == ()
    assert (await desk.do(run_commands.resume, boss, run))["status"] == "running"
    assert (await desk.advance(run)).start == (2,)
    assert await _standing(desk, run, 2) == ("running", None)


async def _standing(desk: Launching, run: UUID, seq: int):
    async with desk.stage.sessions() as session:
        return await run_items.standing(session, run, seq)


async def test_cancelling_ends_what_has_not_begun_and_tells_what_has(desk):
    told = await launched(desk, 3, LISTEN, concurrency=1)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    await desk.advance(run)
    assert (await desk.do(run_commands.cancel, boss, run))["cancel_mode"] == "finish_items"
    assert (await desk.do(run_commands.cancel, boss, run, "now"))["cancel_mode"] == "now"
    assert (await desk.do(run_commands.cancel, boss, run, "finish_items"))["cancel_mode"] == "now"
    assert set(await desk.open_reactions(f"process:{run}:1")) == {"run_cancelled"}
    assert await _standing(desk, run, 1) == ("running", "now")
    await desk.end(run, 1)
    assert await desk.do(runs.finish, run) == "cancelled"
    assert await desk.states(run) == [("succeeded", None), ("cancelled", "cancelled"), ("cancelled", "cancelled")]
    with pytest.raises(RunEndedError):
        await desk.do(run_commands.cancel, boss, run)


async def test_cancelling_before_it_began_ends_it_at_once(desk):
    told = await launched(desk, 2)
    assert (await desk.do(run_commands.cancel, await boss_of(desk), told["run_id"]))["status"] == "cancelled"
    assert (await desk.begin(told["run_id"])).status == "cancelled"


async def test_cancelling_while_items_end_loses_none(desk):
    told = await launched(desk, 12, LISTEN, concurrency=6)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    started = (await desk.advance(run)).start
    await asyncio.gather(*(desk.end(run, seq) for seq in started), desk.do(run_commands.cancel, boss, run))
    assert await desk.do(runs.finish, run) == "cancelled"
    assert all(state in ("succeeded", "cancelled") for state, _ in await desk.states(run))


@pytest.mark.parametrize(
    ("more", "outcomes", "ended"),
    [
        ({}, [DONE, DONE], ("succeeded", None)), ({}, [DONE, FAILED], ("partially_failed", None)),
        ({}, [DONE, Outcome("cancelled")], ("cancelled", None)),
        ({"after": [{"id": "a", "set": {"x": 1}}], "vars": {"x": 0}}, [DONE, DONE], ("cancelled", "after_left_out")),
    ],
)  # fmt: skip
async def test_a_cancellation_that_leaves_nothing_out_is_not_the_verdict(desk, more, outcomes, ended):
    told = await launched(desk, 2, LISTEN, **more)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    await desk.advance(run)
    await desk.do(run_commands.cancel, boss, run, "finish_items")
    for seq, outcome in enumerate(outcomes, 1):
        await desk.end(run, seq, outcome)
    assert (await desk.do(runs.look, run)).phase == "done"
    await desk.do(runs.finish, run)
    row = await desk.run(run)
    assert ((row.status, row.reason), row.cancel_mode) == (ended, "finish_items")
    (event,) = await desk.stage.sql("SELECT data FROM events WHERE kind = 'run.finished' AND run_id = :r", r=run)
    states = [state for state, _ in await desk.states(run)]
    assert {n: event.data["items"][n] for n in set(states)} == {n: states.count(n) for n in set(states)}


async def _child(desk, parent, seq: int, name: str, **more):
    key = await desk.publish(name, LISTEN)
    sub = SubRun(f"{parent}:{seq}:{name}", name, f"/do/{name}", "process", key, 1, {}, "wait", **more)
    return await desk.do(sub_runs.start, Bearings(f"process:{parent}:{seq}", parent, seq), sub)


async def test_a_sub_process_over_an_items_own_target_is_a_part_of_that_item(desk):
    told = await launched(desk, 1, LISTEN)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    await desk.advance(run)
    own = await _child(desk, run, 1, "own")
    many = await _child(desk, run, 1, "many", selection={"team": desk.stage.key("support")})
    before = await _child(desk, run, BEFORE, "before", selection={"team": desk.stage.key("support")})
    await desk.do(run_commands.cancel, boss, run, "finish_items")
    assert [(await desk.run(child)).cancel_mode for child in (own, many, before)] == [None] + ["finish_items"] * 2
    await desk.do(run_commands.cancel, boss, run, "finish_step")
    assert (await desk.run(own)).cancel_mode == "finish_step"


async def test_a_cancellation_that_cuts_the_phase_after_the_items_is_the_verdict(desk):
    told = await launched(desk, 1, LISTEN, after=[{"id": "a", "set": {"x": 1}}], vars={"x": 0})
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    await desk.advance(run)
    await desk.end(run, 1)
    assert (await desk.do(runs.look, run)).phase == "after"
    await desk.do(run_commands.cancel, boss, run)
    await desk.do(runs.end_phase, run, "after", Outcome("cancelled"))
    assert await desk.do(runs.finish, run) == "cancelled"
    assert (await desk.run(run)).reason == "after_left_out"


async def test_only_those_who_control_runs_do_so(desk):
    told = await launched(desk, 1)
    await desk.stage.person("op")
    async with desk.stage.sessions() as session:
        operator = await get_viewer(session, desk.stage.id_of("op"))
    with pytest.raises(ForbiddenError):
        await desk.do(run_commands.pause, operator, told["run_id"])


async def test_a_retry_takes_over_what_failed_and_the_ledger_answers_for_what_is_done(desk):
    told = await launched(desk, 3, LISTEN, NOTE)
    run, boss = told["run_id"], await boss_of(desk)
    with pytest.raises(RunNotEndedError):
        await desk.do(run_commands.retry, boss, run)
    await desk.begin(run)
    await desk.advance(run)
    await desk.do(effects.keep, run, 2, [Kept(f"{run}:2:note", "note", "add_note", "h", {"note_id": "1"}, None)])
    for seq, outcome in ((1, DONE), (2, FAILED), (3, Outcome("failed", error_type="timeout", needs_attention=True))):
        await desk.end(run, seq, outcome)
    await desk.do(runs.finish, run)
    answer = await desk.do(run_commands.retry, boss, run)
    again = UUID(answer["run_id"])
    row, (item,) = await desk.run(again), await desk.items(again)
    assert (row.effects_run, row.origin_run, row.origin_mode, row.version) == (run, run, "resume", 1)
    assert (item.seq, item.origin_seq) == (1, 2)
    with pytest.raises(ConflictError):
        await desk.do(run_commands.retry, boss, run)
    await desk.begin(again)
    await desk.advance(again)
    brief = await desk.do(run_items.begin, again, 1, f"t-{again}")
    assert brief.item_key == f"{run}:2"
    found = await desk.do(effects.claim, f"{run}:2:note", again, 1, "note", "add_note", "h")
    assert (found.status, found.is_new, found.result) == ("done", False, {"note_id": "1"})
    reworded = await desk.do(effects.claim, f"{run}:2:note", again, 1, "note", "add_note", "other")
    assert (reworded.is_new, reworded.result) == (False, {"note_id": "1"})
    for by, action, asked in ((run, "add_note", "other"), (again, "add_tag", "h")):
        with pytest.raises(StepError):
            await desk.do(effects.claim, f"{run}:2:note", by, 1, "note", action, asked)
    await desk.end(again, 1)
    assert await desk.do(runs.finish, again) == "succeeded"
    with pytest.raises(NothingToDoError):
        await desk.do(run_commands.retry, boss, run)
    with pytest.raises(ConfirmationNeededError):
        await desk.do(run_commands.retry, boss, run, items="needs_attention")
    assert (await desk.do(run_commands.retry, boss, run, items="needs_attention", confirm=1))["total"] == 1


async def test_two_retries_at_once_are_one(desk):
    told = await launched(desk, 2, mode="parallel")
    run, boss = told["run_id"], await boss_of(desk)
    await desk.end_all(run, FAILED)

    async def retry() -> bool:
        try:
            await desk.do(run_commands.retry, boss, run)
        except ConflictError:
            return False
        return True

    assert sorted(await asyncio.gather(*(retry() for _ in range(4)))) == [False, False, False, True]


async def test_restarting_what_sends_needs_its_number(desk):
    told = await launched(desk, 1, SEND)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.end_all(run, FAILED)
    with pytest.raises(ConfirmationNeededError):
        await desk.do(run_commands.retry, boss, run, mode="restart")
    again = await desk.do(run_commands.retry, boss, run, mode="restart", confirm=1)
    row = await desk.run(UUID(again["run_id"]))
    assert row.effects_run == row.id


async def test_undoing_takes_the_items_that_did_something(desk):
    told = await launched(desk, 2)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    await desk.advance(run)
    await desk.do(effects.keep, run, 2, [Kept(f"{run}:2:note", "note", "add_note", "h", {}, {"note_id": "1"})])
    for seq in (1, 2):
        await desk.end(run, seq)
    await desk.do(runs.finish, run)
    answer = await desk.do(run_commands.undo, boss, run)
    row, (item,) = await desk.run(UUID(answer["run_id"])), await desk.items(UUID(answer["run_id"]))
    assert (row.kind, row.topology, item.origin_seq, answer["workflow_id"]) == ("undo", "batch", 2, f"mass:{row.id}")
    with pytest.raises(ConflictError):
        await desk.do(run_commands.undo, boss, run)
    await desk.do(effects.settle, f"{run}:2:note", "undone")
    await desk.end_all(row.id)
    with pytest.raises(NothingLeftToUndoError) as refused:
        await desk.do(run_commands.undo, boss, run)
    assert refused.value.extra == {"run": row.number}


@pytest.mark.parametrize(
    ("action", "kept", "is_left"),
    [("add_note", {"note_id": "1"}, True), ("add_note", None, False), ("send_message", {"x": 1}, False)],
)
async def test_what_an_undoing_left_is_undone_once_more_only_where_it_may_go_better(desk, action, kept, is_left):
    told = await launched(desk, 1)
    run, boss = told["run_id"], await boss_of(desk)
    await desk.begin(run)
    await desk.advance(run)
    await desk.do(effects.keep, run, 1, [Kept(f"{run}:1:x", "x", action, "h", {}, kept)])
    await desk.end(run, 1)
    await desk.do(runs.finish, run)
    await desk.end_all(UUID((await desk.do(run_commands.undo, boss, run))["run_id"]), Outcome("skipped", "guard"))
    if is_left:
        assert (await desk.do(run_commands.undo, boss, run))["total"] == 1
        return
    with pytest.raises(NothingLeftToUndoError):
        await desk.do(run_commands.undo, boss, run)
