"""Items with a workflow each: a transaction, a second's wait, a transaction; beside bare workflows that do the same.

Then items that listen for an hour: what each costs while it waits.
"""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import psycopg

from bench import bare
from bench.bare_workflows import QUEUE, Ask
from bench.definitions import ended, own_dialogs, publish
from bench.doors import API, Door
from bench.figures import Report, Target
from bench.people import connect, make_people, make_team, queue_dialogs
from bench.running import run
from bench.stacks import Stack, helper

TEAM, WINDOW = "waiting", 50
HEAD = """
dsl: 1
kind: process
name: {name}
title: Wait
target: dialog
permissions: {{ launch: {{ roles: [supervisor] }} }}
mass: {{ concurrency: 50 }}
"""
WAITS = (
    HEAD
    + """
do:
  - {{ id: before, call: set_priority, with: {{ priority: high }} }}
  - {{ id: pause, wait: 1s }}
  - {{ id: after, call: set_priority, with: {{ priority: low }} }}
"""
)
LISTENS = HEAD + "do: [{{ id: ear, listen: {{ to: message.received, timeout: 1h }} }}]\n"


async def measure(stack: Stack, quick: bool) -> Report:
    items, parked = (100, 200) if quick else (500, 5_000)
    db = await connect(stack.database_url)
    await make_team(db, TEAM)
    await make_people(db, 10, team=TEAM, room=20_000)
    (boss,) = await make_people(db, 1, team=TEAM, role="supervisor", status="offline")
    await queue_dialogs(db, TEAM, items)
    await own_dialogs(db, TEAM, 10)
    with helper(stack, "worker"):
        bare_rate = await _bare(stack, db, items)
    waits = await publish(db, WAITS.format(name="bench-waits"))
    listens = await publish(db, LISTENS.format(name="bench-listens"))
    async with Door(stack.http_port, token=boss.token) as door:
        began = time.perf_counter()
        states = await ended(db, await _launch(door, waits))
        rate = states.get("succeeded", 0) / (time.perf_counter() - began)
        await queue_dialogs(db, TEAM, parked - items)
        before = _resident(stack)
        run_id = await _launch(door, listens)
        await _all_parked(db, run_id, parked)
        grown = {name: (size - before[name]) * 1024 / parked for name, size in _resident(stack).items()}
        await asyncio.sleep(3)
        spent = stack.cpu_seconds()
        await asyncio.sleep(10)
        idle = {name: (value - spent[name]) * 10 for name, value in stack.cpu_seconds().items()}
        await door.ask("POST", f"{API}/runs/{run_id}/cancellation", {"mode": "now"})
    await db.close()
    report = Report("Items that wait", ("what", "per second", "KiB each", "% CPU"))
    report.row("bare workflow: transaction, 1 s, transaction", bare_rate, "", "")
    report.row("item: the same in a run", rate, "", "")
    for name in grown:
        report.row(f"{parked:,} parked items: {name}", "", grown[name], idle.get(name, 0.0))
    report.targets = [Target("items per second ÷ bare workflows", rate / bare_rate * 100, 60, "%", False)]
    return report


def _resident(stack: Stack) -> dict[str, float]:
    return stack.resident()


async def _launch(door: Door, key: str) -> str:
    status, answer = await door.ask("POST", f"{API}/processes/{key}/runs", {"selection": {"team": TEAM}})
    if status != 202:
        raise RuntimeError(f"the launch answered {status}: {answer}")
    return str(answer["run_id"])


async def _all_parked(db: psycopg.AsyncConnection, run_id: str, count: int) -> None:
    while True:
        row = await db.execute("SELECT count(*) FROM run_items WHERE run_id = %s AND is_parked", [run_id])
        if (await row.fetchone() or (0,))[0] >= count:
            return
        await asyncio.sleep(0.2)


async def _bare(stack: Stack, db: psycopg.AsyncConnection, count: int) -> float:
    """Workflows per second, a window of them at a time."""
    client = await bare.connect(stack.temporal_address)
    await db.execute(bare.TABLES)
    turns = asyncio.Semaphore(WINDOW)

    async def one() -> None:
        async with turns:
            item, key = uuid4(), uuid4().hex
            await db.execute("INSERT INTO bench.items (id) VALUES (%s)", [item])
            await client.execute_workflow("BareItemWorkflow", Ask(item, key, "x"), id=f"bare:{key}", task_queue=QUEUE)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    run(measure, __doc__)
