"""The relay: who is rung for rows nobody acted on, how often, and by which of several relays."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import text

from relay.rounds import Relay
from store.engines import Sessions
from tests.stack import eventually


class CountingBell:
    """Reaches everybody but `deaf`, and remembers whom."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.deaf: set[str] = set()
        self.is_away = False

    def ring(self, ids: Iterable[str]) -> None:
        self.rung.extend(ids)

    async def ring_each(self, ids: Iterable[str]) -> set[str]:
        reached = set(ids) - self.deaf
        self.rung.extend(reached)
        return reached


async def react(sessions: Sessions, workflow_id: str, *, age: float = 5) -> None:
    """An open row that is `age` seconds old."""
    row = "INSERT INTO reactions (workflow_id, kind, not_before) VALUES (:w, 'x', now() - make_interval(secs => :age))"
    async with sessions.begin() as session:
        await session.execute(text(row), {"w": workflow_id, "age": age})


def relay_of(sessions: Sessions, bell: CountingBell, database: str) -> Relay:
    return Relay(sessions, bell, database.replace("+psycopg", "", 1))  # type: ignore[arg-type]


async def test_who_was_reached_is_left_in_peace_until_something_newer_comes(sessions: Sessions, database: str) -> None:
    bell, mine = CountingBell(), f"dialog:{uuid4()}"
    relay = relay_of(sessions, bell, database)
    await react(sessions, mine)
    for _ in range(5):
        await relay._ring_overdue()
    assert bell.rung.count(mine) == 1
    await react(sessions, mine)
    for _ in range(5):
        await relay._ring_overdue()
    assert bell.rung.count(mine) == 2


async def test_who_was_not_reached_is_rung_every_round(sessions: Sessions, database: str) -> None:
    bell, mine = CountingBell(), f"dialog:{uuid4()}"
    relay = relay_of(sessions, bell, database)
    bell.deaf = {mine}
    await react(sessions, mine)
    await relay._ring_overdue()
    bell.deaf = set()
    await relay._ring_overdue()
    assert bell.rung.count(mine) == 1


async def test_the_same_rows_are_rung_for_ever_more_rarely(sessions: Sessions, database: str) -> None:
    bell, mine = CountingBell(), f"dialog:{uuid4()}"
    relay = relay_of(sessions, bell, database)
    await react(sessions, mine)
    pauses = []
    for _ in range(9):
        await relay._ring_overdue()
        rung = relay._rung[mine]
        pauses.append(rung.pause)
        relay._rung[mine] = type(rung)(rung.row, rung.pause, float("-inf"))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_young_rows_finished_rows_and_teams_are_not_rung(sessions: Sessions, database: str) -> None:
    bell, young, done = CountingBell(), f"dialog:{uuid4()}", f"dialog:{uuid4()}"
    await react(sessions, young, age=0)
    await react(sessions, done)
    await react(sessions, "team:x")
    async with sessions.begin() as session:
        await session.execute(text("UPDATE reactions SET done_at = now() WHERE workflow_id = :w"), {"w": done})
    await relay_of(sessions, bell, database)._ring_overdue()
    assert not {young, done, "team:x"} & set(bell.rung)


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


async def test_of_two_relays_one_leads_and_the_other_takes_over(sessions: Sessions, database: str) -> None:
    bells = [CountingBell(), CountingBell()]
    url = database.replace("+psycopg", "", 1)
    leaders = (
        "SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.objid = 4 AND l.granted AND a.datname = current_database()"
    )

    async def leading() -> list[Any]:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            return await (await connection.execute(leaders)).fetchall()

    async with running(*(relay_of(sessions, bell, database) for bell in bells)):
        first = await eventually(leading)
        assert len(first) == 1
        await react(sessions, "dialog:one")
        heard = await eventually(lambda: asyncio.sleep(0, [b for b in bells if "dialog:one" in b.rung]))
        assert len(heard) == 1
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("SELECT pg_terminate_backend(%s)", [first[0][0]])
        second = await eventually(leading, lambda found: found and found != first)
        assert len(second) == 1
        await react(sessions, "dialog:two")
        await eventually(lambda: asyncio.sleep(0, [b for b in bells if "dialog:two" in b.rung]))
