"""Runs and their items: windows, ends, verdicts, commands, retries, undoing; what happens at once happens once."""

from __future__ import annotations

import asyncio
from itertools import count
from uuid import UUID

import pytest

from domain.errors import (
    AlreadyDecidedError,
    ConfirmationNeededError,
    ConflictError,
    ForbiddenError,
    NothingLeftToUndoError,
    NothingToDoError,
    RunEndedError,
    RunNotEndedError,
    WrongStatusError,
)
from domain.run_messages import Bearings
from domain.walks.ports import Asking, Outcome, StepError, StepRecord
from store import approvals, effects, run_commands, run_items, runs, traces
from store.effects import Kept
from store.run_retention import prune_runs
from store.viewers import get_viewer
from tests.store.launching import DONE, FAILED, LISTEN, NOTE, SEND, Launching

SKIPPED = Outcome("skipped", "guard")
_NAMES = count(1)


@pytest.fixture
async def desk(stage):
    await stage.person("boss", role="supervisor")
    return Launching(stage)


async def _launch(desk: Launching, count: int, *steps, **more):
    launch_more = {k: more.pop(k) for k in ("canary", "concurrency", "is_dry") if k in more}
    key = await desk.publish(f"d{next(_NAMES)}", *steps, **more)
    dialogs = [await desk.stage.opened(f"c{n}") for n in range(count)]
    return await desk.launch(key, "boss", *dialogs, **launch_more)


async def _boss(desk: Launching):
    async with desk.stage.sessions() as session:
        return await get_viewer(session, desk.stage.id_of("boss"))


async def test_items_are_handed_out_within_the_window(desk):
    told = await _launch(desk, 5, LISTEN, concurrency=2)
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
    told = await _launch(desk, 3, LISTEN, concurrency=2)
    run = told["run_id"]
    await desk.begin(run)
    assert (await desk.do(run_items.advance, run)).start == (1, 2)
    await desk.do(run_items.begin, run, 2, f"begun-{run}")
    assert (await desk.do(run_items.advance, run)).start == (1,)
    await desk.do(run_items.note_started, run, {1: f"started-{run}"})
    assert (await desk.do(run_items.advance, run)).start == ()


async def test_an_item_ends_once_and_its_run_is_rung_once(desk):
    told = await _launch(desk, 3, LISTEN)
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
    told = await _launch(desk, 2, LISTEN)
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
    told = await _launch(desk, 2, before=[{"id": "b", "raise": {"error": "x", "message": "no"}}])
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
    told = await _launch(desk, 2, after=[{"id": "a", "set": {"x": 1}}], vars={"x": 0})
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
    told = await _launch(desk, 3, LISTEN, mass={**mass, "concurrency": 1})
    run = told["run_id"]
    await desk.begin(run)
    await desk.advance(run)
    await desk.end(run, 1, FAILED)
    assert (await desk.advance(run)).start == ()
    assert await desk.do(runs.finish, run) == "stopped"
    assert await desk.states(run) == [("failed", None), ("cancelled", reason), ("cancelled", reason)]


async def test_a_canary_pauses_until_somebody_goes_on(desk):
    told = await _launch(desk, 3, canary=1)
    run, boss = told["run_id"], await _boss(desk)
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
    told = await _launch(desk, 2, LISTEN, concurrency=1)
    run, boss = told["run_id"], await _boss(desk)
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
    told = await _launch(desk, 3, LISTEN, concurrency=1)
    run, boss = told["run_id"], await _boss(desk)
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
    told = await _launch(desk, 2)
    assert (await desk.do(run_commands.cancel, await _boss(desk), told["run_id"]))["status"] == "cancelled"
    assert (await desk.begin(told["run_id"])).status == "cancelled"


async def test_cancelling_while_items_end_loses_none(desk):
    told = await _launch(desk, 12, LISTEN, concurrency=6)
    run, boss = told["run_id"], await _boss(desk)
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
    told = await _launch(desk, 2, LISTEN, **more)
    run, boss = told["run_id"], await _boss(desk)
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


