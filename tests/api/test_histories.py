"""Histories through the API, told by the real workflows: live, kept, and while Temporal is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client

from domain import workflow_ids
from domain.errors import UnavailableError
from gateways.histories import GoneError, describe
from relay.archiver import archive_once
from relay.ringing import Bell
from tests.api.conftest import TOKEN
from tests.servers import running_temporal
from worker import activities_of, worker_for
from workflows import options
from workflows.converting import DATA_CONVERTER

API = "/api/v1"
SECRET = "the client's secret words"


class TurnableBell(Bell):
    """Temporal can be made to look away."""

    is_cut = False

    async def client(self) -> Client:
        if self.is_cut:
            raise UnavailableError("Temporal is away.")
        return await super().client()


@pytest.fixture(scope="module")
async def bell(sessions) -> AsyncIterator[TurnableBell]:
    async with running_temporal() as temporal, AsyncExitStack() as stack:
        made = TurnableBell(lambda: Client.connect(temporal.address, data_converter=DATA_CONVERTER))
        await made.start()
        client = await made.client()
        await stack.enter_async_context(worker_for(client, options.INTERACTIVE, activities_of(sessions, made)))
        yield made
        await made.stop()


@pytest.fixture(scope="module")
async def olha(sign_in) -> httpx.AsyncClient:
    return await sign_in("olha")


@pytest.fixture(scope="module")
async def ops(sign_in) -> httpx.AsyncClient:
    return await sign_in("ops")


@pytest.fixture(scope="module")
async def write(anonymous) -> Callable:
    async def as_client(name: str) -> str:
        body = {"external_id": uuid4().hex, "from": {"id": name, "name": name}, "text": SECRET}
        answer = await anonymous.post(f"{API}/channels/demo/inbound", json=body, headers={"X-Channel-Token": TOKEN})
        assert answer.status_code == 202, answer.text
        return answer.json()["dialog_id"]

    return as_client


async def ask(client: httpx.AsyncClient, path: str, status: int = 200, **params: Any) -> Any:
    answer = await client.get(f"{API}{path}", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def tell(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    answer = await client.request(method, f"{API}{path}", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def until(client: httpx.AsyncClient, path: str, what: str) -> list[str]:
    """The lines' words, once one of them says `what`."""
    for _ in range(100):
        words = [line["what"] for line in (await ask(client, path, limit=200))["items"]]
        if any(what in word for word in words):
            return words
        await asyncio.sleep(0.1)
    raise AssertionError(words)


@pytest.fixture(scope="module")
async def closed(bell, olha, ops, admin, write, demo) -> str:
    """A dialog that was answered, offered, declined and closed; its workflow has ended."""
    await tell(olha, "PUT", "/operators/me/presence", {"status": "online", "lease": 3600})
    dialog = await write("petro")
    path = f"/dialogs/{dialog}"
    await tell(olha, "POST", f"{path}/messages", {"mode": "reply", "text": SECRET})
    taras = str(demo["users"]["taras@demo.local"])
    refused = await olha.post(f"{API}{path}/transfers", json={"to_operator": taras, "note": SECRET})
    assert refused.status_code == 409, refused.text
    await until(ops, f"{path}/history", "ended: sent")
    await tell(olha, "POST", f"{path}/closure", {"note": SECRET})
    await until(ops, f"{path}/history", "The workflow ended")
    return dialog


async def test_it_tells_what_happened_by_whom_and_why(closed, ops) -> None:
    told = await ask(ops, f"/dialogs/{closed}/history", limit=200)
    words = [line["what"] for line in told["items"]]
    assert words[0] == "The workflow ended"
    assert words[-1] == "The workflow began"
    assert "Ольга closed the dialog" in words
    assert "Ольга replied to the client" in words
    assert "Delivery of a message ended: sent" in words
    [refused] = [line for line in told["items"] if line["category"] == "refused"]
    assert refused["what"].startswith("Ольга tried to offer the dialog to Тарас: refused (")
    assert refused["by"]["name"] == "Ольга"
    assert refused["why"]
    assert told["live"] == "included"
    assert told["next"] is None
    assert [run["state"] for run in told["runs"]] == ["running"]


