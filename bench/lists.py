"""The dialog list over 1,000,000 dialogs: first page with two filters, through the API, for three kinds of asker.

Beside it the bare query: the same page by SQL alone, filtered by the same two columns and nobody's rights.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from bench.doors import API, Door
from bench.figures import RUNS, Report, Target, middle, percentile
from bench.people import connect, make_people
from bench.running import run
from bench.stacks import Stack

DIALOGS = 1_000_000
TEAMS, PEOPLE, CHANNELS = 12, 240, 3
TIMES = 40
"""Pages asked for in one run, by each asker for each pair of filters."""

SPREAD = """
INSERT INTO teams (key, name, auto) SELECT 'lists' || n, 'Lists ' || n, false FROM generate_series(1, {teams}) AS n;
INSERT INTO channels (key, kind, name) SELECT 'lists' || n, 'generic', 'Lists ' || n
    FROM generate_series(1, {channels}) AS n;
INSERT INTO topics (key, name) SELECT 'lists' || n, 'Lists ' || n FROM generate_series(1, 40) AS n;
INSERT INTO tags (key, name) SELECT 'lists' || n, 'Lists ' || n FROM generate_series(1, 30) AS n;
CREATE TEMP TABLE who AS SELECT user_id, (row_number() OVER (ORDER BY user_id) - 1)::int AS n
    FROM operators WHERE user_id = ANY(%(people)s);
INSERT INTO team_members SELECT 'lists' || (n % {teams} + 1), user_id FROM who;
CREATE TEMP TABLE clients AS SELECT gen_random_uuid() AS id, gen_random_uuid() AS identity, n
    FROM generate_series(0, {clients} - 1) AS n;
INSERT INTO contacts (id, name, phone) SELECT id, 'Client ' || n, '+38050' || lpad(n::text, 7, '0') FROM clients;
INSERT INTO identities (id, contact_id, channel_key, address)
    SELECT identity, id, 'lists' || (n % {channels} + 1), 'lists-' || n FROM clients;
"""
#: 97 % closed, the rest with their holders or waiting; older ones closed long ago; a year in all
ROWS = """
INSERT INTO dialogs (id, kind, status, place, channel_key, identity_id, contact_id, thread, topic_key, team_key,
    operator_id, last_operator_id, tags, rating, opened_at, assigned_at, first_assigned_at, awaiting_reply_since,
    last_client_message_at, last_message_at, closed_at, last_message_seq)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(d.n::text), 1, 3)
        || '8' || substr(md5(d.n::text), 5, 15))::uuid,
    'chat', CASE WHEN is_open THEN CASE WHEN d.n % 4 = 0 THEN 'new' ELSE 'open' END ELSE 'closed' END,
    CASE WHEN is_open THEN CASE WHEN d.n % 4 = 0 THEN 'unassigned' ELSE 'owned' END END,
    'lists' || (c.n % {channels} + 1), c.identity, c.id, 'lists-' || d.n,
    CASE WHEN n5 < 4 THEN 'lists' || (1 + floor(40 * power(r1, 2)))::int END, 'lists' || (w.n % {teams} + 1),
    CASE WHEN is_open AND d.n % 4 <> 0 THEN w.user_id END, CASE WHEN NOT (is_open AND d.n % 4 = 0) THEN w.user_id END,
    CASE WHEN n5 = 1 THEN ARRAY['lists' || (1 + floor(30 * r2))::int] ELSE '{{}}' END,
    CASE WHEN NOT is_open AND n5 = 2 THEN 1 + floor(5 * r1)::int END,
    at, at + interval '30 s', at + interval '30 s', CASE WHEN is_open AND n5 < 2 THEN at + interval '10 min' END,
    at + interval '10 min', at + interval '12 min', CASE WHEN NOT is_open THEN at + interval '30 min' END, 6