async def test_a_cancellation_that_cuts_the_phase_after_the_items_is_the_verdict(desk):
    told = await _launch(desk, 1, LISTEN, after=[{"id": "a", "set": {"x": 1}}], vars={"x": 0})
    run, boss = told["run_id"], await _boss(desk)
    await desk.begin(run)
    await desk.advance(run)
    await desk.end(run, 1)
    assert (await desk.do(runs.look, run)).phase == "after"
    await desk.do(run_commands.cancel, boss, run)
    await desk.do(runs.end_phase, run, "after", Outcome("cancelled"))
    assert await desk.do(runs.finish, run) == "cancelled"
    assert (await desk.run(run)).reason == "after_left_out"


async def test_only_those_who_control_runs_do_so(desk):
    told = await _launch(desk, 1)
    await desk.stage.person("op")
    async with desk.stage.sessions() as session:
        operator = await get_viewer(session, desk.stage.id_of("op"))
    with pytest.raises(ForbiddenError):
        await desk.do(run_commands.pause, operator, told["run_id"])


async def test_a_retry_takes_over_what_failed_and_the_ledger_answers_for_what_is_done(desk):
    told = await _launch(desk, 3, LISTEN, NOTE)
    run, boss = told["run_id"], await _boss(desk)
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
    told = await _launch(desk, 2, mode="parallel")
    run, boss = told["run_id"], await _boss(desk)
    await desk.end_all(run, FAILED)

    async def retry() -> bool:
        try:
            await desk.do(run_commands.retry, boss, run)
        except ConflictError:
            return False
        return True

    assert sorted(await asyncio.gather(*(retry() for _ in range(4)))) == [False, False, False, True]


async def test_restarting_what_sends_needs_its_number(desk):
    told = await _launch(desk, 1, SEND)
    run, boss = told["run_id"], await _boss(desk)
    await desk.end_all(run, FAILED)
    with pytest.raises(ConfirmationNeededError):
        await desk.do(run_commands.retry, boss, run, mode="restart")
    again = await desk.do(run_commands.retry, boss, run, mode="restart", confirm=1)
    row = await desk.run(UUID(again["run_id"]))
    assert row.effects_run == row.id


async def test_undoing_takes_the_items_that_did_something(desk):
    told = await _launch(desk, 2)
    run, boss = told["run_id"], await _boss(desk)
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
    told = await _launch(desk, 1)
    run, boss = told["run_id"], await _boss(desk)
    await desk.begin(run)
    await desk.advance(run)
    await desk.do(effects.keep, run, 1, [Kept(f"{run}:1:x", "x", action, "h", {}, kept)])
    await desk.end(run, 1)
    await desk.do(runs.finish, run)
    await desk.end_all(UUID((await desk.do(run_commands.undo, boss, run))["run_id"]), SKIPPED)
    if is_left:
        assert (await desk.do(run_commands.undo, boss, run))["total"] == 1
        return
    with pytest.raises(NothingLeftToUndoError):
        await desk.do(run_commands.undo, boss, run)


async def test_an_effect_let_go_is_claimed_anew(desk):
    told = await _launch(desk, 1)
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
    told = await _launch(desk, 1, LISTEN)
    run = told["run_id"]
    await desk.begin(run)
    await desk.advance(run)
    await desk.do(run_items.begin, run, 1, f"t-{run}")
    await desk.do(run_items.begin, run, 1, f"t2-{run}")
    (row,) = await desk.stage.sql("SELECT * FROM subscriptions WHERE run_id = :r", r=run)
    assert (row.workflow_id, row.kinds) == (f"process:{run}:1", ["message.received"])
    await desk.end(run, 1)
    assert not await desk.stage.sql("SELECT 1 FROM subscriptions WHERE run_id = :r", r=run)


