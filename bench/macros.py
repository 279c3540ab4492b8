"""A macro from the click to its answer, beside a bare Temporal workflow with one local activity.

The macro sets a priority and writes a note. Both are started and waited for by one caller at a time.
"""

from __future__ import annotations

from uuid import uuid4

from bench import bare
from bench.bare_workflows import QUEUE, Ask
from bench.definitions import own_dialogs, publish
from bench.doors import API, Door
from bench.figures import RUNS, Report, Target
from bench.loads import Act, Taken, drive, p50, p95, rate
from bench.people import connect, make_people, make_team, queue_dialogs
from bench.running import run
from bench.stacks import Stack, helper

TEAM, DIALOGS = "macros", 64
SOURCE = """
dsl: 1
kind: macro
name: bench-macro
title: Set a priority and say so
target: dialog
permissions: { launch: { roles: [operator, supervisor] } }
do:
  - { id: prio, call: set_priority, with: { priority: high } }
  - { id: note, call: add_note, with: { text: "It was {{ steps.prio.result.previous }}" } }
"""


async def measure(stack: Stack, quick: bool) -> Report:
    seconds, runs = (3.0, 1) if quick else (8.0, RUNS)
    db = await connect(stack.database_url)
    await make_team(db, TEAM)
    await make_people(db, 5, team=TEAM)
    (boss,) = await make_people(db, 1, team=TEAM, role="supervisor", status="offline")
    await queue_dialogs(db, TEAM, DIALOGS)
    await own_dialogs(db, TEAM, 5)
    key = await publish(db, SOURCE)
    dialogs = [r[0] for r in await (await db.execute("SELECT id FROM dialogs WHERE team_key = %s", [TEAM])).fetchall()]
    bare_runs: list[Taken] = []
    played: list[Taken] = []
    with helper(stack, "worker"):
        bare_act = await _bare_act(stack)
        async with Door(stack.http_port, token=boss.token) as door:

            async def act(task: int, turn: int) -> str:
                path = f"{API}/dialogs/{dialogs[turn % DIALOGS]}/macros/{key}/runs"
                status, answer = await door.ask("POST", path, {})
                if status != 200 or answer["status"] != "succeeded":
                    raise RuntimeError(f"the macro answered {status}: {answer}")
                return "macro"

            for warm in (bare_act, act):
                await drive(warm, in_flight=1, seconds=1)
            for _ in range(runs):
                bare_runs.append(await drive(bare_act, in_flight=1, seconds=seconds))
                played.append(await drive(act, in_flight=1, seconds=seconds))
    await db.close()
    report = Report("Macros: the click to the answer", ("what", "p50 ms", "p95 ms", "per second"))
    report.row("bare workflow, one local activity", p50(bare_runs), p95(bare_runs), rate(bare_runs))
    report.row("POST …/macros/…/runs", p50(played), p95(played), rate(played))
    report.targets = [Target("macro p50 ÷ bare workflow p50", p50(played) / p50(bare_runs), 2.0, "×")]
    return report


async def _bare_act(stack: Stack) -> Act:
    client = await bare.connect(stack.temporal_address)
    db = await connect(stack.database_url)
    await db.execute(bare.TABLES)
    item = uuid4()
    await db.execute("INSERT INTO bench.items (id) VALUES (%s)", [item])
    await db.close()

    async def act(task: int, turn: int) -> str:
        key = uuid4().hex
        await client.execute_workflow("BareMacroWorkflow", Ask(item, key, "said"), id=f"bare:{key}", task_queue=QUEUE)
        return "bare"

    return act


if __name__ == "__main__":
    run(measure, __doc__)