FROM (
    SELECT n, n > {count} * 0.97 AS is_open, random() AS r1, random() AS r2, floor(5 * random())::int AS n5,
           now() - interval '1 hour' - (({count} - n)::float8 / {count}) * interval '365 days' AS at,
           floor({people} * power(random(), 1.3))::int AS person, floor({clients} * random())::int AS client
    FROM generate_series({first}, {last}) AS n
) AS d JOIN who w ON w.n = d.person JOIN clients c ON c.n = d.client
"""
#: three in four of the open ones keep a promise, and a quarter of those are late; a tenth of the others once did
CLOCKS = """
INSERT INTO clocks (id, dialog_id, metric, alias, cycle, started_at, state, target, due_at, next_at, breached_at,
                    ended_at, result, team_key)
SELECT gen_random_uuid(), id, 'ttc', 'Close', 1, opened_at, CASE WHEN is_open THEN 'running' ELSE 'ended' END, 3600,
       due, CASE WHEN is_open AND NOT is_late THEN due END, CASE WHEN is_late THEN due END,
       CASE WHEN NOT is_open THEN opened_at + interval '30 min' END, CASE WHEN NOT is_open THEN 'met' END, team_key
FROM (SELECT *, CASE WHEN is_late THEN now() - r * interval '5 days' ELSE now() + r * interval '5 days' END AS due
      FROM (SELECT id, opened_at, team_key, status <> 'closed' AS is_open, random() AS r,
                   status <> 'closed' AND last_message_seq = 6 AND abs(hashtext(id::text)) % 4 = 0 AS is_late
            FROM dialogs WHERE team_key LIKE 'lists%'
              AND abs(hashtext(id::text || 'kept')) % 100 < CASE WHEN status = 'closed' THEN 10 ELSE 75 END) AS d) AS t
