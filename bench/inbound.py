"""Clients' messages: how soon one is accepted, how many a second, and how soon panels see it.

Every fourth message opens a dialog, which is assigned at once; the others continue one. Beside it: the bare transaction
(lock a row, three inserts, update the row) from this process, and a FastAPI endpoint of its own that inserts as many
rows for a first and for a later message.
"""

from __future__ import annotations

import asyncio
import json
import time
from uuid import UUID, uuid4

from bench import bare
from bench.doors import API, Door
from bench.figures import RUNS, Report, Target, middle, percentile
from bench.loads import Act, Taken, drive, p50, p95, rate
from bench.people import connect, make_people, make_team
from bench.running import run
from bench.stacks import TOKEN, Stack, free_ports, helper
from store.engines import engine_for, sessions_of

IN_FLIGHT = 16
NEW_EVERY = 4
PER_SECOND = 30
SAID = "Good morning, the courier did not come yesterday, what shall I do?"


async def measure(stack: Stack, quick: bool) -> Report:
    seconds, runs = (3.0, 1) if quick else (8.0, RUNS)
    db = await connect(stack.database_url)
    await db.execute(bare.TABLES)
    await make_team(db, "inbound")
    (supervisor, *_) = await make_people(db, 1, team="inbound", role="supervisor", status="offline")
    await make_people(db, 50, team="inbound", room=100_000)
    engine = engine_for(stack.database_url)
    (port,) = free_ports(1)
    figures: dict[str, list[Taken]] = {}
    lags: list[list[float]] = []
    with helper(stack, "web", str(port)):
        platform = _inbound(stack.http_port, f"{API}/channels/inbound/inbound")
        plain = _inbound(port, "/inbound")
        transaction = await _transactions(engine, db)
        for act in (platform, plain, transaction):
            await drive(act, in_flight=IN_FLIGHT, seconds=1)
        for _ in range(runs):
            for name, act in (("transaction", transaction), ("endpoint", plain), ("inbound", platform)):
                for in_flight in (1, IN_FLIGHT):
                    taken = await drive(act, in_flight=in_flight, seconds=seconds)
                    figures.setdefault(f"{name} {in_flight}", []).append(taken)
                    await _settle(db)
            lags.append(await _lags(stack, supervisor.token, seconds * 1.5))
    await engine.dispose()
    await db.close()
    return _report(figures, lags)


def _report(figures: dict[str, list[Taken]], lags: list[list[float]]) -> Report:
    report = Report("Inbound messages", ("what", "in flight", "p50 ms", "p95 ms", "per second"))
    names = {"transaction": "bare transaction", "endpoint": "bare FastAPI endpoint", "inbound": "API: inbound"}
    for name, label in names.items():
        for in_flight in (1, IN_FLIGHT):
            taken = figures[f"{name} {in_flight}"]
            report.row(label, in_flight, p50(taken), p95(taken), rate(taken))
            if name != "transaction" and in_flight == 1:
                for kind in ("continues", "opens"):
                    report.row(f"· {kind}", 1, p50(taken, kind), p95(taken, kind), "")
    seen95 = middle([percentile(run, 0.95) for run in lags])
    report.row(f"sent → on the stream, {PER_SECOND}/s", "", middle([percentile(run, 0.5) for run in lags]), seen95, "")
    share = rate(figures[f"inbound {IN_FLIGHT}"]) / rate(figures[f"endpoint {IN_FLIGHT}"]) * 100
    accepted = p50(figures["inbound 1"]) / p50(figures["transaction 1"])
    report.targets = [
        Target("accepted p50 ÷ bare transaction p50", accepted, 3, "×"),
        Target("throughput at 16 ÷ bare endpoint", share, 50, "%", False),
        Target(f"message → on the stream p95 at {PER_SECOND}/s", seen95, 250, "ms"),
    ]
    return report


