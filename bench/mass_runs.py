"""A mass redistribution without a message to clients, beside a bare loop of one comparable transaction per item.

Every dialog of ten operators goes to whoever has most room; each item is a transaction with its trace and its ledger.
Bare: the same number of rows read and written, in plain statements, one connection. Meanwhile somebody writes notes.
"""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import psycopg

from bench import bare
from bench.definitions import ended, own_dialogs, publish
from bench.doors import API, Door
from bench.figures import Report, Target, percentile
from bench.people import connect, make_people, make_team, queue_dialogs
from bench.running import run
from bench.stacks import Stack
from store.ids import new_id

TEAM, OPERATORS, HOLDERS = "redistributed", 50, 10
SOURCE = """
dsl: 1
kind: process
name: bench-redistribute
title: Redistribute
target: dialog
permissions: { launch: { roles: [supervisor] } }
do:
  - { id: reopen, call: reopen }
  - { id: distribute, call: distribute, with: { to: online, strategy: least_loaded, otherwise: queue } }
  - { id: note, call: add_note, with: { text: "Now {{ steps.distribute.result.operator.name | default('all') }}" } }
"""


async def measure(stack: Stack, quick: bool) -> Report:
    items = 1_000 if quick else 10_000
    db = await connect(stack.database_url)
    await make_team(db, TEAM)
    await make_people(db, OPERATORS, team=TEAM, room=20_000)
    (boss,) = await make_people(db, 1, team=TEAM, role="supervisor", status="offline")
    await queue_dialogs(db, TEAM, items)
    await own_dialogs(db, TEAM, HOLDERS)
    key = await publish(db, SOURCE)
    bare_rate = await _bare(db, min(items, 2_000))
    quiet = await _notes(stack, db, seconds=5)
    async with Door(stack.http_port, token=boss.token) as door:
        began = time.perf_counter()
        status, answer = await door.ask("POST", f"{API}/processes/{key}/runs", {"selection": {"team": TEAM}})
        launched = time.perf_counter() - began
        if status != 202:
            raise RuntimeError(f"the launch answered {status}: {answer}")
    over = asyncio.create_task(ended(db, answer["run_id"]))
    other = await connect(stack.database_url)
    busy = await _notes(stack, other, until=over)
    states, took = await over, time.perf_counter() - began
    await db.close()
    await other.close()
    rate = states.get("succeeded", 0) / took
    report = Report(f"Mass run: {items:,} dialogs redistributed", ("what", "per second", "p50 ms", "p95 ms"))
    report.row("bare loop, one transaction per item", bare_rate, "", "")
    report.row("the run, launch to end", rate, "", "")
    report.row("a note on a dialog: quiet", "", percentile(quiet, 0.5), percentile(quiet, 0.95))
    report.row("a note on a dialog: meanwhile", "", percentile(busy, 0.5), percentile(busy, 0.95))
    report.targets = [
        Target("items per second", rate, 150, "/s", False),
        Target("items per second ÷ bare loop", rate / bare_rate * 100, 50, "%", False),
        Target("launch answered", launched, 1.0 if items >= 10_000 else 0.3, "s"),
        Target("items that succeeded", states.get("succeeded", 0), items, "", False),
        Target("a note meanwhile p95 ÷ quiet p95", percentile(busy, 0.95) / percentile(quiet, 0.95), 2.0, "×"),
    ]
    return report


async def _notes(
    stack: Stack, db: psycopg.AsyncConnection, *, seconds: float = 3600, until: asyncio.Task[object] | None = None
) -> list[float]:
    """Milliseconds of notes written one after the other, a few a second, by somebody of another team."""
    team = f"notes{uuid4().hex[:8]}"
    await make_team(db, team)
    (writer,) = await make_people(db, 1, team=team)
    await queue_dialogs(db, team, 1)
    await own_dialogs(db, team, 1)
    (dialog,) = await (await db.execute("SELECT id FROM dialogs WHERE team_key = %s", [team])).fetchone() or (None,)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    async with Door(stack.http_port, token=writer.token) as door:
        while time.perf_counter() < end and not (until and until.done()):
            began = time.perf_counter()
            status, answer = await door.ask("POST", f"{API}/dialogs/{dialog}/messages", {"text": "x", "mode": "note"})
            if status != 201:
                raise RuntimeError(f"the note answered {status}: {answer}")
            taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.1)
    return taken


async def _bare(db: psycopg.AsyncConnection, count: int) -> float:
    """Items per second: three locks, ten reads, fourteen rows written."""
    await db.execute(bare.TABLES)
    items = [uuid4() for _ in range(count)]
    async with db.cursor() as cursor:
        await cursor.executemany("INSERT INTO bench.items (id, name) VALUES (%s, 'item')", [(i,) for i in items])
    began = time.perf_counter()
    for item in items:
        async with db.transaction():
            await db.execute("SELECT pg_advisory_xact_lock(99, 1)")
            await db.execute("SELECT * FROM bench.items WHERE id = %s FOR NO KEY UPDATE", [item])
            for _ in range(10):
                await db.execute("SELECT id, name, n FROM bench.items WHERE id = %s", [item])
            for kind in ("released", "taken", "decision", "noted", "item"):
                await db.execute(_FACT, [item, kind])
            for kind in ("slot", "ledger", "ledger", "trace", "trace", "trace"):
                await db.execute("INSERT INTO bench.marks (item, kind) VALUES (%s, %s)", [item, kind])
            await db.execute(_MESSAGE, [new_id(), item])
            await db.execute("UPDATE bench.items SET n = n + 1, touched_at = clock_timestamp() WHERE id = %s", [item])
    return count / (time.perf_counter() - began)


_FACT = "INSERT INTO bench.facts (item, kind, data) VALUES (%s, %s, '{\"a\": 1}')"
_MESSAGE = "INSERT INTO bench.messages (id, item, seq, text) VALUES (%s, %s, 1, 'Now with somebody')"

if __name__ == "__main__":
    run(measure, __doc__)
