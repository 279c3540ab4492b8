"""A real Temporal with a worker that knows the toys."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.gateways.toys import Toy, ToyChild, apply_command, deliver_message
from tests.servers import running_temporal
from workflows.converting import DATA_CONVERTER

QUEUE = "toys"


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    async with running_temporal() as temporal:
        connected = await Client.connect(temporal.address, data_converter=DATA_CONVERTER)
        async with Worker(
            connected,
            task_queue=QUEUE,
            workflows=[Toy, ToyChild],
            activities=[apply_command, deliver_message],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield connected
