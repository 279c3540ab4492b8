"""How late warnings and breaches are, with many clocks asleep; what a sleeping clock costs.

A stream of deadlines (ten a second), then a burst of 500 in one second, while 5,000 clocks are open. Late: from the
stored deadline until the breach can be read. Beside it bare Temporal timers with the same deadlines: late until their
workflow has ended.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg

from bench import bare
from bench.bare_workflows import QUEUE
from bench.figures import Report, Target, percentile
from bench.people import connect, make_people, make_team, queue_dialogs
from bench.running import run
from bench.stacks import Stack, helper

TEAM, ROOM = "clocks", 10_000
SIZES = {False: (5_000, 200, 500), True: (600, 50, 100)}
"""quick → clocks open, of those in the stream, in the burst."""
PER_SECOND = 10
LOOK_EVERY = 0.02

OPEN = """
WITH tickets AS (
    UPDATE dialogs SET kind = 'ticket', status = 'open', ticket_number = nextval('ticket_numbers'), keeps_time = true
    WHERE team_key = %(team)s RETURNING id, opened_at
), timed AS (
    INSERT INTO timed_dialogs (dialog_id, life)
    SELECT id, jsonb_build_object('kind', 'ticket', 'status', 'open', 'status_since', opened_at, 'cycle', 1,
                                  'cycle_at', opened_at, 'pauses', '[]'::jsonb) FROM tickets
), made AS (
    INSERT INTO clocks (id, dialog_id, metric, alias, cycle, started_at, state, target, due_at, next_at)
    SELECT gen_random_uuid(), id, 'ttc', 'Time to close', 1, opened_at, 'running', 86400, opened_at + interval '1 day',
           opened_at + interval '1 day' FROM tickets RETURNING id, started_at
), ledger AS (
    INSERT INTO clock_intervals (clock_id, number, state, began_at, cause, actor_kind)
    SELECT id, 1, 'running', started_at, 'ticket.created', 'system' FROM made
)
INSERT INTO reactions (workflow_id, kind, payload) SELECT 'sla:' || id, 'clocks_changed', '{}' FROM tickets
"""
#: the n-th of the chosen clocks is due at its own moment: a target that ends there, and its workflow is told
AIM = """
WITH chosen AS (
    SELECT c.id, c.dialog_id, c.started_at, m.due FROM (
        SELECT id, dialog_id, started_at, row_number() OVER (ORDER BY id) AS n FROM clocks
        WHERE state = 'running' AND target = 86400 AND breached_at IS NULL
          AND dialog_id IN (SELECT id FROM dialogs WHERE team_key = %(team)s)
    ) AS c JOIN unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS m (due, n) ON m.n = c.n
), aimed AS (
    UPDATE clocks SET target = greatest(1, round(extract(epoch FROM chosen.due - chosen.started_at))),
        due_at = chosen.started_at + make_interval(secs => round(extract(epoch FROM chosen.due - chosen.started_at))),
        next_at = chosen.started_at + make_interval(secs => round(extract(epoch FROM chosen.due - chosen.started_at)))
    FROM chosen WHERE clocks.id = chosen.id
)
INSERT INTO reactions (workflow_id, kind, payload) SELECT 'sla:' || dialog_id, 'clocks_changed', '{}' FROM chosen
"""
SEEN = """
SELECT id, at, clock_timestamp() AS seen FROM events WHERE id > %s AND kind = 'sla.breached' ORDER BY id
"""


async def measure(stack: Stack, quick: bool) -> Report:
    count, in_stream, in_burst = SIZES[quick]
    db = await connect(stack.database_url)
    await db.execute(bare.TABLES)
    await make_team(db, TEAM, auto=False)
    await make_people(db, 5, team=TEAM, room=ROOM)
    report = Report("SLA clocks", ("what", "clocks", "late p50 ms", "p99 ms", "most ms"))
    with helper(stack, "worker"):
        plain = {
            "stream": await _bare_timers(stack, _stream(in_stream)),
            "burst": await _bare_timers(stack, [timedelta(seconds=20)] * in_burst),
        }
    before = stack.resident()
    await queue_dialogs(db, TEAM, count)
    await db.execute(OPEN, {"team": TEAM})
    began = time.perf_counter()
    await _all_asleep(db, count)
    took = time.perf_counter() - began
    grown = {name: (size - before[name]) * 1024 / count for name, size in stack.resident().items()}
    spent = stack.cpu_seconds()
    await asyncio.sleep(10)
    idle = {name: (value - spent[name]) * 10 for name, value in stack.cpu_seconds().items()}
    ours = {
        "stream": await _breaches(db, _stream(in_stream, ahead=30)),
        "burst": await _breaches(db, [timedelta(seconds=40)] * in_burst),
    }
    for name, moments in plain.items():
        _row(report, f"bare timers, {name}", moments)
    for name, moments in ours.items():
        _row(report, f"breaches, {name}", moments)
    report.notes = [
        f"{count:,} clocks fell asleep in {took:.0f} s. One asleep: "
        + ", ".join(f"{name} {size:.0f} KiB" for name, size in grown.items())
        + "; CPU of all of them: "
        + ", ".join(f"{name} {share:.1f} %" for name, share in idle.items())
    ]
    report.targets = [
        Target(f"{name}: p99 late − bare timers' p99", _p99(ours[name]) - _p99(plain[name]), 500, "ms") for name in ours
    ]
    await db.close()
    return report


def _stream(count: int, ahead: int = 10) -> list[timedelta]:
    return [timedelta(seconds=ahead + n / PER_SECOND) for n in range(count)]


def _p99(late: list[float]) -> float:
    return percentile(late, 0.99)


def _row(report: Report, name: str, late: list[float]) -> None:
    report.row(name, len(late), percentile(late, 0.5), _p99(late), max(late))


async def _all_asleep(db: psycopg.AsyncConnection, count: int, within: float = 600.0) -> None:
    until = time.monotonic() + within
    while time.monotonic() < until:
        row = await (await db.execute("SELECT count(*) FROM timed_dialogs WHERE wakes_at IS NOT NULL")).fetchone()
        if row is not None and row[0] >= count:
            return
        await asyncio.sleep(0.5)
    raise RuntimeError(f"the clocks did not fall asleep within {within:.0f} s")


async def _breaches(db: psycopg.AsyncConnection, ahead: list[timedelta], within: float = 240.0) -> list[float]:
    """Milliseconds each breach was late."""
    row = await (await db.execute("SELECT coalesce(max(id), 0), clock_timestamp() FROM events")).fetchone()
    assert row is not None
    before, now = row
    await db.execute(AIM, {"team": TEAM, "moments": [now + a for a in ahead]})
    late: dict[int, float] = {}
    until = time.monotonic() + within
    while len(late) < len(ahead):
        if time.monotonic() > until:
            raise RuntimeError(f"only {len(late)} of {len(ahead)} breaches were seen")
        # commits come out of the order of ids: whoever asks for what is newer than the newest misses some
        for event_id, at, seen in await (await db.execute(SEEN, [before])).fetchall():
            late.setdefault(event_id, (seen - at).total_seconds() * 1000)
        await asyncio.sleep(LOOK_EVERY)
    return list(late.values())


async def _bare_timers(stack: Stack, ahead: list[timedelta]) -> list[float]:
    """Milliseconds from each deadline to the end of its workflow."""
    client = await bare.connect(stack.temporal_address)
    turns = asyncio.Semaphore(20)
    now = datetime.now().astimezone() + timedelta(seconds=len(ahead) / 50)

    async def one(offset: timedelta) -> float:
        due = now + offset
        async with turns:
            handle = await client.start_workflow(
                "BareTimerWorkflow", due.isoformat(), id=f"bare:{uuid4().hex}", task_queue=QUEUE
            )
        await asyncio.sleep(max(0.0, (due - datetime.now().astimezone()).total_seconds()))
        await handle.result()
        closed = (await handle.describe()).close_time
        assert closed is not None
        return (closed - due).total_seconds() * 1000

    return list(await asyncio.gather(*(one(offset) for offset in ahead)))


if __name__ == "__main__":
    run(measure, __doc__)
