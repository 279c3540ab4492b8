"""One running house for all faults; each test opens a shop of its own in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from tests.faults.dying import be_quick
from tests.journeys.conftest import shop
from tests.stack import Stack, running_stack

__all__ = ["shop"]


@pytest.fixture(scope="package")
async def stack(new_database: Callable[[], str]) -> AsyncIterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        be_quick(patch)
        async with running_stack(new_database()) as running:
            yield running
