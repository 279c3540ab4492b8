"""A channel's provider on loopback: remembers every call, answers by the message's id when asked."""

from __future__ import annotations

import asyncio
import json
from collections import Counter


class Provider:
    """POST / takes a message; GET /{id} answers 200 or 404. `taken` counts accepted calls per message id."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path, _ = head.split("\r\n")[0].split(" ")
                lengths = [h.split(":")[1] for h in head.split("\r\n") if h.lower().startswith("content-length")]
                length = int(lengths[0]) if lengths else 0
                body = await reader.readexactly(length)
                status = 200
                if method == "POST":
                    self.taken[json.loads(body)["id"]] += 1
                elif not self.taken[path.strip("/")]:
                    status = 404
                said = b"{}"
                start = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
                writer.write(start.encode() + said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
