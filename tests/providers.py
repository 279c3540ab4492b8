"""A channel's provider on loopback: remembers every call and answers as told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """status 0 = the connection is dropped after the request was read. `takes`: the provider has the message now."""

    status: int = 200
    takes: bool = True
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    at: float
    id: str
    text: str


class Provider:
    """POST takes a message, GET /{id} answers 200 or 404. `script`: answers of the next POSTs; then all is well."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.script: list[Reply] = []
        self.is_mute = False  # drops every question
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        """Of what was taken, in order."""
        return [c.text for i in self.taken for c in self.calls if c.id == i][: len(self.taken)]

    async def start(self) -> Provider:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split("\r\n")[0].split(" ")
        lengths = [h.split(":")[1] for h in head.split("\r\n") if h.lower().startswith("content-length")]
        body = await reader.readexactly(int(lengths[0]) if lengths else 0)
        reply = self._take(json.loads(body)) if method == "POST" else self._tell(path.strip("/"))
        if reply.status == 0:
            return False
        said = b"{}"
        headers = {"Content-Type": "application/json", "Content-Length": str(len(said))} | reply.headers
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{k}: {v}" for k, v in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + said)
        await writer.drain()
        return True

    def _take(self, message: dict[str, Any]) -> Reply:
        reply = self.script.pop(0) if self.script else Reply()
        self.calls.append(Call(time.monotonic(), message["id"], message["text"]))
        if reply.takes:
            self.taken.append(message["id"])
        return reply

    def _tell(self, message_id: str) -> Reply:
        self.asked.append(message_id)
        if self.is_mute:
            return Reply(0)
        return Reply(200 if message_id in self.taken else 404)