"""
LATE = "SELECT dialog_id FROM clocks WHERE breached_at IS NOT NULL AND state <> 'ended'"


async def measure(stack: Stack, quick: bool) -> Report:
    count, runs = (100_000, 1) if quick else (DIALOGS, RUNS)
    db = await connect(stack.database_url)
    people = await make_people(db, PEOPLE, team=None, status="offline")
    began = time.perf_counter()
    await _make(db, [p.id for p in people], count)
    made_in = time.perf_counter() - began
    askers = await _askers(db, people[0])
    pairs = _pairs(people[0].id)
    before = stack.resident()
    report = Report(
        f"Dialog list, first page of 50, {count:,} dialogs", ("filters", *(f"{name}: p50 / p95 ms" for name in askers),
        "bare SQL: p50 / p95 ms"),
    )  # fmt: skip
    slowest = 0.0
    for filters, condition in pairs:
        cells = []
        for token in askers.values():
            taken = [await _ask(stack, token, filters) for _ in range(runs)]
            p95 = middle([percentile(t, 0.95) for t in taken])
            slowest = max(slowest, p95)
            cells.append(f"{middle([percentile(t, 0.5) for t in taken]):.1f} / {p95:.1f}")
        plain = [await _ask_bare(db, *condition) for _ in range(runs)]
        cells.append(" / ".join(f"{middle([percentile(t, s) for t in plain]):.1f}" for s in (0.5, 0.95)))
        report.row(" ".join(f"{k}={str(v)[:12]}" for k, v in filters.items()), *cells)
    after = stack.resident()
    await db.close()
    grown = max(after[part] - before[part] for part in ("server", "worker"))
    report.targets = [
        Target("list p95, the slowest pair and asker", slowest, 50, "ms"),
        Target("resident memory grown over the run", grown, 30, "MiB"),
    ]
    report.notes = [
        f"rows made in {made_in:.0f} s",
        "MiB before → after: " + ", ".join(f"{part} {before[part]:.0f} → {after[part]:.0f}" for part in before),
    ]
    return report


async def _make(db: Any, people: list[UUID], count: int) -> None:
    """Indexes are dropped and made again: a tenth of the time."""
    numbers = {"teams": TEAMS, "channels": CHANNELS, "people": len(people), "clients": count // 5, "count": count}
    for statement in SPREAD.format(**numbers).split(";\n"):
        if "%(" in statement:
            await db.execute(statement, {"people": people})
        elif statement.strip():
            await db.execute(statement)
    rows = await db.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'dialogs' AND indexdef NOT LIKE '%UNIQUE%'"
    )
    indexes = await rows.fetchall()
    for name, _ in indexes:
        await db.execute(f'DROP INDEX "{name}"')
    step = 100_000
    for first in range(1, count + 1, step):
        said = ROWS.format(**numbers, first=first, last=min(count, first + step - 1))
        await db.execute(said)
    for _, definition in indexes:
        await db.execute(definition)
    await db.execute(CLOCKS)
    await db.execute("VACUUM ANALYZE dialogs, contacts, identities, team_members, clocks")
    await db.execute("CHECKPOINT")


async def _askers(db: Any, operator: Any) -> dict[str, str]:
    (leader,) = await make_people(db, 1, team="lists1", role="supervisor", status="offline")
    await db.execute("INSERT INTO team_members VALUES ('lists2', %s), ('lists3', %s)", [leader.id, leader.id])
    (everything,) = await make_people(db, 1, team=None, role="admin", status="offline")
    return {"operator": operator.token, "leader of 3 teams": leader.token, "sees all": everything.token}


def _pairs(operator: UUID) -> Sequence[tuple[dict[str, Any], tuple[str, list[Any]]]]:
    """What the panels ask, rare and common values mixed, and the same condition in SQL."""
    return (
        ({"status": "open", "team": "lists1"}, ("status = 'open' AND team_key = 'lists1'", [])),
        ({"status": "closed", "topic": "lists3"}, ("status = 'closed' AND topic_key = 'lists3'", [])),
        ({"status": "closed", "channel": "lists2"}, ("status = 'closed' AND channel_key = 'lists2'", [])),
        ({"operator": str(operator), "status": "closed"}, ("status = 'closed' AND last_operator_id = %s", [operator])),
        ({"tag": "lists7", "team": "lists2"}, ("tags && '{lists7}' AND team_key = 'lists2'", [])),
        ({"topic": "lists40", "status": "open"}, ("topic_key = 'lists40' AND status = 'open'", [])),
        (
            {"awaiting_reply": "true", "channel": "lists1"},
            ("awaiting_reply_since IS NOT NULL AND channel_key = 'lists1'", []),
        ),
        ({"rating": "1", "team": "lists3"}, ("rating = 1 AND team_key = 'lists3'", [])),
        ({"status": "unassigned", "team": "lists1"}, ("place = 'unassigned' AND team_key = 'lists1'", [])),
        ({"overdue": "true", "team": "lists2"}, (f"id IN ({LATE}) AND team_key = 'lists2'", [])),
        ({"overdue": "true", "sort": "due"}, (f"id IN ({LATE})", [])),
        ({"status": "open", "sort": "due"}, ("status = 'open'", [])),
    )  # fmt: skip


async def _ask(stack: Stack, token: str, filters: dict[str, Any]) -> list[float]:
    taken = []
    async with Door(stack.http_port, token=token) as door:
        for n in range(TIMES + 3):
            began = time.perf_counter()
            status, answer = await door.ask("GET", f"{API}/dialogs?{urlencode({**filters, 'limit': 50})}")
            if status != 200:
                raise RuntimeError(f"the list answered {status}: {answer}")
            if n >= 3:
                taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0)
    return taken


async def _ask_bare(db: Any, condition: str, values: list[Any]) -> list[float]:
    taken = []
    for n in range(TIMES + 3):
        began = time.perf_counter()
        rows = await db.execute(f"SELECT * FROM dialogs WHERE {condition} ORDER BY id DESC LIMIT 51", values)
        await rows.fetchall()
        if n >= 3:
            taken.append((time.perf_counter() - began) * 1000)
    return taken


if __name__ == "__main__":
    run(measure, __doc__)
