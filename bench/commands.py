"""Operator commands through the API beside bare Temporal updates of one comparable transaction.

Platform: POST …/messages (half of the commands: three replies to two notes), PUT or DELETE …/tags/vip, PUT
…/priority, POST …/assignment. A reply is also delivered by an activity afterwards; the bare update has nothing after
it. Bare: an update whose handler runs one local activity: lock a row, four inserts, update the row.
"""

from __future__ import annotations

import asyncio
import itertools
from uuid import UUID, uuid4

from bench import bare, people
from bench.doors import API, Door
from bench.figures import RUNS, Report, Target
from bench.loads import Act, Taken, drive, p50, p95, rate
from bench.people import Operator, connect, make_people, make_team
from bench.running import run
from bench.stacks import TOKEN, Stack, helper

DIALOGS = 64
IN_FLIGHT = 16
KINDS = ("reply", "note", "tag", "reply", "priority", "note", "assign", "reply", "tag", "note")
SAID = "The parcel left the warehouse this morning and arrives tomorrow before noon."


async def measure(stack: Stack, quick: bool) -> Report:
    seconds = 3.0 if quick else 8.0
    runs = 1 if quick else RUNS
    with helper(stack, "worker"):
        updates = await _bare_act(stack)
        acts, notes, close = await _platform_acts(stack)
        figures: dict[str, list[Taken]] = {}
        await drive(updates, in_flight=IN_FLIGHT, seconds=1)
        await drive(acts, in_flight=IN_FLIGHT, seconds=1)
        for _ in range(runs):
            for name, act in (("bare", updates), ("mix", acts), ("note", notes)):
                for in_flight in (1, IN_FLIGHT):
                    taken = await drive(act, in_flight=in_flight, seconds=seconds)
                    figures.setdefault(f"{name} {in_flight}", []).append(taken)
                    await asyncio.sleep(1.0)
        close()
    return _report(figures)


def _report(figures: dict[str, list[Taken]]) -> Report:
    report = Report("Operator commands", ("what", "in flight", "p50 ms", "p95 ms", "per second"))
    names = {"bare": "bare update + one transaction", "mix": "API: the mix", "note": "API: notes only"}
    for name, in_flight in itertools.product(names, (1, IN_FLIGHT)):
        runs = figures[f"{name} {in_flight}"]
        report.row(names[name], in_flight, p50(runs), p95(runs), rate(runs))
        if name == "mix" and in_flight == 1:
            for kind in dict.fromkeys(KINDS):
                report.row(f"· {kind}", 1, p50(runs, kind), p95(runs, kind), "")
    one, many = p50(figures["bare 1"]), rate(figures[f"bare {IN_FLIGHT}"])
    report.targets = [
        Target("command p50 ÷ bare update p50 (mix)", p50(figures["mix 1"]) / one, 1.5, "×"),
        Target("command p50 ÷ bare update p50 (notes)", p50(figures["note 1"]) / one, 1.5, "×"),
        Target("throughput at 16 ÷ bare (mix)", rate(figures[f"mix {IN_FLIGHT}"]) / many * 100, 70, "%", False),
        Target("throughput at 16 ÷ bare (notes)", rate(figures[f"note {IN_FLIGHT}"]) / many * 100, 70, "%", False),
    ]
    report.notes = [f"{DIALOGS} dialogs; the mix: {', '.join(KINDS)}"]
    return report


async def _bare_act(stack: Stack) -> Act:
    client = await bare.connect(stack.temporal_address)
    db = await connect(stack.database_url)
    await db.execute(bare.TABLES)
    items = [uuid4() for _ in range(DIALOGS)]
    for item in items:
        await db.execute("INSERT INTO bench.items (id) VALUES (%s)", [item])
        await client.start_workflow("BareWorkflow", False, id=f"bare:{item}", task_queue=bare.QUEUE)
    await db.close()
    handles = [client.get_workflow_handle(f"bare:{item}") for item in items]

    async def act(task: int, turn: int) -> str:
        n = (task + turn * IN_FLIGHT) % DIALOGS
        key = uuid4().hex
        await handles[n].execute_update("command", bare.Ask(items[n], key, SAID), id=key, result_type=int)
        return "update"

    return act


async def _platform_acts(stack: Stack) -> tuple[Act, Act, object]:
    """Each dialog is spoken of by one task at a time, so the doors' order of commands is known."""
    db = await connect(stack.database_url)
    await make_team(db, "commands")
    operators = await make_people(db, 8, team="commands")
    (supervisor,) = await make_people(db, 1, team="commands", role="supervisor", status="offline")
    dialogs = await _open_dialogs(stack)
    holders = await _holders(db, operators, dialogs)
    await db.close()
    doors = [Door(stack.http_port) for _ in range(IN_FLIGHT)]
    tagged: set[UUID] = set()

    async def act(task: int, turn: int) -> str:
        n = (task + turn * IN_FLIGHT) % DIALOGS
        dialog, kind = dialogs[n], KINDS[(turn // 4 + n) % len(KINDS)]
        holder, path = holders[dialog], f"{API}/dialogs/{dialog}"
        if kind in ("reply", "note"):
            await _expect(doors[task], 201, "POST", f"{path}/messages", {"text": SAID, "mode": kind}, holder.token)
        elif kind == "tag":
            method = "DELETE" if dialog in tagged else "PUT"
            tagged.symmetric_difference_update({dialog})
            await _expect(doors[task], 200, method, f"{path}/tags/vip", None, holder.token)
        elif kind == "priority":
            priority = ("high", "normal", "low")[turn % 3]
            await _expect(doors[task], 200, "PUT", f"{path}/priority", {"priority": priority}, holder.token)
        else:
            other = operators[(operators.index(holder) + 1) % len(operators)]
            body = {"operator_id": str(other.id)}
            await _expect(doors[task], 200, "POST", f"{path}/assignment", body, supervisor.token)
            holders[dialog] = other
        return kind

    async def note(task: int, turn: int) -> str:
        dialog = dialogs[(task + turn * IN_FLIGHT) % DIALOGS]
        body = {"text": SAID, "mode": "note"}
        await _expect(doors[task], 201, "POST", f"{API}/dialogs/{dialog}/messages", body, holders[dialog].token)
        return "note"

    return act, note, lambda: [door.close() for door in doors]


async def _open_dialogs(stack: Stack) -> list[UUID]:
    dialogs = []
    async with Door(stack.http_port, headers={"X-Channel-Token": TOKEN}) as door:
        for n in range(DIALOGS):
            body = {"external_id": f"open-{n}", "from": {"id": f"client-{n}"}, "text": "Where is my parcel?"}
            _, answer = await door.ask("POST", f"{API}/channels/commands/inbound", body)
            dialogs.append(UUID(answer["dialog_id"]))
    return dialogs


async def _holders(db: people.psycopg.AsyncConnection, operators: list[Operator], dialogs: list[UUID]) -> dict:
    rows = await db.execute("SELECT id, operator_id FROM dialogs WHERE id = ANY(%s)", [dialogs])
    by_id = {operator.id: operator for operator in operators}
    return {dialog: by_id[operator] for dialog, operator in await rows.fetchall()}


async def _expect(door: Door, status: int, method: str, path: str, body: object, token: str) -> None:
    given, answer = await door.ask(method, path, body, token=token)
    if given != status:
        raise RuntimeError(f"{method} {path} answered {given}: {answer}")


if __name__ == "__main__":
    run(measure, __doc__)
