"""A client cheap enough not to be what is measured: one keep-alive connection, JSON in, JSON out; and the stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

API = "/api/v1"


class Door:
    """One HTTP/1.1 connection. Not for use by two tasks at once."""

    def __init__(self, port: int, *, token: str | None = None, headers: dict[str, str] | None = None) -> None:
        self._port = port
        said = {"Host": "127.0.0.1", **(headers or {})}
        if token:
            said["Authorization"] = f"Bearer {token}"
        self._said = said
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Door:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> tuple[int, Any]:
        """Answers the status and the decoded body."""
        request = self._request(method, path, body, token)
        reader, writer = await self._connected()
        try:
            writer.write(request)
            status, headers = await _head(reader)
        except (asyncio.IncompleteReadError, ConnectionError):  # idle for longer than the server keeps connections
            self.close()
            reader, writer = await self._connected()
            writer.write(request)
            status, headers = await _head(reader)
        length = int(headers.get("content-length", 0))
        data = await reader.readexactly(length) if length else b""
        if headers.get("connection") == "close":
            self.close()
        return status, json.loads(data) if data else None

    async def events(self, path: str) -> AsyncIterator[dict[str, str]]:
        """The fields of each server-sent event, as it comes."""
        reader, writer = await self._connected()
        writer.write(self._request("GET", path, None, None))
        status, headers = await _head(reader)
        if status != 200:
            raise RuntimeError(f"the stream answered {status}")
        event: dict[str, str] = {}
        async for line in _lines(reader, is_chunked=headers.get("transfer-encoding") == "chunked"):
            if line:
                name, _, value = line.partition(":")
                event[name] = value.removeprefix(" ")
            elif event:
                yield event
                event = {}

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[1].is_closing():
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)
        return self._streams

    def _request(self, method: str, path: str, body: Any, token: str | None) -> bytes:
        said = dict(self._said)
        if token:
            said["Authorization"] = f"Bearer {token}"
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            said["Content-Type"] = "application/json"
        said["Content-Length"] = str(len(data))
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines[1:] if line)
    return int(lines[0].split(" ", 2)[1]), {name.lower(): value.strip() for name, value in pairs}


async def _lines(reader: asyncio.StreamReader, *, is_chunked: bool) -> AsyncIterator[str]:
    rest = b""
    while True:
        if is_chunked:
            size = int((await reader.readline()).strip() or b"0", 16)
            if size == 0:
                return
            data = (await reader.readexactly(size + 2))[:-2]
        elif not (data := await reader.read(65536)):
            return
        *whole, rest = (rest + data).replace(b"\r\n", b"\n").split(b"\n")
        for line in whole:
            yield line.decode()
