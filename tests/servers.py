"""Real servers for tests: each in a folder of its own, or one that runs elsewhere already (tests/containers)."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import embedded.temporal
from embedded.temporal import EmbeddedTemporal

#: a run is deleted once the server has ticked off its closing, every 30 s by default
SOON_DELETED = (
    'history.transferProcessorUpdateAckInterval="1s"',
    'history.visibilityProcessorUpdateAckInterval="1s"',
)
POSTGRES_URL = "SWITCHBOARD_TEST_POSTGRES_URL"
TEMPORAL_ADDRESS = "SWITCHBOARD_TEST_TEMPORAL_ADDRESS"


@dataclass(frozen=True)
class PostgresElsewhere:
    """`address` up to the name of a database: postgresql+psycopg://user:password@host:port"""

    address: str

    def url_of(self, name: str) -> str:
        return f"{self.address}/{name}"


@dataclass(frozen=True)
class TemporalElsewhere:
    address: str


@asynccontextmanager
async def running_temporal() -> AsyncIterator[EmbeddedTemporal | TemporalElsewhere]:
    if elsewhere := os.environ.get(TEMPORAL_ADDRESS):
        yield TemporalElsewhere(elsewhere)
        return
    folder = Path(tempfile.mkdtemp(prefix="sb"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = EmbeddedTemporal(folder, port=port, ui_port=0)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embedded.temporal, "DYNAMIC_CONFIG", (*embedded.temporal.DYNAMIC_CONFIG, *SOON_DELETED))
            await asyncio.to_thread(server.start)
        yield server
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(folder, ignore_errors=True)