async def test_no_text_is_told_without_the_right(closed, ops, admin) -> None:
    for path in (f"/dialogs/{closed}/history", f"/runs/dialog:{closed}/history"):
        for params in ({}, {"all": True}, {"raw": True}):
            answer = await ops.get(f"{API}{path}", params={"limit": 200, **params})
            assert SECRET not in answer.text
    shown = await ask(admin, f"/dialogs/{closed}/history", limit=200)
    assert [line["details"]["text"] for line in shown["items"] if line["code"] == "say"] == [SECRET]


async def test_pages_join_to_the_whole(closed, ops) -> None:
    for params in ({"all": True}, {}, {"raw": True}):
        whole = (await ask(ops, f"/dialogs/{closed}/history", limit=200, **params))["items"]
        found, after = [], {}
        while True:
            page = await ask(ops, f"/dialogs/{closed}/history", limit=3, **params, **after)
            found += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert found == whole


async def test_only_wanted_categories_are_told(closed, ops) -> None:
    told = await ask(ops, f"/dialogs/{closed}/history", category=["refused", "delivery"])
    assert {line["category"] for line in told["items"]} == {"refused", "delivery"}


async def test_a_cursor_of_another_history_or_a_forged_one_is_refused(closed, ops, write) -> None:
    cursor = (await ask(ops, f"/dialogs/{closed}/history", limit=1))["next"]
    other = await write("another")
    assert (await ask(ops, f"/dialogs/{other}/history", 422, after=cursor))["code"] == "invalid"
    for forged in (cursor[:-2] + "xx", "abc", "_", "-" * 50):
        assert (await ask(ops, f"/dialogs/{closed}/history", 422, after=forged))["code"] == "invalid"


async def test_who_may_not_see_a_dialog_is_not_told_that_it_has_a_history(closed, olha, ops, sign_in) -> None:
    assert (await ask(olha, f"/dialogs/{closed}/history", 403))["code"] == "forbidden"
    assert (await ask(ops, f"/dialogs/{uuid4()}/history", 404))["code"] == "not_found"
    assert (await ask(ops, f"/transfers/{uuid4()}/history", 404))["code"] == "not_found"
    assert (await ask(ops, f"/operators/{uuid4()}/presence/history", 404))["code"] == "not_found"
    assert (await ask(ops, f"/runs/{uuid4()}/history", 404))["code"] == "not_found"


async def test_presence_is_told(closed, ops, olha, demo) -> None:
    path = f"/operators/{demo['users']['olha@demo.local']}/presence/history"
    assert "Waits for the end of the connection's lease" in " ".join(await until(ops, path, "Waits for"))


async def test_an_offer_tells_its_window_and_its_end(bell, ops, olha, write, sign_in, demo, closed) -> None:
    taras = await sign_in("taras")
    await tell(taras, "PUT", "/operators/me/presence", {"status": "online", "lease": 3600})
    dialog = await write("offered")
    holder, target = olha, "taras"
    if (await ask(ops, f"/dialogs/{dialog}"))["operator_name"] == "Тарас":
        holder, target = taras, "olha"
    body = {"to_operator": str(demo["users"][f"{target}@demo.local"])}
    transfer = (await tell(holder, "POST", f"/dialogs/{dialog}/transfers", body))["transfer_id"]
    await until(ops, f"/transfers/{transfer}/history", "Waits for the end of the offer's window")
    await tell(taras if holder is olha else olha, "POST", f"/transfers/{transfer}/decline", {"reason": "busy"})
    words = await until(ops, f"/transfers/{transfer}/history", "The workflow ended: declined")
    assert any("declined the offer" in word for word in words)
    assert any("something else came first" in word for word in words)
    told = await ask(ops, f"/dialogs/{dialog}/history", category="child")
    assert [line["details"]["workflow_id"] for line in told["items"]] == [f"transfer:{transfer}"]


async def test_a_kept_history_reads_the_same_before_and_after_temporal_forgets(
    closed, ops, bell, sessions, app
) -> None:
    path = f"/dialogs/{closed}/history"
    live = await ask(ops, path, limit=200, all=True)
    client = await bell.client()
    assert await archive_once(sessions, client) >= 1
    assert await archive_once(sessions, client) == 0
    kept = await ask(ops, path, limit=200, all=True)
    assert kept["items"] == live["items"]
    assert [(run["state"], run["kept"]) for run in kept["runs"]] == [("completed", True)]
    await delete(client, workflow_ids.of_dialog(closed), kept["runs"][0]["run_id"])
    bell.is_cut = True
    try:
        assert (await ask(ops, path, limit=200, all=True))["items"] == live["items"]
        assert (await ask(ops, path))["live"] == "included"
    finally:
        bell.is_cut = False
    gone = await ask(ops, path, limit=200, all=True)
    assert gone["items"] == live["items"]
    by_run = await ask(ops, f"/runs/{kept['runs'][0]['run_id']}/history", limit=200, all=True)
    assert by_run["items"] == live["items"]


