"""How fast a history of 10,000 events opens: live from Temporal, and from the copy that is kept.

Beside it what a bare client needs: the whole history in one go, and one backwards page of Temporal's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from bench.doors import API, Door
from bench.figures import RUNS, Report, Target, middle, percentile
from bench.running import run
from bench.stacks import TOKEN, Stack
from gateways.histories import copy_of, describe, live_chunks
from store.engines import Sessions, engine_for, sessions_of
from store.histories import keep
from store.workflow_runs import note_run
from workflows.converting import DATA_CONVERTER

QUEUE = "bench-histories"
EVENTS = 10_000
MOST_COMMANDS = 1_900
"""Temporal takes 2,000 updates a run; rings make up the rest."""
ASKED = 30
"""Times each page is asked for in one run."""
FIRST_PAGE = 150.0
"""Milliseconds."""
_SOON = timedelta(seconds=10)


@activity.defn(name="apply_command")
async def apply(request: dict[str, Any]) -> dict[str, Any]:
    return {"status": 200, "answer": {"seq": request["n"]}, "refusal": None, "reactions": []}


@workflow.defn
class ManyCommands:
    """Takes commands as a dialog does, without ever starting a fresh run."""

    def __init__(self) -> None:
        self._ends = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._ends and workflow.all_handlers_finished())

    @workflow.signal
    def ring(self) -> None:
        """Only wakes."""

    @workflow.signal
    def end(self) -> None:
        self._ends = True

    @workflow.update(dynamic=True)
    async def command(self, name: str, args: Sequence[RawValue]) -> dict[str, Any]:
        request = workflow.payload_converter().from_payload(args[0].payload, dict)
        answer: dict[str, Any] = await workflow.execute_local_activity(
            "apply_command", request, schedule_to_close_timeout=_SOON
        )
        return answer


async def measure(stack: Stack, quick: bool) -> Report:
    client = await Client.connect(stack.temporal_address, data_converter=DATA_CONVERTER)
    engine = engine_for(stack.database_url)
    report = Report("A history opens", ("what", "p50 ms", "p95 ms", "events", "lines"))
    workflow_id = f"bench:{uuid4()}"
    try:
        async with Worker(
            client, task_queue=QUEUE, workflows=[ManyCommands], activities=[apply],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):  # fmt: skip
            handle = await client.start_workflow(ManyCommands.run, id=workflow_id, task_queue=QUEUE)
            run_id = handle.first_execution_run_id or ""
            async with sessions_of(engine).begin() as session:
                await note_run(session, workflow_id, run_id)
            events = await _fill(client, workflow_id, EVENTS // 10 if quick else EVENTS)
            await _bare(report, client, workflow_id, run_id, events)
            async with Door(stack.http_port, token=TOKEN) as door:
                live = await _pages(report, door, workflow_id, events, "live")
                await handle.signal(ManyCommands.end)
                await handle.result()
                await _archived(sessions_of(engine), client, workflow_id, run_id)
                await _pages(report, door, workflow_id, events, "kept copy")
    finally:
        await engine.dispose()
    report.targets.append(Target("first page of a live history, p95", live, FIRST_PAGE, "ms"))
    return report


async def _fill(client: Client, workflow_id: str, wanted: int) -> int:
    """Commands, a few at a time, until the history is long enough; answers its length."""
    handle = client.get_workflow_handle(workflow_id)
    numbers = count()

    async def command(times: int) -> None:
        for _ in range(times):
            request = {"caller": str(uuid4()), "n": next(numbers), "command": {"kind": "add_tag", "tag": "vip"}}
            await handle.execute_update("add_tag", request)

    length = sent = 0
    while length < wanted and sent < MOST_COMMANDS:
        each = max(1, min(wanted - length, MOST_COMMANDS - sent) // 24)
        await asyncio.gather(*(command(each) for _ in range(4)))
        sent += 4 * each
        length = (await handle.describe()).history_length
    while length < wanted:
        for _ in range(max(1, (wanted - length) // 4)):
            await handle.signal("ring")
        length = (await handle.describe()).history_length
    return length


async def _bare(report: Report, client: Client, workflow_id: str, run_id: str, events: int) -> None:
    handle = client.get_workflow_handle(workflow_id)

    async def whole() -> int:
        return len((await handle.fetch_history()).events)

    async def backwards() -> int:
        return len((await anext(live_chunks(client, workflow_id, run_id))).events)

    for name, ask in (("bare: the whole history", whole), ("bare: one backwards page", backwards)):
        p50, p95, count = await _timed(ask)
        report.row(name, p50, p95, count, "")


async def _pages(report: Report, door: Door, workflow_id: str, events: int, source: str) -> float:
    path = f"{API}/runs/{workflow_id}/history?limit=50"
    _, first = await door.ask("GET", path)
    next_path = f"{path}&after={first['next']}"
    last, deep = first, first["next"]
    while last["next"]:
        _, last = await door.ask("GET", f"{API}/runs/{workflow_id}/history?limit=200&after={last['next']}")
        if last["next"]:
            deep = last["next"]

    async def ask(where: str) -> int:
        status, told = await door.ask("GET", where)
        if status != 200:
            raise SystemExit(f"{where} answered {status}: {told}")
        return len(told["items"])

    found = 0.0
    for name, where in (
        ("first page", path), ("second page", next_path), ("last page", f"{path}&after={deep}"),
        ("first page, raw", f"{path}&raw=true"),
    ):  # fmt: skip
        p50, p95, count = await _timed(lambda where=where: ask(where))  # type: ignore[misc]
        report.row(f"{source}: {name}", p50, p95, events, count)
        if where == path:
            found = p95
    return found


async def _timed(ask: Callable[[], Awaitable[int]]) -> tuple[float, float, int]:
    """Median p50 and p95 of the runs in milliseconds, and what was answered."""
    halves, highs, answer = [], [], 0
    for _ in range(RUNS):
        took = []
        for _ in range(ASKED):
            began = time.perf_counter()
            answer = await ask()
            took.append((time.perf_counter() - began) * 1000)
        halves.append(percentile(took, 0.5))
        highs.append(percentile(took, 0.95))
    return middle(halves), middle(highs), answer


async def _archived(sessions: Sessions, client: Client, workflow_id: str, run_id: str) -> None:
    """Kept at once, rather than when its turn comes within the hour."""
    described = await describe(client, workflow_id, run_id)
    history, events = await copy_of(client, workflow_id, run_id)
    async with sessions.begin() as session:
        await keep(
            session, workflow_id, run_id, status=described.status, closed_at=described.closed_at,
            history=history, events=events,
        )  # fmt: skip


if __name__ == "__main__":
    run(measure, __doc__)