async def test_a_question_waits_for_as_many_as_it_needs(desk):
    told = await _launch(desk, 1, before=[{"id": "ask", "set": {"x": 1}}], vars={"x": 0})
    run = told["run_id"]
    await desk.begin(run)
    for name in ("first", "second", "third"):
        await desk.stage.person(name, role="supervisor")
    asking = Asking("0/ask", "ask", "before/ask", "Go?", {"roles": ["supervisor"]}, count=2, seconds=60)
    bearings = Bearings(f"mass:{run}", run, 0)
    opened = await desk.do(approvals.open, bearings, asking)
    assert (await desk.do(approvals.open, bearings, asking)).id == opened.id
    assert (await desk.run(run)).status == "awaiting_approval"
    people = {}
    async with desk.stage.sessions() as session:
        for name in ("first", "second", "third"):
            people[name] = await get_viewer(session, desk.stage.id_of(name))
    await desk.do(approvals.decide, people["first"], opened.id, True, None, None)
    assert await desk.do(approvals.judge, opened.id) is None
    await desk.do(approvals.decide, people["second"], opened.id, True, "ok", None)
    decided = await desk.do(approvals.judge, opened.id)
    assert (decided.approved, decided.by, decided.comment) == (True, str(people["second"].user_id), "ok")
    assert (await desk.run(run)).status == "running"
    assert await desk.open_reactions(f"mass:{run}") == ["decided"]
    with pytest.raises(AlreadyDecidedError):
        await desk.do(approvals.decide, people["third"], opened.id, False, None, None)


async def test_a_run_tells_that_it_waits_for_people_and_stays_held_by_who_paused_it(desk):
    told = await _launch(desk, 1, before=[{"id": "ask", "set": {"x": 1}}], vars={"x": 0})
    run, boss = told["run_id"], await _boss(desk)
    await desk.begin(run)
    await desk.stage.person("chief", role="supervisor")
    async with desk.stage.sessions() as session:
        chief = await get_viewer(session, desk.stage.id_of("chief"))
    asking = Asking("0/ask", "ask", "before/ask", "Go?", {"roles": ["supervisor"]}, seconds=60)

    async def ask(work):
        opened = await approvals.open(work, Bearings(f"mass:{run}", run, 0), asking)
        assert await approvals.judge(work, opened.id) is None
        return opened.id

    question = await desk.do(ask)
    assert (await desk.run(run)).status == "awaiting_approval"
    await desk.do(run_commands.pause, boss, run)
    await desk.do(approvals.decide, chief, question, True, None, None)
    assert (await desk.run(run)).status == "paused"
    assert (await desk.do(run_commands.resume, boss, run))["status"] == "running"


async def test_a_run_waits_until_the_last_of_two_questions_side_by_side_is_answered(desk):
    told = await _launch(desk, 1, before=[{"id": "ask", "set": {"x": 1}}], vars={"x": 0})
    run = told["run_id"]
    await desk.begin(run)
    await desk.stage.person("chief", role="supervisor")
    async with desk.stage.sessions() as session:
        chief = await get_viewer(session, desk.stage.id_of("chief"))
    opened = []
    for branch, seconds in (("a", 60), ("b", 60), ("c", 0)):
        asking = Asking(f"0/{branch}", branch, f"fork/{branch}", "Go?", {"roles": ["supervisor"]}, seconds=seconds)
        opened.append((await desk.do(approvals.open, Bearings(f"mass:{run}", run, 0), asking)).id)
    seen = []
    assert (await desk.do(approvals.judge, opened[2])).approved is None
    seen.append((await desk.run(run)).status)
    for question in opened[:2]:
        await desk.do(approvals.decide, chief, question, True, None, None)
        seen.append((await desk.run(run)).status)
    assert seen == ["awaiting_approval", "awaiting_approval", "running"]


async def test_a_question_whose_time_is_over_is_undecided(desk):
    told = await _launch(desk, 1, before=[{"id": "ask", "set": {"x": 1}}], vars={"x": 0})
    run = told["run_id"]
    await desk.begin(run)
    asking = Asking("0/ask", "ask", "before/ask", "Go?", {"roles": ["supervisor"]}, seconds=0)
    opened = await desk.do(approvals.open, Bearings(f"mass:{run}", run, 0), asking)
    decided = await desk.do(approvals.judge, opened.id)
    assert decided.approved is None
    assert (await desk.run(run)).status == "running"


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
    kept, dry = await _launch(desk, 1, LISTEN), await _launch(desk, 1, NOTE, is_dry=True)
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