def _inbound(port: int, path: str) -> Act:
    """Each task has clients of its own; every fourth message is a new client's."""
    doors = [Door(port, headers={"X-Channel-Token": TOKEN}) for _ in range(IN_FLIGHT)]
    clients: dict[int, str] = {}
    counts = [0] * IN_FLIGHT

    async def act(task: int, turn: int) -> str:
        is_new = counts[task] % NEW_EVERY == 0
        counts[task] += 1
        if is_new:
            clients[task] = uuid4().hex
        client = clients[task]
        body = {"external_id": uuid4().hex, "from": {"id": client, "name": "A client"}, "text": SAID}
        status, answer = await doors[task].ask("POST", path, body)
        if status != 202:
            raise RuntimeError(f"{path} answered {status}: {answer}")
        return "opens" if is_new else "continues"

    return act


async def _transactions(engine: object, db: object) -> Act:
    sessions = sessions_of(engine)
    items: list[UUID] = [uuid4() for _ in range(64)]
    for item in items:
        await db.execute("INSERT INTO bench.items (id) VALUES (%s)", [item])

    async def act(task: int, turn: int) -> str:
        await bare.one_transaction(sessions, items[(task + turn * IN_FLIGHT) % 64], uuid4().hex, SAID, is_keyed=False)
        return "transaction"

    return act


async def _settle(db: object, within: float = 15.0) -> None:
    """Until the workflows have taken what the messages left for them."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        row = await (await db.execute("SELECT count(*) FROM reactions WHERE done_at IS NULL")).fetchone()
        if row[0] == 0:
            break
        await asyncio.sleep(0.3)
    await asyncio.sleep(0.5)


async def _lags(stack: Stack, token: str, seconds: float) -> list[float]:
    """Milliseconds from sending a message to reading its event."""
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    listening = asyncio.Event()

    async def listen() -> None:
        async with Door(stack.http_port, token=token) as door:
            async for event in door.events(f"{API}/events"):
                listening.set()
                if event.get("event") == "message.received":
                    seen[json.loads(event["data"])["data"]["message_id"]] = time.perf_counter()

    ear = asyncio.create_task(listen())
    await asyncio.wait_for(listening.wait(), 5)
    act_doors = [Door(stack.http_port, headers={"X-Channel-Token": TOKEN}) for _ in range(IN_FLIGHT)]
    clients = [uuid4().hex for _ in range(100)]

    async def send(n: int) -> None:
        door = act_doors[n % IN_FLIGHT]
        if n % NEW_EVERY == 0:
            clients[n % 100] = uuid4().hex
        body = {"external_id": uuid4().hex, "from": {"id": clients[n % 100]}, "text": SAID}
        began = time.perf_counter()
        status, answer = await door.ask("POST", f"{API}/channels/inbound/inbound", body)
        while status == 503:  # as a provider would: the same message again, its waiting counted
            await asyncio.sleep(0.2)
            status, answer = await door.ask("POST", f"{API}/channels/inbound/inbound", body)
        if status not in (200, 202):
            raise RuntimeError(f"inbound answered {status}: {answer}")
        sent[answer["message_id"]] = began

    began, tasks = time.perf_counter(), []
    locks = [asyncio.Lock() for _ in range(IN_FLIGHT)]

    async def in_turn(n: int) -> None:
        async with locks[n % IN_FLIGHT]:
            await send(n)

    for n in range(int(seconds * PER_SECOND)):
        await asyncio.sleep(max(0.0, began + n / PER_SECOND - time.perf_counter()))
        tasks.append(asyncio.create_task(in_turn(n)))
    await asyncio.gather(*tasks)
    for _ in range(100):
        if sent.keys() <= seen.keys():
            break
        await asyncio.sleep(0.1)
    ear.cancel()
    await asyncio.gather(ear, return_exceptions=True)
    missing = len(sent.keys() - seen.keys())
    if missing:
        raise RuntimeError(f"{missing} of {len(sent)} messages were never seen on the stream")
    return [(seen[message] - sent[message]) * 1000 for message in sent]


if __name__ == "__main__":
    run(measure, __doc__)
