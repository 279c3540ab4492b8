"""Whole lives of dialogs, as many as two cores bear: arrive, be assigned, six messages, one in ten handed over, close.

The three messages of the client come in through the channel, the three replies go out through its gateway (into the
log). CPU seconds are counted by part. Beside it, on the bare engine and the same database: a workflow, two signals,
three updates of one transaction each followed by one delivering activity, and a closing update.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from bench import bare
from bench.doors import API, Door
from bench.figures import Report, Target, percentile
from bench.people import connect, make_people, make_team
from bench.running import run
from bench.stacks import PARTS, TOKEN, Stack, helper

AT_ONCE = 12
TRANSFER_EVERY = 10
ASKED = "Where is my parcel?"
ANSWERED = "It arrives tomorrow before noon."

Life = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lived:
    """`refused`: inbound answered 503 and sent again; `late`: commands answered 202 and asked after."""

    count: int
    seconds: float
    cpu: dict[str, float]
    took: list[float]
    refused: int = 0
    late: int = 0

    @property
    def per_hour(self) -> float:
        return self.count / self.seconds * 3600


async def measure(stack: Stack, quick: bool) -> Report:
    seconds = 15.0 if quick else 60.0
    before = stack.resident()
    lived = await _platform(stack, seconds)
    after = stack.resident()
    await asyncio.sleep(5)
    with helper(stack, "worker") as _:
        plain = await _bare(stack, seconds / 2)
    report = Report(
        f"Lives of dialogs, {AT_ONCE} at once",
        ("what", "lives", "per hour", "p50 s", "p95 s", *PARTS, "sum"),
    )
    for name, run_ in (("bare engine", plain), ("platform", lived)):
        each = {part: run_.cpu[part] / run_.count * 1000 for part in PARTS}
        report.row(
            name, run_.count, f"{run_.per_hour:,.0f}", percentile(run_.took, 0.5), percentile(run_.took, 0.95),
            *(each[part] for part in PARTS), sum(each.values()),
        )  # fmt: skip
    report.notes = [
        "CPU milliseconds per life, by part; the bare engine's worker is counted as worker, its client is this process",
        "MiB before → after: " + ", ".join(f"{part} {before[part]:.0f} → {after[part]:.0f}" for part in before),
    ]
    report.notes.append(f"inbound answered 503 and sent again: {lived.refused}; commands answered 202: {lived.late}")
    report.targets = [Target("dialogs per hour", lived.per_hour, 8000, "", False)]
    return report


async def _live(life: Life, seconds: float, cpu: Callable[[], dict[str, float]]) -> Lived:
    """Lives in flight all the time. After a warm-up, those that end within `seconds` count, and the CPU spent then."""
    warm = time.perf_counter() + seconds / 4
    until, took = warm + seconds, []

    async def one(task: int) -> None:
        turn = 0
        while (began := time.perf_counter()) < until:
            await life(task, turn)
            turn += 1
            if warm <= time.perf_counter() <= until:
                took.append(time.perf_counter() - began)

    tasks = [asyncio.create_task(one(task)) for task in range(AT_ONCE)]
    await asyncio.sleep(warm - time.perf_counter())
    before, began = cpu(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, lasted = cpu(), time.perf_counter() - began
    count = len(took)
    await asyncio.gather(*tasks)
    return Lived(count, lasted, {part: after[part] - before[part] for part in PARTS}, took)


async def _platform(stack: Stack, seconds: float) -> Lived:
    db = await connect(stack.database_url)
    await make_team(db, "lives")
    operators = {o.id: o.token for o in await make_people(db, 40, team="lives", room=20)}
    doors = [Door(stack.http_port) for _ in range(AT_ONCE)]
    channels = [Door(stack.http_port, headers={"X-Channel-Token": TOKEN}) for _ in range(AT_ONCE)]
    look = asyncio.Lock()
    again = [0, 0]

    async def holder(dialog: str) -> UUID:
        for _ in range(500):
            async with look:
                row = await (await db.execute("SELECT operator_id FROM dialogs WHERE id = %s", [dialog])).fetchone()
            if row[0] is not None:
                return row[0]
            await asyncio.sleep(0.02)
        raise RuntimeError(f"dialog {dialog} was never assigned")

    async def say(task: int, client: str) -> str:
        body = {"external_id": uuid4().hex, "from": {"id": client, "name": "A client"}, "text": ASKED}
        status, answer = await channels[task].ask("POST", f"{API}/channels/lives/inbound", body)
        while status == 503:  # as a provider would: the same message again
            again[0] += 1
            await asyncio.sleep(0.2)
            status, answer = await channels[task].ask("POST", f"{API}/channels/lives/inbound", body)
        _require(status in (200, 202), status, answer)
        return str(answer["dialog_id"])

    async def command(task: int, path: str, body: object, who: UUID) -> dict:
        status, answer = await doors[task].ask("POST", f"{API}/{path}", body, token=operators[who])
        while status == 202:
            again[1] += 1
            await asyncio.sleep(1)
            status, answer = await doors[task].ask("GET", answer["ask"], token=operators[who])
        _require(status in (200, 201), status, answer)
        return answer

    async def life(task: int, turn: int) -> None:
        client = uuid4().hex
        dialog = await say(task, client)
        who = await holder(dialog)
        for n in range(3):
            if n:
                await say(task, client)
            await command(task, f"dialogs/{dialog}/messages", {"text": ANSWERED}, who)
            if n == 1 and (task + turn) % TRANSFER_EVERY == 0:
                other = next(o for o in operators if o != who)
                offer = await command(task, f"dialogs/{dialog}/transfers", {"to_operator": str(other)}, who)
                await command(task, f"transfers/{offer['transfer_id']}/acceptance", None, other)
                who = other
        await command(task, f"dialogs/{dialog}/closure", None, who)

    lived = await _live(life, seconds, stack.cpu_seconds)
    for door in (*doors, *channels):
        door.close()
    await db.close()
    return replace(lived, refused=again[0], late=again[1])


def _require(is_so: bool, status: int, answer: object) -> None:
    if not is_so:
        raise RuntimeError(f"answered {status}: {answer}")


async def _bare(stack: Stack, seconds: float) -> Lived:
    client = await bare.connect(stack.temporal_address)
    db = await connect(stack.database_url)
    await db.execute(bare.TABLES)
    lock = asyncio.Lock()

    async def life(task: int, turn: int) -> None:
        item = uuid4()
        async with lock:
            await db.execute("INSERT INTO bench.items (id) VALUES (%s)", [item])
        handle = await client.start_workflow(
            "BareWorkflow", False, id=f"bare:{item}", task_queue=bare.QUEUE, start_signal="ring"
        )
        for n in range(3):
            if n:
                await handle.signal("ring")
            key = uuid4().hex
            await handle.execute_update("reply", bare.Ask(item, key, ANSWERED), id=key, result_type=int)
        key = uuid4().hex
        await handle.execute_update("close", bare.Ask(item, key, ""), id=key, result_type=int)

    lived = await _live(life, seconds, lambda: stack.cpu_seconds(helper="worker"))
    await db.close()
    return lived


if __name__ == "__main__":
    run(measure, __doc__)
