"""A worker that dies (as by kill -9) at one point of its work, in a process of its own.

The fault is built in here, from outside: around the activities, the provider's gateway and the ends of transactions.
Nothing in the product knows of it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.client import Client

from activities.commands import CommandActivities
from activities.deliveries import DeliveryActivities
from activities.presence import PresenceActivities
from activities.transfers import TransferActivities
from domain.commands import Glance, OfferLook, OfferSeen, Outcome, Request, Seen
from gateways.channels.generic import GenericChannel
from gateways.channels.outgoing import Letter
from relay.ringing import Bell
from store.engines import engine_for, sessions_of
from worker import worker_for
from workflows import options
from workflows.converting import DATA_CONVERTER

KILLED = 9
#: the activity this task carries out, and how many transactions it has ended
_under_way: ContextVar[str] = ContextVar("under_way", default="")


@dataclass(frozen=True)
class Fault:
    """`place`: begin, before_commit, after_commit, ring, answer, before_call, after_call; `nth` transaction of the
    activity. A command's fault strikes `kind` only.
    """

    activity: str
    place: str
    nth: int = 1
    kind: str = ""

    def __str__(self) -> str:
        which = f" {self.nth}" if self.nth > 1 else ""
        return f"{self.kind or self.activity}: {self.place}{which}"


class Reaper:
    """Ends the process when its fault's moment has come."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._ended = {"before_commit": 0, "after_commit": 0}

    def pass_by(self, place: str) -> None:
        if _under_way.get() == self._fault.activity and place == self._fault.place:
            os._exit(KILLED)

    def watch_transactions(self) -> None:
        for place in self._ended:
            event.listen(Session, place, lambda _, place=place: self._count(place))

    def _count(self, place: str) -> None:
        if _under_way.get() != self._fault.activity:
            return
        self._ended[place] += 1
        if self._ended[place] == self._fault.nth:
            self.pass_by(place)

    def enter(self, name: str, kind: str = "") -> None:
        _under_way.set(name if not self._fault.kind or kind == self._fault.kind else "")


class DyingGateway(GenericChannel):
    def __init__(self, reaper: Reaper) -> None:
        super().__init__()
        self._reaper = reaper

    async def send(self, letter: Letter) -> str | None:
        self._reaper.pass_by("before_call")
        given = await super().send(letter)
        self._reaper.pass_by("after_call")
        return given


class DyingActivities:
    """The real activities, watched."""

    def __init__(self, reaper: Reaper, sessions: Any, bell: Bell) -> None:
        self._reaper = reaper

        def ring(ids: Iterable[str]) -> None:
            reaper.pass_by("ring")
            bell.ring(ids)

        self._commands = CommandActivities(sessions, ring)
        self._deliveries = DeliveryActivities(sessions, {"generic": DyingGateway(reaper)}, ring)
        self._transfers = TransferActivities(sessions, ring)
        self._presence = PresenceActivities(sessions, ring)

    async def _watched(self, name: str, work: Callable[[], Awaitable[Any]], kind: str = "") -> Any:
        self._reaper.enter(name, kind)
        self._reaper.pass_by("begin")
        answer = await work()
        self._reaper.pass_by("answer")
        return answer

    @activity.defn
    async def apply_command(self, request: Request) -> Outcome:
        kind = request.command.kind
        return await self._watched("apply_command", lambda: self._commands.apply_command(request), kind)

    @activity.defn
    async def look_at_dialog(self, glance: Glance) -> Seen:
        return await self._watched("look_at_dialog", lambda: self._commands.look_at_dialog(glance))

    @activity.defn
    async def look_at_offer(self, look: OfferLook) -> OfferSeen:
        return await self._watched("look_at_offer", lambda: self._transfers.look_at_offer(look))

    @activity.defn
    async def deliver_message(self, message_id: str) -> str:
        return await self._watched("deliver_message", lambda: self._deliveries.deliver_message(message_id))

    @property
    def all(self) -> list[object]:
        return [
            self.apply_command, self.look_at_dialog, self.look_at_offer, self.deliver_message,
            self._deliveries.give_up_delivery, self._presence.judge_presence,
        ]  # fmt: skip


def be_quick(patch: pytest.MonkeyPatch) -> None:
    """Let the death of a worker be noticed soon: the same waits, shorter."""
    patch.setattr(options, "TASK_TIMEOUT", timedelta(seconds=1))
    patch.setitem(options.DELIVERY, "heartbeat_timeout", timedelta(seconds=2))


async def _work(database: str, temporal: str, fault: Fault) -> None:
    reaper = Reaper(fault)
    reaper.watch_transactions()
    sessions = sessions_of(engine_for(database))
    client = await Client.connect(temporal, data_converter=DATA_CONVERTER)

    async def connect() -> Client:
        return client

    bell = Bell(connect)
    await bell.start()
    await worker_for(client, options.INTERACTIVE, DyingActivities(reaper, sessions, bell).all).run()


def _main(database: str, temporal: str, fault: Fault) -> None:
    with pytest.MonkeyPatch.context() as patch:
        be_quick(patch)
        asyncio.run(_work(database, temporal, fault))


def dying_worker(database: str, temporal: str, fault: Fault) -> BaseProcess:
    """Started; forked from a clean process that has imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_main, args=(database, temporal, fault), daemon=True)
    process.start()
    return process