async def delete(client: Client, workflow_id: str, run_id: str) -> None:
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    await client.workflow_service.delete_workflow_execution(request)
    while True:
        try:
            await describe(client, workflow_id, run_id)
        except GoneError:
            return
        await asyncio.sleep(0.05)


async def test_while_temporal_is_away_a_live_history_is_unavailable(write, ops, bell) -> None:
    dialog = await write("waiting")
    await until(ops, f"/dialogs/{dialog}/history", "The client opened the dialog")
    bell.is_cut = True
    try:
        assert (await ask(ops, f"/dialogs/{dialog}/history", 503))["code"] == "unavailable"
    finally:
        bell.is_cut = False


async def test_a_run_that_temporal_lost_before_it_was_copied_is_marked(write, ops, bell, sessions) -> None:
    dialog = await write("lost")
    path = f"/dialogs/{dialog}/history"
    await until(ops, path, "The client opened the dialog")
    client = await bell.client()
    run = (await ask(ops, path))["runs"][0]["run_id"]
    await delete(client, workflow_ids.of_dialog(dialog), run)
    async with sessions.begin() as session:
        # Looked at as one that is not the newest.
        await session.execute(
            text("INSERT INTO workflow_runs (workflow_id, run_id, kind, dialog_id) VALUES (:w, :r, 'dialog', :d)"),
            {"w": workflow_ids.of_dialog(dialog), "r": str(uuid4()), "d": dialog},
        )
    assert await archive_once(sessions, client) >= 1
    told = await ask(ops, path)
    assert [run["state"] for run in told["runs"]][-1] == "lost"
    assert told["items"][-1]["what"] == "This run's history is no longer kept"


async def test_runs_are_found_by_kind_dialog_state_and_time(closed, ops, sign_in, sessions, bell) -> None:
    await archive_once(sessions, await bell.client())
    [run] = (await ask(ops, "/workflows", dialog=closed))["items"]
    assert (run["kind"], run["dialog_id"], run["workflow_id"]) == ("dialog", closed, f"dialog:{closed}")
    assert {r["kind"] for r in (await ask(ops, "/workflows", kind="presence"))["items"]} == {"presence"}
    assert run in (await ask(ops, "/workflows", state="closed"))["items"]
    assert run not in (await ask(ops, "/workflows", state="running"))["items"]
    assert run in (await ask(ops, "/workflows", **{"from": run["started_at"]}))["items"]
    assert run not in (await ask(ops, "/workflows", to=run["started_at"]))["items"]
    whole = (await ask(ops, "/workflows", limit=200))["items"]
    found, after = [], {}
    while True:
        page = await ask(ops, "/workflows", limit=2, **after)
        found += page["items"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == whole
    supervisor = await sign_in("supervisor")
    assert (await ask(supervisor, "/workflows", limit=200))["items"] == whole


@pytest.mark.parametrize(
    "path",
    [
        "/workflows?after=abc", "/workflows?after=W10", "/workflows?limit=0", "/workflows?limit=-1",
        "/workflows?from=yesterday", "/runs/%00/history", "/runs/a%20b/history", "/workflows?dialog=1",
        "/workflows?kind=%00", "/workflows?state=odd",
        "/dialogs/1/history",
        "/workflows?from=0001-01-01T00:00:00%2B23:59&to=9999-12-31T23:59:59-23:59",
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_in_words(ops, path) -> None:
    answer = await ops.get(f"{API}{path}")
    assert answer.status_code in (200, 404, 422), answer.text
    assert answer.status_code == 200 or answer.json()["code"] in ("invalid", "not_found")


async def test_links_lead_to_temporals_own_panel(closed, ops, app) -> None:
    app.state.house.temporal_ui = "http://127.0.0.1:8233/namespaces/default"
    told = await ask(ops, f"/dialogs/{closed}/history")
    run = told["runs"][0]["run_id"]
    assert told["link"] == f"http://127.0.0.1:8233/namespaces/default/workflows/dialog%3A{closed}"
    assert told["items"][0]["link"] == f"{told['link']}/{run}/history"
