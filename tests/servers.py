"""A real Temporal for tests, in a folder of its own."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import embedded.temporal
from embedded.temporal import EmbeddedTemporal

#: a run is deleted once the server has ticked off its closing, every 30 s by default
SOON_DELETED = (
    'history.transferProcessorUpdateAckInterval="1s"',
    'history.visibilityProcessorUpdateAckInterval="1s"',
)


@asynccontextmanager
async def running_temporal() -> AsyncIterator[EmbeddedTemporal]:
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
