"""The web application over a real database with the demo in it; rings are only noted down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import NoReturn

import httpx
import pytest

from api.app import create_app
from api.house import House
from domain.errors import UnavailableError
from store.seeds import seed_demo
from tests.api.desks import Desk

PASSWORD = "demo password"
TOKEN = "demo token of the tests"
HOME = "http://switchboard.test"


@dataclass
class RecordingBell:
    rung: list[str] = field(default_factory=list)
    is_away: bool = False

    def ring(self, ids: Iterable[str]) -> None:
        self.rung.extend(ids)

    async def client(self) -> NoReturn:
        raise UnavailableError("There is no Temporal here.")

    async def is_ready(self) -> None:
        if self.is_away:
            raise UnavailableError("No worker answers.")


@pytest.fixture(scope="module")
async def demo(engine) -> dict:
    """What seed_demo answers."""
    return await seed_demo(engine, PASSWORD, TOKEN)


@pytest.fixture(scope="module")
def bell() -> RecordingBell:
    return RecordingBell()


@pytest.fixture(scope="module")
def app(sessions, bell, demo):
    return create_app(House(sessions, bell, secret_key=b"a secret key of the tests"))


@pytest.fixture(scope="module")
async def open_client(app) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Makes clients of the application; headers as given."""
    made: list[httpx.AsyncClient] = []

    def make(**headers: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=HOME, headers=headers
        )
        made.append(client)
        return client

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture(scope="module")
def anonymous(open_client) -> httpx.AsyncClient:
    return open_client()


@pytest.fixture(scope="module")
def admin(open_client) -> httpx.AsyncClient:
    """By bearer token."""
    return open_client(Authorization=f"Bearer {TOKEN}")


@pytest.fixture(scope="module")
def sign_in(open_client) -> Callable[..., Awaitable[httpx.AsyncClient]]:
    """A client signed in by cookie as olha, taras, iryna, light, supervisor, integrator, ops or admin."""

    async def as_(name: str, password: str = PASSWORD) -> httpx.AsyncClient:
        client = open_client()
        answer = await client.post(
            "/api/v1/session", json={"email": f"{name}@demo.local" if "@" not in name else name, "password": password}
        )
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    return as_


@pytest.fixture
async def desk(sessions, bell) -> AsyncIterator[Desk]:
    """A contact centre of its own, its people with clients; nothing of other tests is seen from within its teams."""
    made = await Desk(sessions, bell).open()
    yield made
    await made.close()
