"""The bare baselines: the same kind of work with nothing of the platform around it.

`python -m bench.bare worker` serves a toy workflow under the platform's worker options; `python -m bench.bare web
PORT` is a FastAPI endpoint that inserts the same rows. Both are started and ended by the programs that compare.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import text
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from bench.bare_workflows import QUEUE, Ask, BareItemWorkflow, BareMacroWorkflow, BareTimerWorkflow, BareWorkflow
from store.engines import Sessions, engine_for, sessions_of
from store.ids import new_id
from workflows.converting import DATA_CONVERTER

TABLES = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE IF NOT EXISTS bench.items (id uuid PRIMARY KEY, name text, n bigint NOT NULL DEFAULT 0,
    touched_at timestamptz);
CREATE TABLE IF NOT EXISTS bench.keys (key text PRIMARY KEY, answer jsonb, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS bench.messages (id uuid PRIMARY KEY, item uuid NOT NULL, seq bigint NOT NULL,
    external_id text, text text NOT NULL, at timestamptz NOT NULL DEFAULT now(), UNIQUE (item, seq));
CREATE UNIQUE INDEX IF NOT EXISTS uq_messages_external_id ON bench.messages (external_id);
CREATE TABLE IF NOT EXISTS bench.facts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item uuid NOT NULL,
    kind text NOT NULL, at timestamptz NOT NULL DEFAULT now(), data jsonb NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS ix_facts_item ON bench.facts (item, id);
CREATE TABLE IF NOT EXISTS bench.marks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item uuid NOT NULL,
    kind text NOT NULL, done_at timestamptz);
CREATE INDEX IF NOT EXISTS ix_marks_open ON bench.marks (item, id) WHERE done_at IS NULL;
"""
_LOCK = text("SELECT n FROM bench.items WHERE id = :item FOR NO KEY UPDATE")
_KEY = text("INSERT INTO bench.keys (key, answer) VALUES (:key, CAST('{\"ok\": true}' AS jsonb))")
_MESSAGE = text("INSERT INTO bench.messages (id, item, seq, external_id, text) VALUES (:id, :item, :seq, :key, :said)")
_FACT = text('INSERT INTO bench.facts (item, kind, data) VALUES (:item, :kind, CAST(\'{"a": 1, "b": 2}\' AS jsonb))')
_MARK = text("INSERT INTO bench.marks (item, kind) VALUES (:item, :kind)")
_TOUCH = text("UPDATE bench.items SET n = :seq, touched_at = clock_timestamp() WHERE id = :item")
_ITEM = text("INSERT INTO bench.items (id, name, n) VALUES (:item, :name, 1)")


async def one_transaction(sessions: Sessions, item: UUID, key: str, said: str, *, is_keyed: bool = True) -> int:
    """Lock a row, four inserts (three without the key), update the row: what a plain command cannot do without."""
    async with sessions() as session, session.begin():
        if is_keyed:
            await session.execute(_KEY, {"key": key})
        seq = int(await session.scalar(_LOCK, {"item": item}) or 0) + 1
        await session.execute(_MESSAGE, {"id": new_id(), "item": item, "seq": seq, "key": key, "said": said})
        await session.execute(_FACT, {"item": item, "kind": "said"})
        await session.execute(_MARK, {"item": item, "kind": "said"})
        await session.execute(_TOUCH, {"item": item, "seq": seq})
    return seq


async def open_item(sessions: Sessions, item: UUID, key: str, said: str) -> None:
    """A first message: client, address, dialog, message, two facts, a slot, a mark."""
    async with sessions() as session, session.begin():
        for name, identifier in (("client", new_id()), ("address", new_id()), ("dialog", item)):
            await session.execute(_ITEM, {"item": identifier, "name": name})
        await session.execute(_MESSAGE, {"id": new_id(), "item": item, "seq": 1, "key": key, "said": said})
        for kind in ("opened", "assigned"):
            await session.execute(_FACT, {"item": item, "kind": kind})
        for kind in ("slot", "said"):
            await session.execute(_MARK, {"item": item, "kind": kind})


class BareActivities:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @activity.defn
    async def bare_transaction(self, ask: Ask) -> int:
        return await one_transaction(self._sessions, ask.item, ask.key, ask.said)

    @activity.defn
    async def bare_delivery(self, ask: Ask) -> int:
        return await one_transaction(self._sessions, ask.item, f"{ask.key}-out", ask.said)


class Sender(BaseModel):
    id: str
    name: str | None = None


class Body(BaseModel):
    external_id: str
    sender: Sender = Field(alias="from")
    text: str


async def connect(address: str) -> Client:
    return await Client.connect(address, data_converter=DATA_CONVERTER)


async def serve_worker() -> None:
    """The options are those of worker.worker_for."""
    from worker import runner

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    engine = engine_for(os.environ["DATABASE_URL"])
    activities = BareActivities(sessions_of(engine))
    async with Worker(
        await connect(os.environ["TEMPORAL_ADDRESS"]),
        task_queue=QUEUE,
        workflows=[BareWorkflow, BareMacroWorkflow, BareItemWorkflow, BareTimerWorkflow],
        activities=[activities.bare_transaction, activities.bare_delivery],
        workflow_runner=runner(),
        max_cached_workflows=2000,
        max_concurrent_workflow_tasks=20,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
    ):
        print("ready", flush=True)
        await stop.wait()
    await engine.dispose()
    os._exit(0)


def serve_web(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI

    sessions = sessions_of(engine_for(os.environ["DATABASE_URL"]))
    known: dict[str, UUID] = {}

    app = FastAPI(on_startup=[lambda: print("ready", flush=True)])

    @app.post("/inbound", status_code=202)
    async def inbound(body: Body) -> dict[str, Any]:
        item = known.get(body.sender.id)
        if item is None:
            item = known[body.sender.id] = new_id()
            await open_item(sessions, item, body.external_id, body.text)
        else:
            await one_transaction(sessions, item, body.external_id, body.text, is_keyed=False)
        return {"result": "accepted", "dialog_id": str(item)}

    uvicorn.run(
        app, host="127.0.0.1", port=port, log_config=None, access_log=False, loop="uvloop", http="httptools",
        proxy_headers=False,
    )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        asyncio.run(serve_worker())
    else:
        serve_web(int(sys.argv[2]))
