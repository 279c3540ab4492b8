"""From a client's first message to the late one after closing, over HTTP, on the real thing."""

from __future__ import annotations

import contextlib
from typing import Any
from uuid import UUID

import httpx

from domain import workflow_ids
from tests.api.streams import Ear, StreamEndedError, listening
from tests.stack import Shop, Stack, eventually


async def put_offer(client: httpx.AsyncClient, dialog_id: UUID, to: UUID) -> str:
    answer = await client.post(f"/dialogs/{dialog_id}/transfers", json={"to_operator": str(to)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["transfer_id"])


async def holder_of(stack: Stack, dialog_id: UUID) -> UUID | None:
    return (await stack.rows("SELECT operator_id FROM dialogs WHERE id = :d", d=dialog_id))[0].operator_id


async def state_of(client: httpx.AsyncClient, transfer_id: str) -> Any:
    return (await client.get(f"/transfers/{transfer_id}")).json()["state"]


async def test_a_message_is_given_out_answered_closed_and_opened_again_by_a_late_one(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    olha = await shop.api("olha")
    dialog_id = await shop.dialog_with("olha")
    answer = await olha.post(f"/dialogs/{dialog_id}/messages", json={"text": "Good day"})
    assert answer.status_code == 201, answer.text
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d == [("Good day", "sent")])
    assert [c.text for c in shop.provider.calls] == ["Good day"]
    assert (await olha.post(f"/dialogs/{dialog_id}/closure")).status_code == 200
    late = await shop.hear("one more thing")
    assert late.json()["dialog_id"] == str(dialog_id)
    await eventually(lambda: holder_of(stack, dialog_id), lambda h: h == shop.id_of("olha"))
    assert (await olha.post(f"/dialogs/{dialog_id}/messages", json={"text": "Yes?"})).status_code == 201
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d[-1] == ("Yes?", "sent"))
    assert [c.text for c in shop.provider.calls] == ["Good day", "Yes?"]
    await eventually(lambda: stack.reactions_left(workflow_ids.of_dialog(dialog_id)), lambda n: n == 0)


async def test_an_accepted_offer_changes_the_holder(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    await shop.person("taras", online=True)
    olha, taras = await shop.api("olha"), await shop.api("taras")
    transfer_id = await put_offer(olha, dialog_id, shop.id_of("taras"))
    assert (await taras.post(f"/transfers/{transfer_id}/acceptance")).status_code == 200
    assert await holder_of(stack, dialog_id) == shop.id_of("taras")
    client = await stack.connect()
    handle = client.get_workflow_handle(workflow_ids.of_transfer(UUID(transfer_id)), result_type=str)
    assert await handle.result() == "accepted"


async def test_a_declined_offer_leaves_the_sender_with_the_dialog(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    await shop.person("taras", online=True)
    olha, taras = await shop.api("olha"), await shop.api("taras")
    transfer_id = await put_offer(olha, dialog_id, shop.id_of("taras"))
    assert (await taras.post(f"/transfers/{transfer_id}/decline", json={"reason": "busy"})).status_code == 200
    assert await holder_of(stack, dialog_id) == shop.id_of("olha")
    again = await taras.post(f"/transfers/{transfer_id}/acceptance")
    assert (again.status_code, again.json()["code"]) == (409, "offer_ended")


async def test_an_offer_nobody_takes_expires_and_a_late_click_is_told_the_truth(stack: Stack, shop: Shop) -> None:
    await shop.open("olha", transfer_window=5)
    dialog_id = await shop.dialog_with("olha")
    await shop.person("taras", online=True)
    olha, taras = await shop.api("olha"), await shop.api("taras")
    transfer_id = await put_offer(olha, dialog_id, shop.id_of("taras"))
    ended = "SELECT state, ended_at = deadline AS dated FROM transfers WHERE id = :t"
    rows = await eventually(lambda: stack.rows(ended, t=transfer_id), lambda r: r[0].state != "pending")
    assert tuple(rows[0]) == ("expired", True)
    assert await state_of(olha, transfer_id) == "expired"
    late = await taras.post(f"/transfers/{transfer_id}/acceptance")
    assert (late.status_code, late.json()["code"], late.json()["state"]) == (409, "offer_expired", "expired")
    assert "Olha" in late.json()["detail"]
    assert await holder_of(stack, dialog_id) == shop.id_of("olha")


async def test_closing_rescinds_the_offer_and_ends_its_workflow(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    await shop.person("taras", online=True)
    olha = await shop.api("olha")
    transfer_id = await put_offer(olha, dialog_id, shop.id_of("taras"))
    assert (await olha.post(f"/dialogs/{dialog_id}/closure")).status_code == 200
    client = await stack.connect()
    offer = client.get_workflow_handle(workflow_ids.of_transfer(UUID(transfer_id)), result_type=str)
    assert await offer.result() == "rescinded"
    await client.get_workflow_handle(workflow_ids.of_dialog(dialog_id)).result()


async def test_who_loses_the_connection_loses_the_offers_made_to_them(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    await shop.person("taras")
    olha, taras = await shop.api("olha"), await shop.api("taras")
    there = await taras.put("/operators/me/presence", json={"status": "online", "lease": 3})
    assert there.status_code == 200, there.text
    transfer_id = await put_offer(olha, dialog_id, shop.id_of("taras"))
    await eventually(lambda: state_of(olha, transfer_id), lambda s: s == "rescinded")
    assert await holder_of(stack, dialog_id) == shop.id_of("olha")


async def test_the_stream_tells_what_happens_in_order(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    headers = {"Authorization": f"Bearer {await shop.token('olha')}"}
    async with listening(stack.apps[0]) as (url, _), httpx.AsyncClient(timeout=60) as client:
        async with client.stream("GET", f"{url}/events", headers=headers) as answer:
            ear = Ear(answer.aiter_lines())
            dialog_id = await shop.dialog_with("olha")
            olha = await shop.api("olha", app=1)
            await olha.post(f"/dialogs/{dialog_id}/messages", json={"text": "Good day"})
            heard = await _hear_until_sent(ear)
        while not heard or heard[-1]["event"] != "message.sent":  # a stream may be cut off: who listens comes back
            again = {**headers, "Last-Event-ID": str(ear.cursor or 0)}
            async with client.stream("GET", f"{url}/events", headers=again) as answer:
                ear = Ear(answer.aiter_lines())
                heard += await _hear_until_sent(ear)
    mine = [e for e in heard if e["dialog_id"] == str(dialog_id)]
    kinds = [e["kind"] for e in mine]
    assert kinds.index("dialog.opened") < kinds.index("dialog.assigned") < kinds.index("message.sent")
    assert [e["seq"] for e in heard] == sorted(e["seq"] for e in heard)


async def _hear_until_sent(ear: Ear) -> list[dict[str, Any]]:
    """Up to the sending, or as far as the stream goes."""
    heard: list[dict[str, Any]] = []
    with contextlib.suppress(StreamEndedError):
        while not heard or heard[-1]["event"] != "message.sent":
            heard.append(await ear.next(within=20))
    return heard
