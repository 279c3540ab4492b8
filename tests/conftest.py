"""A real PostgreSQL for every test that wants one: one server a process, one migrated template, a copy a module.

Each worker of pytest-xdist is a process of its own, so it has a server of its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from sqlalchemy.ext.asyncio import AsyncEngine

from embedded.postgres import EmbeddedPostgres
from store.engines import Sessions, engine_for, sessions_of
from store.migrating import upgrade
from tests.servers import POSTGRES_URL, PostgresElsewhere

TEMPLATE = "template_migrated"
NO_SKIPS = "tests.no_skips"
ENDINGS = "tests.endings"


#: `pytest --hypothesis-profile=long`: many more examples, for a night; tests with settings of their own ask its name
settings.register_profile("long", max_examples=2000, deadline=None, print_blob=True)


def pytest_configure(config: pytest.Config) -> None:
    """Where CI=true nothing may be left out: a skipped test is a failed one. The process ends when the tests do."""
    if not config.pluginmanager.hasplugin(ENDINGS):
        config.pluginmanager.import_plugin(ENDINGS)
    if os.environ.get("CI") == "true" and not config.pluginmanager.hasplugin(NO_SKIPS):
        config.pluginmanager.import_plugin(NO_SKIPS)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres | PostgresElsewhere]:
    """A server that forgets with the machine (fsync off), or the one that tests/containers started."""
    if elsewhere := os.environ.get(POSTGRES_URL):
        yield PostgresElsewhere(elsewhere)
        return
    folder = Path(tempfile.mkdtemp(prefix="sb"))
    try:
        with EmbeddedPostgres(folder, fsync=False) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _administer(server: EmbeddedPostgres | PostgresElsewhere, statement: str) -> None:
    url = server.url_of("postgres").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture(scope="session")
def new_database(postgres: EmbeddedPostgres | PostgresElsewhere) -> Callable[[], str]:
    """Makes an empty, migrated database and answers its URL."""
    _administer(postgres, f"CREATE DATABASE {TEMPLATE}")
    upgrade(postgres.url_of(TEMPLATE))
    numbers = count(1)

    def make() -> str:
        name = f"test_{next(numbers)}"
        _administer(postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return postgres.url_of(name)

    return make


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> str:
    """URL of a database that the tests of one module share."""
    return new_database()


@pytest.fixture(scope="module")
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    made = engine_for(database, pool_size=20)
    yield made
    await made.dispose()


@pytest.fixture(scope="module")
def sessions(engine: AsyncEngine) -> Sessions:
    return sessions_of(engine)
