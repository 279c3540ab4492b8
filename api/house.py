"""What every door is handed: connections to PostgreSQL and Temporal, and the few settings doors care about."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from store.engines import Sessions, glances_of
from store.events import open_snapshot

if TYPE_CHECKING:
    from relay.ringing import Bell

#: the newest event that what is shown knows of; subscribe with `GET /events?after=` this number
EVENTS_SEQ = "X-Events-Seq"


@dataclass(slots=True)
class House:
    """One per web process. `bell` reaches Temporal; it may be away while the house stands. `glances` are for single
    reads.
    """

    sessions: Sessions
    bell: "Bell"
    secret_key: bytes
    secure_cookies: bool = False
    answer_within: timedelta = timedelta(seconds=5)
    temporal_ui: str | None = None
    #: clients' messages taken in at once: more would only wait for each other's locks, and time out doing so
    doorway: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    extras: dict[str, Any] = field(default_factory=dict)
    glances: Sessions = field(init=False)

    def __post_init__(self) -> None:
        self.glances = glances_of(self.sessions.kw["bind"])


def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


CurrentHouse = Annotated[House, Depends(house_of)]


async def reading(house: CurrentHouse, response: Response) -> AsyncIterator[AsyncSession]:
    """A session for reading: one snapshot for the whole request, its event number told in X-Events-Seq."""
    async with house.sessions() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        response.headers[EVENTS_SEQ] = str(await open_snapshot(session))
        yield session


Reading = Annotated[AsyncSession, Depends(reading)]
