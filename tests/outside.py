"""An outside system on loopback: remembers what it was sent and answers as told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Said:
    """status 0: the connection is dropped once the request was read. `hangs`: no answer ever. `drips`: a byte a
    tenth of a second.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    drips: bool = False


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Outside:
    """`script`: what is said to the next requests; then `usual`."""

    def __init__(self, usual: Said | None = None) -> None:
        self.asked: list[Asked] = []
        self.script: list[Said] = []
        self.usual = usual or Said(200, {"state": "open"})
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> Outside:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(Asked(method, target, headers, body))
        said = self.script.pop(0) if self.script else self.usual
        if said.hangs:
            await reader.read()
        if said.status == 0 or said.hangs:
            return
        content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        given = {"Content-Type": "application/json", "Content-Length": str(len(content))} | said.headers
        lines = [f"HTTP/1.1 {said.status} X", *(f"{k}: {v}" for k, v in given.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        for i in range(len(content)) if said.drips else ():
            writer.write(content[i : i + 1])
            await writer.drain()
            await asyncio.sleep(0.1)
        if not said.drips and method != "HEAD":
            writer.write(content)
        await writer.drain()
