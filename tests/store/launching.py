"""Definitions published on a stage, launched over its dialogs, and items ended as a host would."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy import select

from domain.launches import LaunchOrder, Selected
from domain.walks.ports import Outcome
from store import definitions, run_items, runs, versions
from store.launches import launch
from store.tables import Run, RunItem
from store.transactions import Actor, Work, transact
from store.viewers import get_viewer
from tests.store.stage import Stage

NOTE = {"id": "note", "call": "add_note", "with": {"text": "seen"}}
SEND = {"id": "send", "call": "send_message", "with": {"text": "hello", "if_window_closed": "skip"}}
LISTEN = {"id": "hear", "listen": {"to": "message.received", "timeout": "1h"}}
DONE = Outcome("succeeded")
FAILED = Outcome("failed", error_type="internal", error_step="note", error_message="broken")


class Launching:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def publish(
        self, name: str, *steps: dict[str, Any], kind: str = "process", active: bool = True, **more: Any
    ) -> str:
        """A definition of these steps under a key of the stage's own; answers the key."""
        key = self.stage.key(name)
        document = {
            "dsl": 1, "kind": kind, "name": key, "title": name, **({} if kind == "macro" else {"target": "dialog"}),
            "permissions": {"launch": {"roles": ["supervisor", "admin", "operator", "system"]}},
            **more, "do": list(steps or (NOTE,)),
        }  # fmt: skip
        source = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)

        async def story(work: Work) -> None:
            await definitions.create(work, None, kind, source)
            told = await versions.publish(work, None, kind, key, must_refer=False)
            if active:
                await versions.activate(work, kind, key, told["version"])

        await transact(self.stage.sessions, story)
        return key

    async def launch(
        self, key: str, by: str | UUID | None, *ids: UUID, kind: str = "process", **more: Any
    ) -> dict[str, Any]:
        selected = more.pop("selected", Selected(ids=tuple(ids)) if ids else Selected())
        launched_by = None if by is None else self.stage.id_of(by)
        order = LaunchOrder(kind=kind, key=key, selected=selected, launched_by=launched_by, **more)
        told, rings = await transact(self.stage.sessions, lambda w: launch(w, order), actor=Actor("user", launched_by))
        return {**told, "rings": rings, "run_id": UUID(told["run_id"])}

    async def do(self, function: Any, *given: Any, **more: Any) -> Any:
        return (await transact(self.stage.sessions, lambda w: function(w, *given, **more)))[0]

    async def begin(self, run_id: UUID) -> Any:
        return await self.do(runs.begin, run_id, f"temporal-{run_id}")

    async def advance(self, run_id: UUID) -> Any:
        """Hand out items and note their workflows as started."""
        step = await self.do(run_items.advance, run_id)
        if (await self.run(run_id)).topology == "child":
            await self.do(run_items.note_started, run_id, {seq: f"{run_id}-{seq}" for seq in step.start})
        return step

    async def end(self, run_id: UUID, seq: int, outcome: Outcome = DONE) -> bool:
        return bool(await self.do(run_items.end, run_id, seq, outcome))

    async def end_all(self, run_id: UUID, outcome: Outcome = DONE) -> str:
        """Hand out and end every item, then finish."""
        await self.begin(run_id)
        while (step := await self.advance(run_id)).start:
            for seq in step.start:
                await self.end(run_id, seq, outcome)
        return str(await self.do(runs.finish, run_id))

    async def run(self, run_id: UUID) -> Run:
        async with self.stage.sessions() as session:
            return await session.get_one(Run, run_id)

    async def items(self, run_id: UUID) -> list[RunItem]:
        async with self.stage.sessions() as session:
            return list(await session.scalars(select(RunItem).where(RunItem.run_id == run_id).order_by(RunItem.seq)))

    async def states(self, run_id: UUID) -> list[tuple[str, str | None]]:
        return [(item.state, item.reason) for item in await self.items(run_id)]

    async def open_reactions(self, workflow_id: str) -> list[str]:
        rows = await self.stage.sql(
            "SELECT kind FROM reactions WHERE workflow_id = :w AND done_at IS NULL ORDER BY id", w=workflow_id
        )
        return [r.kind for r in rows]


_NAMES = count(1)


async def launched(desk: Launching, count: int, *steps, **more):
    launch_more = {k: more.pop(k) for k in ("canary", "concurrency", "is_dry") if k in more}
    key = await desk.publish(f"d{next(_NAMES)}", *steps, **more)
    dialogs = [await desk.stage.opened(f"c{n}") for n in range(count)]
    return await desk.launch(key, "boss", *dialogs, **launch_more)


async def boss_of(desk: Launching):
    async with desk.stage.sessions() as session:
        return await get_viewer(session, desk.stage.id_of("boss"))
