"""The live end of the event log: one per process. It hears of new events, numbers them and hands them to the streams.

The table is the truth: a notification only wakes. Whoever subscribes reads up to the present from the table and skips
what the queue brings again, so nothing is lost or told twice between the two.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from fastapi.sse import format_sse_event
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError

from domain.streams import Heard, told_without_texts
from store.engines import Sessions
from store.events import NUMBERED_AT_ONCE, PAGE, heard_after, newest_seq, number_events

CHANNEL = "events"
#: events one slow stream may lag behind before it is ended: it resumes by number
MOST_BEHIND = 5_000
#: seconds. Events of one moment travel together; without the listener the table is looked at this often, with it too
#: (rarely), should a notification ever be missed
GATHER = 0.01
POLL = 1.0
POLL_IN_DOUBT = 10.0
log = structlog.get_logger("tail")


@dataclass(frozen=True, slots=True)
class Told:
    """An event and the bytes every stream sends for it. `bare`: to those who may not read dialogs' texts."""

    heard: Heard
    wire: bytes
    bare: bytes


def told(heard: Heard) -> Told:
    data = {
        "seq": heard.seq,
        "kind": heard.kind,
        "at": heard.at,
        "dialog_id": heard.dialog_id,
        "team": heard.team,
        "operator_id": heard.operator_id,
        "actor": {"kind": heard.actor_kind, "id": heard.actor_id},
        "data": heard.data,
    }
    wire = _wire(heard, data)
    shown = told_without_texts(heard.kind, heard.data)
    return Told(heard, wire, wire if shown is heard.data else _wire(heard, data | {"data": shown}))


def _wire(heard: Heard, data: dict[str, Any]) -> bytes:
    return format_sse_event(data_str=to_json(data).decode(), event=heard.kind, id=str(heard.seq))


class Subscription:
    """What one stream has still to look at. `ended`: nothing more comes."""

    def __init__(self) -> None:
        self._batches: list[Told] = []
        self._news = asyncio.Event()
        self.ended = False

    def give(self, batch: list[Told]) -> None:
        if len(self._batches) + len(batch) > MOST_BEHIND:
            self.end()
            return
        self._batches.extend(batch)
        self._news.set()

    def end(self) -> None:
        self.ended = True
        self._batches.clear()
        self._news.set()

    async def take(self, *, within: float) -> list[Told]:
        """What has come, at the latest after `within` seconds; empty when nothing has, or when it ended."""
        try:
            async with asyncio.timeout(within):
                await self._news.wait()
        except TimeoutError:
            return []
        if not self.ended:
            self._news.clear()
        batch, self._batches = self._batches, []
        return batch


class Tail:
    def __init__(self, sessions: Sessions, url: str) -> None:
        self._sessions = sessions
        self._url = url.replace("+psycopg", "", 1)
        self._subscriptions: set[Subscription] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._position: int | None = None
        self._newest = 0
        self._is_listening = False
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def start(self) -> None:
        """Begin, once; needs a running loop."""
        if not self._tasks and not self._is_closed:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._pump())]

    def close(self) -> None:
        """End all streams now: their clients come back to whoever answers next."""
        self._is_closed = True
        for subscription in self._subscriptions:
            subscription.end()

    async def stop(self) -> None:
        self.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        self.start()
        subscription = Subscription()
        if self._is_closed:
            subscription.end()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def read_after(self, seq: int) -> list[Told]:
        """A page of what the table holds after `seq`."""
        async with self._sessions() as session:
            return [told(h) for h in await heard_after(session, seq)]

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=3, keepalives_idle=5, keepalives_interval=2,
                    keepalives_count=3,
                ) as connection:  # fmt: skip
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    self._is_listening = True
                    self._wake.set()
                    async for _ in connection.notifies():
                        self._wake.set()
            except (psycopg.Error, OSError) as error:
                log.warning("listening lost", error=str(error).strip())
            finally:
                self._is_listening = False
            await asyncio.sleep(POLL)

    async def _pump(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_IN_DOUBT if self._is_listening else POLL):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await asyncio.sleep(GATHER)
            try:
                await self._carry_on()
            except (SQLAlchemyError, OSError) as error:
                log.warning("events wait", error=str(error).strip().partition("\n")[0])
                self._wake.set()
                await asyncio.sleep(POLL)

    async def _carry_on(self) -> None:
        """Number what was committed and hand it out, until there is no more. What is committed meanwhile wakes anew."""
        while True:
            before = self._newest
            async with self._sessions.begin() as session:
                newest = self._newest = await number_events(session)
            if self._position is None or not self._subscriptions:
                self._position = newest
            while self._position < newest and self._subscriptions:
                batch = await self.read_after(self._position)
                if not batch:
                    break
                self._position = batch[-1].heard.seq
                for subscription in tuple(self._subscriptions):
                    subscription.give(batch)
                if len(batch) < PAGE:
                    break
            if newest - before < NUMBERED_AT_ONCE:
                return


async def newest(sessions: Sessions) -> int:
    async with sessions() as session:
        return await newest_seq(session)
