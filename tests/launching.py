"""Definitions published and launched straight through the store, for whoever tests what comes after."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain import topologies
from domain.definitions.loading import load
from domain.launches import LaunchOrder
from domain.runs import ENDED
from relay.ringing import Bell
from store import launches
from store.engines import Sessions
from store.tables import Definition, DefinitionVersion
from store.transactions import Actor, transact


async def publish(sessions: Sessions, source: str) -> str:
    """Make it active as version 1, without the gate; answers its key."""
    loaded = load(source)
    assert loaded.canonical is not None, [d.message for d in loaded.diagnostics]
    canonical, key = loaded.canonical, loaded.canonical["name"]
    capabilities = sorted(topologies.capabilities_of(canonical))
    async with sessions.begin() as session:
        session.add(
            Definition(
                key=key, kind=canonical["kind"], title=canonical["title"], draft=source, active_version=1,
                latest_version=1, target=canonical.get("target", "dialog"),
            )
        )  # fmt: skip
        await session.flush()
        session.add(
            DefinitionVersion(
                definition_key=key,
                number=1,
                source=source,
                canonical=canonical,
                sha256=loaded.sha256 or "",
                capabilities=capabilities,
                granted=capabilities,
            )
        )
    return str(key)


async def launch(sessions: Sessions, order: LaunchOrder, bell: Bell | None = None) -> UUID:
    """The run's id; `bell` rings its workflow."""
    actor = Actor("user", order.launched_by) if order.launched_by else Actor("system")
    answer, rings = await transact(sessions, lambda work: launches.launch(work, order), actor=actor)
    if bell is not None:
        bell.ring(rings)
    return UUID(answer["run_id"])


async def rows(sessions: Sessions, statement: str, **values: Any) -> list[Any]:
    async with sessions() as session:
        return list((await session.execute(text(statement), values)).all())


async def run_ended(sessions: Sessions, run_id: UUID, *, within: float = 40) -> str:
    """Its status, once it has ended."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = await rows(
            sessions, "SELECT status, phase, reason, error FROM runs WHERE id = :r", r=run_id
        )  # fmt: skip
        if found[0].status in ENDED:
            return str(found[0].status)
        assert asyncio.get_running_loop().time() < deadline, f"not ended within {within} s: {found[0]}"
        await asyncio.sleep(0.05)


async def items_of(sessions: Sessions, run_id: UUID) -> list[Any]:
    return await rows(sessions, "SELECT * FROM run_items WHERE run_id = :r ORDER BY seq", r=run_id)


async def trace_of(sessions: Sessions, run_id: UUID, seq: int) -> list[tuple[str, str]]:
    """(path, status) of its steps."""
    found = await rows(
        sessions, "SELECT path, status FROM run_steps WHERE run_id = :r AND seq = :s ORDER BY n", r=run_id, s=seq
    )
    return [(r.path, r.status) for r in found]
