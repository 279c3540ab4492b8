"""One running house for all journeys; each test opens a shop of its own in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from tests.stack import Shop, Stack, running_stack


@pytest.fixture(scope="package")
async def stack(new_database: Callable[[], str]) -> AsyncIterator[Stack]:
    async with running_stack(new_database()) as running:
        yield running


@pytest.fixture
async def shop(stack: Stack) -> AsyncIterator[Shop]:
    await stack.start_worker()
    made = Shop(stack)
    yield made
    await made.aclose()
