"""Who is at work by the rows while their workflow has ended is found, and nobody else."""

from __future__ import annotations

import pytest

from domain import workflow_ids
from store import histories, run_items
from store.orphans import orphans
from tests.store.launching import DONE, LISTEN, Launching


@pytest.fixture
async def desk(stage):
    await stage.person("boss", role="supervisor")
    return Launching(stage)


async def _at_work(desk: Launching, count: int):
    """A run whose items' workflows have begun."""
    key = await desk.publish("orphaned", LISTEN)
    run = (await desk.launch(key, "boss", *[await desk.stage.opened(f"o{n}") for n in range(count)]))["run_id"]
    await desk.begin(run)
    for seq in (await desk.advance(run)).start:
        await desk.do(run_items.begin, run, seq, f"{run}-{seq}")
    return run


async def _end_workflow(desk: Launching, workflow_id: str, temporal_run: str) -> None:
    async with desk.stage.sessions.begin() as session:
        assert await histories.keep(session, workflow_id, temporal_run, status="terminated")


async def _found(desk: Launching, run) -> list[str]:
    return sorted(i for i in await orphans(desk.stage.sessions) if str(run) in i)


async def test_an_item_whose_workflow_was_terminated_is_found_until_it_goes_on(desk):
    run = await _at_work(desk, 3)
    assert await _found(desk, run) == []
    for seq in (1, 2):
        await _end_workflow(desk, workflow_ids.of_item(run, seq), f"{run}-{seq}")
    await desk.do(run_items.park, run, 1, {"kind": "listen"})
    await desk.end(run, 2, DONE)
    assert await _found(desk, run) == [workflow_ids.of_item(run, 1)]
    assert await desk.do(run_items.begin, run, 1, f"{run}-1-again") is not None
    assert await _found(desk, run) == []


async def test_a_run_whose_workflow_was_terminated_is_found_until_it_ends(desk):
    run = await _at_work(desk, 1)
    await _end_workflow(desk, workflow_ids.of_mass(run), f"temporal-{run}")
    assert await _found(desk, run) == [workflow_ids.of_mass(run)]
    await desk.end_all(run)
    await desk.end(run, 1, DONE)
    await desk.stage.sql("UPDATE runs SET status = 'succeeded' WHERE id = :run", run=run)
    assert await _found(desk, run) == []
