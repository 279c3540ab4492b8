"""PostgreSQL and Temporal in containers; image names by variables, where the official ones cannot be had."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from testcontainers.core.container import DockerContainer

from embedded.temporal import DYNAMIC_CONFIG, SEARCH_ATTRIBUTES

POSTGRES_IMAGE = os.environ.get("SWITCHBOARD_TEST_POSTGRES_IMAGE") or "postgres:18"
TEMPORAL_IMAGE = os.environ.get("SWITCHBOARD_TEST_TEMPORAL_IMAGE") or "temporalio/temporal:latest"
READY_WITHIN = 90.0
"""Seconds."""
PASSWORD = "of-the-containers"


@pytest.fixture
def postgres_address() -> Iterator[str]:
    """postgresql+psycopg://user:password@host:port of an empty server that forgets with the machine."""
    container = DockerContainer(POSTGRES_IMAGE).with_exposed_ports(5432).with_env("POSTGRES_PASSWORD", PASSWORD)
    container.with_env("POSTGRES_INITDB_ARGS", "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C")
    container.with_command("postgres -c fsync=off -c max_connections=300")
    with container:
        place = f"{container.get_container_host_ip()}:{container.get_exposed_port(5432)}"
        wait_until_it_answers(lambda: psycopg.connect(f"postgresql://postgres:{PASSWORD}@{place}/postgres").close())
        yield f"postgresql+psycopg://postgres:{PASSWORD}@{place}"


@pytest.fixture
def temporal_address() -> Iterator[str]:
    """host:port of a dev server with our search attributes."""
    words = ["server", "start-dev", "--ip", "0.0.0.0", "--headless", "--log-level", "warn"]
    words += [word for value in DYNAMIC_CONFIG for word in ("--dynamic-config-value", value)]
    words += [word for name in SEARCH_ATTRIBUTES for word in ("--search-attribute", f"{name}=Keyword")]
    with DockerContainer(TEMPORAL_IMAGE).with_exposed_ports(7233).with_command(words) as container:
        address = f"{container.get_container_host_ip()}:{container.get_exposed_port(7233)}"
        wait_until_it_answers(lambda: asyncio.run(_describe(address)))
        yield address


async def _describe(address: str) -> None:
    client = await Client.connect(address)
    await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))


def wait_until_it_answers(ask: Callable[[], object]) -> None:
    """Raises what the last try raised."""
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            ask()
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
