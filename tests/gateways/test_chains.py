"""Histories read from a real Temporal and from kept copies: the same lines, page by page, each told once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError

from domain.errors import UnavailableError
from domain.histories import HIDDEN, TOLD, Category, Line
from domain.sentences import sentence
from gateways.chains import Chain, Place, Run
from gateways.histories import GoneError, copy_of, describe, live_chunks
from tests.gateways.toys import Toy
from workflows.converting import DATA_CONVERTER

ALL = frozenset(Category)
OLHA = UUID(int=1)


def request_of(kind: str, **command: str) -> dict:
    return {"caller": str(OLHA), "key": "k", "command": {"kind": kind, **command}}


async def tell_a_story(client: Client, workflow_id: str) -> list[Run]:
    """Two runs, both over: commands side by side, a refusal, a delivery, a wait, a child. Newest first."""
    handle = await client.start_workflow(Toy.run, 1, id=workflow_id, task_queue="toys")
    commands = [("say", {"text": "secret"}), ("add_tag", {"tag": "vip"}), ("close", {"note": "secret too"})]
    await asyncio.gather(*(handle.execute_update(kind, request_of(kind, **more)) for kind, more in commands))
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("assign", request_of("assign", operator_id=str(OLHA)))
    first = await describe(client, workflow_id)
    await handle.signal("ring")
    await until_another(client, workflow_id, first.run_id)
    second = await describe(client, workflow_id)
    newest: WorkflowHandle = client.get_workflow_handle(workflow_id)
    await newest.execute_update("reopen", request_of("reopen"))
    await newest.signal("ring")
    assert await newest.result() == "ended well"
    return [Run(workflow_id, found.run_id, found.started_at) for found in (second, first)]


async def until_another(client: Client, workflow_id: str, run_id: str) -> None:
    while True:
        if (await describe(client, workflow_id)).run_id != run_id:
            return
        await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def runs(client: Client) -> list[Run]:
    return await tell_a_story(client, "toy:1")


def chain_of(runs: list[Run], client: Client | None, kept: dict[str, bytes] | None = None, **more) -> Chain:
    async def load(run: Run) -> bytes | None:
        return (kept or {}).get(run.run_id)

    return Chain(runs, workflow="toy", client=client, kept=load, codec=DATA_CONVERTER.payload_codec, **more)


async def all_lines(chain: Chain, limit: int, wanted: frozenset[Category] = ALL) -> list[Line]:
    lines: list[Line] = []
    place: Place | None = None
    while True:
        page = await chain.lines(place, limit=limit, wanted=wanted)
        assert len(page.lines) <= limit
        lines += page.lines
        place = page.next_place
        if place is None:
            return lines


async def test_the_story_is_told_newest_first(runs: list[Run], client: Client) -> None:
    lines = await all_lines(chain_of(runs, client), 200, TOLD)
    words = [sentence(line, {OLHA: "Olha"}.get) for line in lines]
    assert words[0] == "The workflow ended: ended well"
    assert words[-1] == "The workflow began"
    assert "Olha tried to assign the dialog to Olha: refused (at_capacity)" in words
    assert {"Olha replied to the client", "Olha added the tag vip", "Olha closed the dialog"} <= set(words)
    assert words.index("Olha reopened the dialog") < words.index("Olha closed the dialog")
    assert words.count("Delivery of a message ended: sent (try 2)") == 2
    assert [line.at for line in lines if line.run_id == runs[0].run_id] == sorted(
        (line.at for line in lines if line.run_id == runs[0].run_id), reverse=True
    )
    assert all(line.took is not None for line in lines if line.category == Category.COMMAND)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_of_any_size_tell_each_line_once_and_whole(runs: list[Run], client: Client, limit: int) -> None:
    chain = chain_of(runs, client)
    assert await all_lines(chain, limit) == await all_lines(chain, 200)
    assert await all_lines(chain, limit, TOLD) == await all_lines(chain, 200, TOLD)


@pytest.mark.parametrize("limit", [1, 5, 200])
async def test_raw_events_come_once_in_falling_order(runs: list[Run], client: Client, limit: int) -> None:
    chain, place, found = chain_of(runs, client), None, []
    while True:
        page = await chain.events(place, limit=limit)
        found += page.events
        place = page.next_place
        if place is None:
            break
    by_run = [[event.id for run_id, event in found if run_id == run.run_id] for run in runs]
    assert all(ids == list(range(len(ids), 0, -1)) for ids in by_run)
    assert len(found) == sum(map(len, by_run))


async def test_texts_are_hidden_unless_the_right_is_there(runs: list[Run], client: Client) -> None:
    hidden = await chain_of(runs, client).events(None, limit=200)
    assert "secret" not in str(hidden)
    assert HIDDEN in str(hidden)
    lines = await all_lines(chain_of(runs, client), 200)
    assert "secret" not in str(lines)
    shown = await all_lines(chain_of(runs, client, shows_texts=True), 200)
    assert [line.details for line in shown if line.code == "close"] == [{"note": "secret too"}]


async def test_a_kept_copy_tells_the_same_after_the_run_is_gone(client: Client) -> None:
    runs = await tell_a_story(client, "toy:2")
    live = await all_lines(chain_of(runs, client), 200)
    page = await chain_of(runs, client).lines(None, limit=4, wanted=ALL)
    kept = {run.run_id: (await copy_of(client, run.workflow_id, run.run_id))[0] for run in runs}
    copies = [replace(run, is_kept=True) for run in runs]
    assert await all_lines(chain_of(copies, client, kept), 200) == live
    for run in runs:
        await delete(client, run)
    assert await all_lines(chain_of(copies, None, kept), 3) == live
    rest = await chain_of(copies, None, kept).lines(page.next_place, limit=200, wanted=ALL)
    assert page.lines + rest.lines == live
    lost = await all_lines(chain_of(runs, client), 200)
    assert [line.code for line in lost] == ["lost", "lost"]
    with pytest.raises(GoneError):
        await copy_of(client, runs[0].workflow_id, runs[0].run_id)


async def delete(client: Client, run: Run) -> None:
    execution = WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    await client.workflow_service.delete_workflow_execution(request)
    while True:
        try:
            await describe(client, run.workflow_id, run.run_id)
        except GoneError:
            return
        await asyncio.sleep(0.05)


async def test_without_temporal_the_kept_part_is_told_and_said_to_be_a_part(runs: list[Run], client: Client) -> None:
    kept = {runs[1].run_id: (await copy_of(client, "toy:1", runs[1].run_id))[0]}
    mixed = [runs[0], replace(runs[1], is_kept=True)]
    page = await chain_of(mixed, None, kept).lines(None, limit=200, wanted=ALL)
    assert page.is_live_away
    assert {line.run_id for line in page.lines} == {runs[1].run_id}
    with pytest.raises(UnavailableError):
        await chain_of(runs, None).lines(None, limit=5, wanted=ALL)
    with pytest.raises(UnavailableError):
        await chain_of(mixed, None, kept).lines(Place(runs[0].run_id, 4), limit=5, wanted=ALL)


async def test_a_worn_token_is_read_from_the_top(runs: list[Run], client: Client) -> None:
    whole = await all_lines(chain_of(runs[:1], client), 200)
    page = await chain_of(runs[:1], client).lines(None, limit=2, wanted=ALL)
    assert page.next_place is not None
    worn = replace(page.next_place, token=b"of another version")
    rest = await chain_of(runs[:1], client).lines(worn, limit=200, wanted=ALL)
    assert page.lines + rest.lines == whole


async def test_a_missing_namespace_is_an_absent_server_and_no_lost_run(client: Client) -> None:
    elsewhere = Client(client.service_client, namespace="nowhere", data_converter=DATA_CONVERTER)
    with pytest.raises(UnavailableError):
        await describe(elsewhere, "toy:1")
    with pytest.raises(UnavailableError):
        await anext(live_chunks(elsewhere, "toy:1", "x"))
