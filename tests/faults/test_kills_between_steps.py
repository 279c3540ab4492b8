"""A worker is killed between every two steps of a command, of a look, of an offer's end and of a delivery.

Then a healthy one comes: the effect is there once, the key's answer stands, every reaction was acted on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from temporalio.client import WorkflowExecutionStatus

from domain import workflow_ids
from tests.faults.dying import KILLED, Fault, dying_worker
from tests.stack import PATIENCE, Shop, Stack, eventually

STEPS = ("begin", "before_commit", "after_commit", "ring", "answer")
KEY = {"Idempotency-Key": "k1"}


@pytest.fixture
async def dying(stack: Stack) -> AsyncIterator[Callable[[Fault], Awaitable[Callable[[], Awaitable[None]]]]]:
    """Puts a dying worker in the healthy one's place; what it answers waits for the death and brings the healthy one
    back.
    """

    async def replace(fault: Fault) -> Callable[[], Awaitable[None]]:
        await stack.stop_worker()
        process = dying_worker(stack.database, stack.temporal.address, fault)

        async def bury() -> None:
            await asyncio.to_thread(process.join, PATIENCE)
            code = process.exitcode
            process.kill()
            assert code == KILLED, f"it did not die at its point: {code}"
            await stack.start_worker()

        return bury

    yield replace
    await stack.start_worker()


async def held_dialog(shop: Shop, **options: Any) -> tuple[UUID, httpx.AsyncClient]:
    """A dialog in Olha's hands whose workflow has nothing left to do; Taras is there, too."""
    await shop.open("olha", **options)
    dialog_id = await shop.dialog_with("olha")
    await shop.person("taras", online=True)
    await eventually(lambda: shop.stack.reactions_left(workflow_ids.of_dialog(dialog_id)), lambda n: n == 0)
    return dialog_id, await shop.api("olha")


async def answered(client: httpx.AsyncClient, path: str, body: Any) -> httpx.Response:
    """The key's answer, asked for as often as it takes; 202 and no answer are none."""

    async def ask() -> httpx.Response:
        return await client.post(path, json=body, headers=KEY)

    return await eventually(ask, lambda a: a.status_code in (200, 201))


async def all_acted_on(stack: Stack, workflow_id: str) -> None:
    await eventually(lambda: stack.reactions_left(workflow_id), lambda n: n == 0)


@pytest.mark.parametrize("fault", [Fault("apply_command", step, kind="say") for step in STEPS], ids=str)
async def test_a_reply_is_said_and_delivered_once(stack: Stack, shop: Shop, dying: Any, fault: Fault) -> None:
    dialog_id, olha = await held_dialog(shop)
    bury = await dying(fault)
    path, body = f"/dialogs/{dialog_id}/messages", {"text": "Good day"}
    first = asyncio.create_task(olha.post(path, json=body, headers=KEY))
    await bury()
    promised = await first
    assert promised.status_code in (201, 202), promised.text
    answer = await answered(olha, path, body)
    asked = await olha.get("/commands/k1")
    assert (asked.status_code, asked.json()) == (201, answer.json())
    if promised.status_code == 201:
        assert promised.json() == answer.json()
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d == [("Good day", "sent")])
    assert [c.text for c in shop.provider.calls] == ["Good day"]
    await all_acted_on(stack, workflow_ids.of_dialog(dialog_id))


@pytest.mark.parametrize(
    "fault",
    [Fault("apply_command", step, kind="close") for step in ("before_commit", "after_commit", "answer")],
    ids=str,
)
async def test_a_dialog_is_closed_once_and_its_run_ends(stack: Stack, shop: Shop, dying: Any, fault: Fault) -> None:
    dialog_id, olha = await held_dialog(shop)
    offered = await olha.post(f"/dialogs/{dialog_id}/transfers", json={"to_operator": str(shop.id_of("taras"))})
    offer = workflow_ids.of_transfer(UUID(offered.json()["transfer_id"]))
    await all_acted_on(stack, workflow_ids.of_dialog(dialog_id))
    bury = await dying(fault)
    path = f"/dialogs/{dialog_id}/closure"
    first = asyncio.create_task(olha.post(path, headers=KEY))
    await bury()
    assert (await first).status_code in (200, 202)
    await answered(olha, path, None)
    closed = "SELECT count(*) FROM events WHERE dialog_id = :d AND kind = 'dialog.closed'"
    assert (await stack.rows(closed, d=dialog_id))[0][0] == 1
    client = await stack.connect()
    for workflow_id in (workflow_ids.of_dialog(dialog_id), offer):
        handle = client.get_workflow_handle(workflow_id)
        await eventually(handle.describe, lambda d: d.status == WorkflowExecutionStatus.COMPLETED)
        await all_acted_on(stack, workflow_id)


