"""A long queue meets many free operators: 1,000 dialogs onto 250 people, one stored decision each.

The door is the team's `auto`: it is switched off, the dialogs wait unassigned, it is switched on, and whoever has room
gets them: 100 in the request's own transaction, the rest by the relay, 100 in each. Beside it one bare SQL statement
that pairs the same rows without any rule.
"""

from __future__ import annotations

import asyncio
import time

from bench.doors import API, Door
from bench.figures import RUNS, Report, Target, middle
from bench.people import connect, make_people, make_team, queue_dialogs
from bench.running import run
from bench.stacks import Stack

DIALOGS, OPERATORS, ROOM = 1000, 250, 5
LONGEST = 60.0
"""Seconds; a drain that takes longer is given up."""


async def measure(stack: Stack, quick: bool) -> Report:
    runs = 1 if quick else RUNS
    db = await connect(stack.database_url)
    (admin,) = await make_people(db, 1, team=None, role="admin", status="offline")
    answered, drained, bare = [], [], []
    decisions = over = 0
    for number in range(runs):
        team = f"drain{number}"
        await make_team(db, team, auto=False)
        await make_people(db, OPERATORS, team=team, room=ROOM)
        await queue_dialogs(db, team, DIALOGS)
        await db.execute("UPDATE dialogs SET place = 'unassigned' WHERE team_key = %s", [team])
        bare.append(await _bare(db, team))
        await db.execute("ANALYZE dialogs, operators, team_members, reservations")
        first, last = await _drain(stack, db, admin.token, team)
        answered.append(first)
        drained.append(last)
        row = await (
            await db.execute(
                "SELECT count(*), count(DISTINCT dialog_id) FROM decisions"
                " WHERE team_key = %s AND outcome = 'assigned'",
                [team],
            )
        ).fetchone()
        decisions += row[0] if row[0] == row[1] else 0
        full = await db.execute(
            "SELECT count(*) FROM (SELECT operator_id FROM reservations r JOIN team_members m"
            " ON m.user_id = r.operator_id AND m.team_key = %s GROUP BY 1 HAVING count(*) > %s) AS beyond",
            [team, ROOM],
        )
        over += (await full.fetchone())[0]
    await db.close()
    report = Report(f"Drain: {DIALOGS:,} queued dialogs onto {OPERATORS} operators", ("what", "seconds", "per second"))
    for name, values in (
        ("bare: one statement pairs them", bare),
        ("PATCH team auto: answered (first 100)", answered),
        ("PATCH team auto: all assigned", drained),
    ):
        count = 100 if "first" in name else DIALOGS
        report.row(name, f"{middle(values):.2f}", count / middle(values))
    report.targets = [
        Target("all assigned", middle(drained), 2.0, "s"),
        Target("decision rows, one per dialog", decisions / runs, DIALOGS, "rows", False),
        Target("operators beyond their limit", float(over), 0, ""),
    ]
    return report


async def _drain(stack: Stack, db: object, token: str, team: str) -> tuple[float, float]:
    """Seconds until the door answered, and until every dialog was somebody's."""
    async with Door(stack.http_port, token=token) as door:
        began = time.perf_counter()
        status, answer = await door.ask("PATCH", f"{API}/teams/{team}", {"auto": True})
        first = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"PATCH team answered {status}: {answer}")
    while time.perf_counter() - began < LONGEST:
        row = await db.execute("SELECT count(*) FROM dialogs WHERE team_key = %s AND place <> 'owned'", [team])
        if (await row.fetchone())[0] == 0:
            return first, time.perf_counter() - began
        await asyncio.sleep(0.02)
    raise RuntimeError(f"the queue of {team} was not empty after {LONGEST} s")


async def _bare(db: object, team: str) -> float:
    """Pair dialogs and slots in one statement, then take it back."""
    began = time.perf_counter()
    async with db.transaction(force_rollback=True):
        await db.execute(
            """
            WITH waiting AS (
                SELECT id, row_number() OVER (ORDER BY waiting_since) AS n FROM dialogs WHERE team_key = %(team)s
            ), slots AS (
                SELECT user_id, row_number() OVER (ORDER BY slot, user_id) AS n
                FROM team_members, generate_series(1, %(room)s) AS slot WHERE team_key = %(team)s
            ), pairs AS (SELECT id, user_id FROM waiting JOIN slots USING (n)
            ), taken AS (
                INSERT INTO reservations (dialog_id, operator_id, kind, channel_key)
                SELECT id, user_id, 'held', %(team)s FROM pairs
            )
            UPDATE dialogs d SET place = 'owned', status = 'open', operator_id = user_id, assigned_at = now()
            FROM pairs WHERE pairs.id = d.id
            """,
            {"team": team, "room": ROOM},
        )
        took = time.perf_counter() - began
    await db.execute("VACUUM ANALYZE dialogs, reservations")
    return took


if __name__ == "__main__":
    run(measure, __doc__)
