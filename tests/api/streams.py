"""A listening web process inside the test's loop, and a client that reads its event stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """Serves on a free port; answers its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=2))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/v1", server
    server.should_exit = True
    await task


class StreamEndedError(Exception):
    pass


class Ear:
    """One connection to the stream. `last` is the newest id heard; `cursor` the newest one told, whether with an event
    or without: what a browser sends on coming back.
    """

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._heard: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._read(lines))
        self.last: int | None = None
        self.cursor: int | None = None

    async def next(self, *, within: float = 5.0) -> dict[str, Any]:
        """The next event with data. Raises TimeoutError; StreamEndedError when the stream has ended."""
        async with asyncio.timeout(within):
            event = await self._heard.get()
        if event is None:
            raise StreamEndedError
        self.last = event["id"]
        return event

    async def _read(self, lines: AsyncIterator[str]) -> None:
        event: dict[str, Any] = {}
        number: int | None = None
        with contextlib.suppress(httpx.HTTPError):
            async for line in lines:
                name, _, value = line.partition(": ")
                if name == "id":
                    number = self.cursor = int(value)
                elif name == "event":
                    event["event"] = value
                elif name == "data":
                    event |= json.loads(value)
                elif not line:
                    if len(event) > 1:
                        self._heard.put_nowait(event | {"id": number})
                    event = {}
        self._heard.put_nowait(None)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def until(self, kind: str, *, within: float = 5.0) -> list[dict[str, Any]]:
        """Everything up to the first event of `kind`."""
        heard = []
        while not heard or heard[-1]["event"] != kind:
            heard.append(await self.next(within=within))
        return heard

    async def is_silent(self, *, for_: float = 0.4) -> bool:
        try:
            await self.next(within=for_)
        except TimeoutError:
            return True
        return False

    async def has_ended(self, *, within: float = 5.0) -> bool:
        try:
            await self.next(within=within)
        except StreamEndedError:
            return True
        return False


@asynccontextmanager
async def ear(address: str, token: str, after: int | None = None, **headers: str) -> AsyncIterator[Ear]:
    params = {} if after is None else {"after": after}
    sent = {"Authorization": f"Bearer {token}", **headers}
    async with httpx.AsyncClient(timeout=30) as client:
        async with client.stream("GET", f"{address}/events", params=params, headers=sent) as answer:
            assert answer.status_code == 200, answer.status_code
            made = Ear(answer.aiter_lines())
            try:
                yield made
            finally:
                await made.stop()
