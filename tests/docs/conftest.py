"""One running stack for all that the documentation shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.stack import Stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running
