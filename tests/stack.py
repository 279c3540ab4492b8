"""The whole house in one process: real Temporal, real PostgreSQL, a worker with its relay, and web applications."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import insert, text
from temporalio.client import Client
from temporalio.worker import Worker

from api.app import create_app
from api.house import House
from embedded.temporal import EmbeddedTemporal
from relay.ringing import Bell
from relay.rounds import Relay
from store.engines import engine_for, sessions_of
from store.ids import new_id
from store.sign_ins import digest_of
from store.tables import Token
from tests.providers import Provider
from tests.servers import running_temporal
from tests.store.stage import Stage
from worker import activities_of, worker_for
from workflows import options
from workflows.converting import DATA_CONVERTER

CHANNEL_TOKEN = "channel token of the tests"
PATIENCE = 40.0
"""Seconds anything may take before a test gives up on it."""


class Stack:
    """`worker` and relay can be stopped and started; `apps` share nothing but the servers."""

    def __init__(self, temporal: EmbeddedTemporal, database: str) -> None:
        self.temporal, self.database = temporal, database
        self.engine = engine_for(database, pool_size=20)
        self.sessions = sessions_of(self.engine)
        self.bells: list[Bell] = []
        self.apps: list[FastAPI] = []
        self._running: list[asyncio.Task[None]] = []
        self._workers: list[Worker] = []

    async def connect(self) -> Client:
        return await Client.connect(self.temporal.address, data_converter=DATA_CONVERTER)

    async def open(self, apps: int = 2) -> None:
        for _ in range(apps + 1):
            bell = Bell(self.connect)
            await bell.start()
            self.bells.append(bell)
        for bell in self.bells[1:]:
            house = House(self.sessions, bell, secret_key=b"a secret key of the tests")
            house.answer_within = timedelta(seconds=2)
            self.apps.append(create_app(house))
        await self.start_worker()

    async def start_worker(self) -> None:
        if self._workers:
            return
        bell, client = self.bells[0], await self.connect()
        activities = activities_of(self.sessions, bell)
        self._workers = [worker_for(client, queue, activities) for queue in (options.INTERACTIVE, options.MASS)]
        relay = Relay(self.sessions, bell, self.database.replace("+psycopg", "", 1))
        self._running = [asyncio.create_task(part.run()) for part in (relay, *self._workers)]

    async def stop_worker(self) -> None:
        """The relay lives with the worker, and ends with it."""
        workers, self._workers = self._workers, []
        if not workers:
            return
        self._running[0].cancel()
        for worker in workers:
            await worker.shutdown()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        await self.stop_worker()
        for bell in self.bells:
            await bell.stop()
        await self.engine.dispose()

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        async with self.sessions() as session:
            return list((await session.execute(text(statement), values)).all())

    async def write(self, statement: str, **values: Any) -> None:
        async with self.sessions.begin() as session:
            await session.execute(text(statement), values)

    async def reactions_left(self, workflow_id: str) -> int:
        rows = await self.rows(
            "SELECT count(*) FROM reactions WHERE workflow_id = :w AND done_at IS NULL", w=workflow_id
        )
        return int(rows[0][0])


@asynccontextmanager
async def running_stack(database: str) -> AsyncIterator[Stack]:
    async with running_temporal() as temporal:
        stack = Stack(temporal, database)
        await stack.open()
        try:
            yield stack
        finally:
            await stack.close()


async def eventually(
    look: Callable[[], Awaitable[Any]], is_so: Callable[[Any], Any] = bool, *, within: float = PATIENCE
) -> Any:
    """Look until it is so, and answer what was seen. Raises AssertionError with the last sight."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        seen = await look()
        if is_so(seen):
            return seen
        assert asyncio.get_running_loop().time() < deadline, f"not so within {within} s: {seen!r}"
        await asyncio.sleep(0.05)


class Shop(Stage):
    """A team `support` of its own, a channel that delivers to a provider, people with clients of every application."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack.sessions)
        self.stack = stack
        self.provider = Provider()
        self._tokens: dict[str, str] = {}
        self._clients: list[httpx.AsyncClient] = []
        self._numbers = count(1)

    async def open(self, *people: str, ask: bool = False, **team: Any) -> Shop:
        """People are online with a long lease."""
        await self.prepare()
        await self.change_team("support", **{"transfer_window": 120, **team})
        await self.provider.start()
        settings = {"url": self.provider.url, "ask": ask}
        self.channel = await self.add_channel("shop", "support", token_hash=digest_of(CHANNEL_TOKEN), settings=settings)
        for person in people:
            await self.person(person, online=True)
        return self

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self.provider.stop()

    async def api(self, who: str | None = None, app: int = 0) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {await self.token(who)}"} if who else {}
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.stack.apps[app], raise_app_exceptions=False),
            base_url="http://switchboard.test/api/v1", headers=headers, timeout=60,
        )  # fmt: skip
        self._clients.append(client)
        return client

    async def token(self, who: str) -> str:
        if who not in self._tokens:
            self._tokens[who] = f"token {new_id()}"
            row = {"id": new_id(), "user_id": self.id_of(who), "name": "t", "token_hash": digest_of(self._tokens[who])}
            async with self.sessions.begin() as session:
                await session.execute(insert(Token), row)
        return self._tokens[who]

    async def hear(self, words: str, *, sender: str = "client", app: int = 0, external_id: str | None = None) -> Any:
        """A client's message through the door; answers the response."""
        async with await self.api(app=app) as client:
            return await client.post(
                f"/channels/{self.channel}/inbound",
                headers={"X-Channel-Token": CHANNEL_TOKEN},
                json={
                    "external_id": external_id or f"x{next(self._numbers)}{self.suffix}",
                    "from": {"id": f"{sender}{self.suffix}"},
                    "text": words,
                },
            )

    async def dialog_with(self, holder: str, sender: str = "client") -> UUID:
        """A new dialog in `holder`'s hands: they must be the only one with room."""
        answer = await self.hear("hello", sender=sender)
        assert answer.status_code == 202, answer.text
        dialog_id = UUID(answer.json()["dialog_id"])
        rows = await self.stack.rows("SELECT operator_id FROM dialogs WHERE id = :d", d=dialog_id)
        assert rows[0].operator_id == self.id_of(holder)
        return dialog_id

    async def deliveries(self, dialog_id: UUID) -> list[tuple[str, str]]:
        """(text, delivery) of what was said to the client, in order."""
        rows = await self.stack.rows(
            "SELECT text, delivery FROM messages WHERE dialog_id = :d AND direction = 'out' ORDER BY seq", d=dialog_id
        )
        return [(r.text, r.delivery) for r in rows]
