"""A short storm with every test run; `make chaos` is the long one."""

import asyncio

import pytest

from tests.chaos.run import storm
from tests.chaos.stack import Stack


@pytest.mark.timeout(240)
def test_promises_hold_while_parts_are_killed() -> None:
    with Stack() as stack:
        assert asyncio.run(storm(stack, rounds=4, seed=7)) == []
