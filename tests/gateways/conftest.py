"""A real Temporal with a worker that knows the toys."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import embedded.temporal
from embedded.temporal import EmbeddedTemporal
from tests.gateways.toys import Toy, ToyChild, apply_command, deliver_message
from workflows.converting import DATA_CONVERTER

QUEUE = "toys"
#: a run is deleted once the server has ticked off its closing, every 30 s by default
SOON_DELETED = ('history.transferProcessorUpdateAckInterval="1s"', 'history.visibilityProcessorUpdateAckInterval="1s"')


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[EmbeddedTemporal]:
    folder = Path(tempfile.mkdtemp(prefix="sb"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = EmbeddedTemporal(folder, port=port, ui_port=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded.temporal, "DYNAMIC_CONFIG", (*embedded.temporal.DYNAMIC_CONFIG, *SOON_DELETED))
        await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def client(temporal: EmbeddedTemporal) -> AsyncIterator[Client]:
    connected = await Client.connect(temporal.address, data_converter=DATA_CONVERTER)
    async with Worker(
        connected,
        task_queue=QUEUE,
        workflows=[Toy, ToyChild],
        activities=[apply_command, deliver_message],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield connected
