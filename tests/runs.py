"""Somebody in a shop who publishes, launches and controls runs, straight through the store."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.launches import LaunchOrder, Selected
from relay.macros import play
from store import approvals, run_commands
from store.transactions import Work, transact
from store.viewers import get_viewer
from tests.launching import items_of, launch, publish, rows, run_ended, trace_of
from tests.stack import Shop, eventually

HEAD = """
dsl: 1
kind: {kind}
name: {name}
title: A test
target: dialog
permissions: {{ launch: {{ roles: [supervisor] }} }}
"""


class Runs:
    """A shop with somebody who launches."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.sessions, self.bell = shop, shop.sessions, shop.stack.bells[1]
        self.dialogs: list[UUID] = []

    async def open(self, dialogs: int = 1) -> Runs:
        await self.shop.open("olha")
        self.boss = await self.shop.person("boss", role="supervisor")
        self.other = await self.shop.person("other", role="supervisor")
        for n in range(dialogs):
            self.dialogs.append(await self.shop.dialog_with("olha", sender=f"client{n}"))
        return self

    async def publish(self, body: str, *, name: str = "test", kind: str = "process") -> str:
        key = self.shop.key(name)
        return await publish(self.sessions, HEAD.format(kind=kind, name=key) + body)

    async def launch(self, key: str, *, ring: bool = True, **more: Any) -> UUID:
        order = LaunchOrder(
            "process", key, selected=Selected(ids=tuple(self.dialogs)), launched_by=self.boss, **more
        )  # fmt: skip
        return await launch(self.sessions, order, self.bell if ring else None)

    async def run(self, body: str, *, name: str = "test", **more: Any) -> tuple[UUID, str]:
        run_id = await self.launch(await self.publish(body, name=name), **more)
        return run_id, await run_ended(self.sessions, run_id)

    async def macro(self, body: str, *, name: str = "test") -> tuple[UUID, Any]:
        key = await self.publish(body, name=name, kind="macro")
        order = LaunchOrder("macro", key, dialog_id=self.dialogs[0], launched_by=self.boss)
        run_id = await launch(self.sessions, order)
        return run_id, await play(await self.shop.stack.connect(), run_id)

    async def command(self, name: str, run_id: UUID, *more: Any) -> Any:
        async def story(work: Work) -> Any:
            viewer = await get_viewer(work.session, self.boss)
            return await getattr(run_commands, name)(work, viewer, run_id, *more)

        answer, rings = await transact(self.sessions, story)
        self.bell.ring(rings)
        return answer

    async def states(self, run_id: UUID) -> list[str]:
        return [item.state for item in await items_of(self.sessions, run_id)]

    async def waiting(self, run_id: UUID, count: int = 1) -> list[Any]:
        """Its items, once so many are parked."""
        return await eventually(
            lambda: items_of(self.sessions, run_id), lambda found: sum(i.is_parked for i in found) >= count
        )

    async def trace(self, run_id: UUID, seq: int = 1) -> list[tuple[str, str]]:
        return await trace_of(self.sessions, run_id, seq)


async def decide(runs: Runs, run_id: UUID, *, approved: bool) -> None:
    found = await eventually(
        lambda: rows(runs.sessions, "SELECT id FROM approvals WHERE run_id = :r AND state = 'open'", r=run_id)
    )

    async def story(work: Work) -> None:
        viewer = await get_viewer(work.session, runs.other)
        await approvals.decide(work, viewer, found[0].id, approved, "as you like", None)

    _, rings = await transact(runs.sessions, story)
    runs.bell.ring(rings)
