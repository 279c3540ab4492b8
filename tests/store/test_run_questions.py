"""Questions of runs: who may answer, how many must, until when."""

from __future__ import annotations

import pytest

from domain.errors import (
    AlreadyDecidedError,
)
from domain.run_messages import Bearings
from domain.walks.ports import Asking
from store import approvals, run_commands
from store.viewers import get_viewer
from tests.store.launching import boss_of, launched


async def test_a_question_waits_for_as_many_as_it_needs(desk):
    told = await launched(desk, 1, before=[{"id": "ask", "set": {"x": 1}}], vars={"x": 0})
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
    told = await launched(desk, 1, before=[{"id": "ask", "set": {"x": 1}}], vars={"x": 0})
    run, boss = told["run_id"], await boss_of(desk)
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
    told = await launched(desk, 1, before=[{"id": "ask", "set": {"x": 1}}], vars={"x": 0})
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
    told = await launched(desk, 1, before=[{"id": "ask", "set": {"x": 1}}], vars={"x": 0})
    run = told["run_id"]
    await desk.begin(run)
    asking = Asking("0/ask", "ask", "before/ask", "Go?", {"roles": ["supervisor"]}, seconds=0)
    opened = await desk.do(approvals.open, Bearings(f"mass:{run}", run, 0), asking)
    decided = await desk.do(approvals.judge, opened.id)
    assert decided.approved is None
    assert (await desk.run(run)).status == "running"
