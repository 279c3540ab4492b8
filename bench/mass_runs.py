"""The built-in redistribution of one operator's dialogs, without a message to clients, beside a bare loop.

Each item is a transaction with its trace and its ledger. Bare: a script that does the same to as many dialogs: the same
locks, the same look at everybody's load, the same rows in the same tables, in plain statements on one connection; it
keeps no trace, no ledger and no items. Meanwhile somebody of another team writes notes.
"""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from bench.definitions import ended, own_dialogs, publish
from bench.doors import API, Door
from bench.figures import Report, Target, percentile
from bench.people import connect, make_people, make_team, queue_dialogs
from bench.running import run
from bench.stacks import Stack
from processes.catalogue import built_ins
from store.candidates import CANDIDATES
from store.distribution import HAND_OVER, TAKE_SLOTS
from store.ids import new_id

TEAM, OPERATORS = "redistributed", 50
NAME = "bench-redistribute"


async def measure(stack: Stack, quick: bool) -> Report:
    items = 1_000 if quick else 10_000
    db = await connect(stack.database_url)
    await make_team(db, TEAM)
    people = await make_people(db, OPERATORS, team=TEAM, room=20_000)
    (boss,) = await make_people(db, 1, team=TEAM, role="supervisor", status="offline")
    leaving = str(sorted(p.id for p in people)[0])
    key = await publish(db, dict(built_ins())["redistribute-operator"].replace("redistribute-operator", NAME))
    bare_rate = await _bare(db, leaving, min(items, 2_000))
    await queue_dialogs(db, TEAM, items)
    await own_dialogs(db, TEAM, 1)
    quiet = await _notes(stack, db, seconds=5)
    order = {
        "selection": {"operator": leaving}, "inputs": {"tell_contact": False}, "confirm": items,
    }  # fmt: skip
    async with Door(stack.http_port, token=boss.token) as door:
        began = time.perf_counter()
        status, answer = await door.ask("POST", f"{API}/processes/{key}/runs", order)
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


async def _bare(db: psycopg.AsyncConnection, leaving: str, count: int) -> float:
    """Items per second of the script; its dialogs are closed afterwards."""
    await queue_dialogs(db, TEAM, count)
    await own_dialogs(db, TEAM, 1)
    await db.execute("UPDATE operators SET status = 'offline' WHERE user_id = %s", [leaving])
    rows = await (await db.execute("SELECT id FROM dialogs WHERE operator_id = %s", [leaving])).fetchall()
    began = time.perf_counter()
    for (dialog,) in rows:
        async with db.transaction():
            await _move(db, dialog)
    rate = len(rows) / (time.perf_counter() - began)
    await db.execute("UPDATE operators SET status = 'online' WHERE user_id = %s", [leaving])
    await db.execute("DELETE FROM reservations WHERE channel_key = %s", [TEAM])
    await db.execute(
        "UPDATE dialogs SET status = 'closed', place = NULL, operator_id = NULL WHERE team_key = %s", [TEAM]
    )
    return rate


async def _move(db: psycopg.AsyncConnection, dialog: UUID) -> None:
    await db.execute("SELECT pg_advisory_xact_lock(1, number::int) FROM teams WHERE key = %s", [TEAM])
    held = await db.execute("SELECT * FROM dialogs WHERE id = %s FOR NO KEY UPDATE", [dialog])
    names = [column.name for column in held.description or ()]
    row = dict(zip(names, await held.fetchone() or (), strict=True))
    await db.execute(_ABLE, [TEAM])
    people = await (await db.execute(CANDIDATES.sql, {"teams": [TEAM]})).fetchall()
    loads = {p[0]: p[10] for p in people if p[5] == "online" and p[8] and p[0] != row["operator_id"]}
    best = min(loads, key=lambda person: (loads[person], person))
    now = datetime.now(UTC)
    await db.execute("DELETE FROM reservations WHERE dialog_id = %s AND kind = 'held'", [dialog])
    given = {"dialogs": [dialog], "operators": [best], "channels": [row["channel_key"]]}
    await db.execute(_plain(TAKE_SLOTS.text), given)
    moved = {"contacts": [row["contact_id"]], "now": now, "winners": [best], "turns": [now]}
    await db.execute(_plain(HAND_OVER.text), given | moved)
    seen = Jsonb([{"operator": str(person), "load": load} for person, load in loads.items()][:11])
    await db.execute(_DECISION, [dialog, TEAM, best, seen, now])
    await db.execute("UPDATE dialogs SET last_message_seq = last_message_seq + 1 WHERE id = %s", [dialog])
    await db.execute(_NOTE, [new_id(), dialog, row["last_message_seq"] + 1, row["channel_key"], now])
    for kind in ("dialog.assigned", "note.added"):
        await db.execute(_FACT, [kind, now, dialog, row["contact_id"], TEAM, best, Jsonb({"cause": "bare"})])


def _plain(statement: str) -> str:
    """psycopg's placeholders for SQLAlchemy's."""
    return re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", statement.replace("%", "%%"))


_ABLE = """
SELECT o.user_id FROM operators o WHERE o.status = 'online'
AND o.user_id IN (SELECT user_id FROM team_members WHERE team_key = %s) ORDER BY o.user_id FOR NO KEY UPDATE OF o
"""
_DECISION = """
INSERT INTO decisions (dialog_id, team_key, method, outcome, winner_id, reason, cause, candidates, excluded, took, at)
VALUES (%s, %s, 'least_loaded', 'assigned', %s, 'bare', 'bare', %s, '{}', 0, %s)
"""
_NOTE = """
INSERT INTO messages (id, dialog_id, seq, direction, author_kind, text, channel_key, created_at)
VALUES (%s, %s, %s, 'note', 'process', 'Redistributed', %s, %s)
"""
_FACT = """
INSERT INTO events (kind, at, dialog_id, contact_id, team_key, operator_id, actor_kind, data)
VALUES (%s, %s, %s, %s, %s, %s, 'process', %s)
"""

if __name__ == "__main__":
    run(measure, __doc__)
