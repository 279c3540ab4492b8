"""A stage for each test; when the test is over, every promise must hold and no wake-up may be lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from store.engines import Sessions
from tests.store.launching import Launching
from tests.store.stage import Stage


@pytest.fixture
async def stage(sessions: Sessions) -> AsyncIterator[Stage]:
    made = Stage(sessions)
    broken_by_others = await made.broken_promises()
    await made.prepare()
    yield made
    await made.carry_out_drains()
    await made.require_promises(ignoring=broken_by_others)


@pytest.fixture
async def desk(stage):
    """A supervisor who launches."""
    await stage.person("boss", role="supervisor")
    return Launching(stage)
