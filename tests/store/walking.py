"""Items of batches walked as a worker does: each in a transaction of its own."""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

from activities.batches import BatchActivities
from domain.run_messages import BatchOrder
from domain.walks.ports import Deed, Done
from store import runs
from store.tables import Run
from tests.store.launching import Launching
from tests.store.runs_at_hand import unhurried


async def nobody() -> NoReturn:
    raise AssertionError("A batch starts no workflow.")


async def ask_nobody(run: Run, deed: Deed) -> Done | None:
    return None


async def walk(desk: Launching, run_id: UUID) -> str:
    """Begin the run, walk all of its items, finish it; answers its status."""
    batches = BatchActivities(desk.stage.sessions, lambda rings: None, nobody, ask_nobody, "mass")
    await desk.begin(run_id)
    done = await unhurried(60).run(batches.run_batch, BatchOrder(run_id, 0, 1))
    assert not done.has_more
    assert (await desk.do(runs.look, run_id)).phase in ("done", "after")
    return str(await desk.do(runs.finish, run_id))
