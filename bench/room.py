"""A slot is freed: how soon the longest waiting dialog is its holder's, and how soon panels see that.

Operators with one slot each and a queue behind them; closings come one at a time. The assignment happens in the
closing's own transaction, so the answer to the closing already includes it; the stream shows it a little later.
"""

from __future__ import annotations

import asyncio
import json
import time
from uuid import UUID

from bench.doors import API, Door
from bench.figures import RUNS, Report, Target, middle, percentile
from bench.people import connect, make_people, make_team
from bench.running import run
from bench.stacks import TOKEN, Stack

OPERATORS = 10


async def measure(stack: Stack, quick: bool) -> Report:
    runs, closings = (1, 30) if quick else (RUNS, 60)
    db = await connect(stack.database_url)
    answered, assigned, shown, bare = [], [], [], []
    for number in range(runs):
        team = f"room{number}"
        await make_team(db, team)
        operators = await make_people(db, OPERATORS, team=team, room=1)
        (supervisor,) = await make_people(db, 1, team=team, role="supervisor", status="offline")
        await _fill(stack, team, OPERATORS + closings)
        figures = await _close_one_by_one(stack, db, team, {o.id: o.token for o in operators}, supervisor, closings)
        answered.append([f[0] for f in figures])
        assigned.append([f[1] for f in figures])
        shown.append([f[2] for f in figures])
        bare.append(await _bare(db, closings))
    await db.close()
    report = Report("Room: slot freed → next dialog assigned", ("what", "p50 ms", "p95 ms"))
    for name, values in (
        ("bare: delete the slot, give it to the next, in SQL alone", bare),
        ("closing sent → answered (assignment included)", answered),
        ("closed_at → assigned_at of the next", assigned),
        ("closing answered → assignment on the stream", shown),
    ):
        report.row(name, *(middle([percentile(run, share) for run in values]) for share in (0.5, 0.95)))
    report.targets = [
        Target("closing sent → next assigned p95", middle([percentile(run, 0.95) for run in answered]), 300, "ms"),
        Target("slot freed → seen on the stream p95", middle([percentile(run, 0.95) for run in shown]), 300, "ms"),
    ]
    return report


async def _fill(stack: Stack, team: str, count: int) -> None:
    async with Door(stack.http_port, headers={"X-Channel-Token": TOKEN}) as door:
        for n in range(count):
            body = {"external_id": f"{team}-{n}", "from": {"id": f"{team}-{n}"}, "text": "Is anybody there?"}
            status, answer = await door.ask("POST", f"{API}/channels/{team}/inbound", body)
            if status != 202:
                raise RuntimeError(f"inbound answered {status}: {answer}")


async def _close_one_by_one(
    stack: Stack, db: object, team: str, tokens: dict[UUID, str], supervisor: object, closings: int
) -> list[tuple[float, float, float]]:  # fmt: skip
    """Per closing, in ms: until its answer, closed_at → assigned_at, its answer → the event (0 when it came first)."""
    seen: dict[str, float] = {}
    listening, news = asyncio.Event(), asyncio.Event()

    async def listen() -> None:
        async with Door(stack.http_port, token=supervisor.token) as door:
            async for event in door.events(f"{API}/events"):
                listening.set()
                if event.get("event") == "dialog.assigned":
                    seen[json.loads(event["data"])["dialog_id"]] = time.perf_counter()
                    news.set()

    ear = asyncio.create_task(listen())
    await asyncio.wait_for(listening.wait(), 5)
    figures = []
    async with Door(stack.http_port) as door:
        for _ in range(closings):
            owned = await db.execute(
                "SELECT id, operator_id FROM dialogs WHERE team_key = %s AND place = 'owned'"
                " ORDER BY assigned_at LIMIT 1",
                [team],
            )
            dialog, operator = await owned.fetchone()
            began = time.perf_counter()
            status, answer = await door.ask("POST", f"{API}/dialogs/{dialog}/closure", token=tokens[operator])
            done = time.perf_counter()
            if status != 200:
                raise RuntimeError(f"the closing answered {status}: {answer}")
            row = await db.execute(
                "SELECT n.id, extract(epoch FROM n.assigned_at - c.closed_at)::float FROM dialogs n, dialogs c"
                " WHERE c.id = %s AND n.operator_id = %s AND n.place = 'owned'",
                [dialog, operator],
            )
            following, waited = await row.fetchone()
            while str(following) not in seen:
                news.clear()
                await asyncio.wait_for(news.wait(), 10)
            figures.append(((done - began) * 1000, waited * 1000, max(0.0, (seen[str(following)] - done) * 1000)))
            await asyncio.sleep(0.05)
    ear.cancel()
    await asyncio.gather(ear, return_exceptions=True)
    return figures


async def _bare(db: object, count: int) -> list[float]:
    """The two rows that must change, in one transaction without any platform."""
    await db.execute("CREATE TEMP TABLE slots (who int PRIMARY KEY, what int)")
    await db.execute("CREATE TEMP TABLE waits (what int PRIMARY KEY)")
    await db.execute("INSERT INTO slots SELECT n, n FROM generate_series(1, 10) AS n")
    await db.execute("INSERT INTO waits SELECT n FROM generate_series(11, 1000) AS n")
    taken = []
    for n in range(count):
        began = time.perf_counter()
        async with db.transaction():
            next_one = await (await db.execute("SELECT min(what) FROM waits")).fetchone()
            await db.execute("DELETE FROM waits WHERE what = %s", [next_one[0]])
            await db.execute("UPDATE slots SET what = %s WHERE who = %s", [next_one[0], n % 10 + 1])
        taken.append((time.perf_counter() - began) * 1000)
    await db.execute("DROP TABLE slots, waits")
    return taken


if __name__ == "__main__":
    run(measure, __doc__)