@pytest.mark.parametrize(
    "fault", [Fault("apply_command", step, kind="transfer") for step in ("after_commit", "ring")], ids=str
)
async def test_an_offer_is_made_once_and_its_window_runs(stack: Stack, shop: Shop, dying: Any, fault: Fault) -> None:
    dialog_id, olha = await held_dialog(shop)
    bury = await dying(fault)
    path, body = f"/dialogs/{dialog_id}/transfers", {"to_operator": str(shop.id_of("taras"))}
    first = asyncio.create_task(olha.post(path, json=body, headers=KEY))
    await bury()
    assert (await first).status_code in (201, 202)
    answer = await answered(olha, path, body)
    made = await stack.rows("SELECT id FROM transfers WHERE dialog_id = :d", d=dialog_id)
    assert [str(r.id) for r in made] == [answer.json()["transfer_id"]]
    offer = workflow_ids.of_transfer(made[0].id)
    begun = "SELECT 1 FROM workflow_runs WHERE workflow_id = :w"
    await eventually(lambda: stack.rows(begun, w=offer))
    await all_acted_on(stack, workflow_ids.of_dialog(dialog_id))
    taken = await (await shop.api("taras")).post(f"/transfers/{made[0].id}/acceptance")
    assert taken.status_code == 200, taken.text


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault("apply_command", step, kind="accept") for step in ("before_commit", "after_commit")),
        *(Fault("look_at_offer", step, nth=n) for step in ("before_commit", "after_commit") for n in (1, 2)),
    ],
    ids=str,
)
async def test_an_offer_ends_once(stack: Stack, shop: Shop, dying: Any, fault: Fault) -> None:
    """Accepted, or expired where the look at it is what dies: at the first look, or at the one after the deadline."""
    dialog_id, olha = await held_dialog(shop, transfer_window=5)
    bury = await dying(fault)
    body = {"to_operator": str(shop.id_of("taras"))}
    made = await eventually(
        lambda: olha.post(f"/dialogs/{dialog_id}/transfers", json=body, headers=KEY), lambda a: a.status_code == 201
    )
    transfer_id = made.json()["transfer_id"]
    accepting = None
    if fault.kind == "accept":
        taras = await shop.api("taras")
        accepting = asyncio.create_task(taras.post(f"/transfers/{transfer_id}/acceptance", headers=KEY))
    await bury()
    if accepting is not None:
        assert (await accepting).status_code in (200, 202)
    state = "SELECT state, reason FROM transfers WHERE id = :t"
    rows = await eventually(lambda: stack.rows(state, t=transfer_id), lambda r: r[0].state != "pending")
    ended = "SELECT kind FROM events WHERE dialog_id = :d AND kind ~ '^transfer.' AND kind <> 'transfer.offered'"
    assert [r.kind for r in await stack.rows(ended, d=dialog_id)] == [f"transfer.{rows[0].state}"]
    assert rows[0].state in (("accepted", "expired") if accepting else ("expired",))
    handle = (await stack.connect()).get_workflow_handle(workflow_ids.of_transfer(UUID(transfer_id)), result_type=str)
    assert await asyncio.wait_for(handle.result(), PATIENCE) == rows[0].state
    held = await stack.rows("SELECT kind FROM reservations WHERE dialog_id = :d", d=dialog_id)
    assert [r.kind for r in held] == ["held"]


@pytest.mark.parametrize("step", ["before_commit", "after_commit"])
async def test_a_look_s_rows_are_acted_on(stack: Stack, shop: Shop, dying: Any, step: str) -> None:
    """A message that arrives while the worker that looks for it dies."""
    dialog_id, olha = await held_dialog(shop)
    await olha.post(f"/dialogs/{dialog_id}/closure")
    handle = (await stack.connect()).get_workflow_handle(workflow_ids.of_dialog(dialog_id))
    await eventually(handle.describe, lambda d: d.status == WorkflowExecutionStatus.COMPLETED)
    bury = await dying(Fault("look_at_dialog", step))
    late = await shop.hear("one more thing")
    assert late.json()["dialog_id"] == str(dialog_id)
    await bury()
    await all_acted_on(stack, workflow_ids.of_dialog(dialog_id))
    await eventually(handle.describe, lambda d: d.status == WorkflowExecutionStatus.RUNNING)
    said = await answered(olha, f"/dialogs/{dialog_id}/messages", {"text": "Yes?"})
    assert said.status_code == 201
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d == [("Yes?", "sent")])


@pytest.mark.parametrize(
    ("fault", "ask", "outcome", "calls"),
    [
        (Fault("deliver_message", "begin"), False, "sent", 1),
        (Fault("deliver_message", "after_commit"), False, "unknown", 0),
        (Fault("deliver_message", "before_call"), True, "sent", 1),
        (Fault("deliver_message", "after_call"), False, "unknown", 1),
        (Fault("deliver_message", "after_call"), True, "sent", 1),
        (Fault("deliver_message", "after_commit", nth=2), False, "sent", 1),
        (Fault("deliver_message", "answer"), False, "sent", 1),
    ],
    ids=lambda value: str(value) if isinstance(value, Fault) else "asked" if value is True else "",
)
async def test_a_message_reaches_its_provider_once_or_is_called_unknown(
    stack: Stack, shop: Shop, dying: Any, fault: Fault, ask: bool, outcome: str, calls: int
) -> None:
    dialog_id, olha = await held_dialog(shop, ask=ask)
    bury = await dying(fault)
    first = asyncio.create_task(olha.post(f"/dialogs/{dialog_id}/messages", json={"text": "first"}))
    await bury()
    assert (await first).status_code in (201, 202)
    await olha.post(f"/dialogs/{dialog_id}/messages", json={"text": "second"})
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d == [("first", outcome), ("second", "sent")])
    assert [c.text for c in shop.provider.calls] == ["first"] * calls + ["second"]
    await all_acted_on(stack, workflow_ids.of_dialog(dialog_id))
