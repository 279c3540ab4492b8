"""Replies on their way to a provider that is slow, rude, lying or away."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.providers import Provider, Reply
from tests.stack import Shop, Stack, eventually


async def say(shop: Shop, dialog_id: UUID, *texts: str) -> None:
    olha = await shop.api("olha")
    for text in texts:
        answer = await olha.post(f"/dialogs/{dialog_id}/messages", json={"text": text})
        assert answer.status_code == 201, answer.text


async def settled(shop: Shop, dialog_id: UUID, *expected: tuple[str, str]) -> None:
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d == list(expected))


async def test_replies_arrive_in_order_each_by_one_call(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    texts = [f"line {n}" for n in range(12)]
    await say(shop, dialog_id, *texts)
    await settled(shop, dialog_id, *((t, "sent") for t in texts))
    assert [c.text for c in shop.provider.calls] == texts


async def test_too_many_requests_waits_as_asked_and_keeps_the_order(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    shop.provider.script = [Reply(429, takes=False, headers={"Retry-After": "2"}), Reply(503, takes=False)]
    dialog_id = await shop.dialog_with("olha")
    await say(shop, dialog_id, "first", "second")
    await settled(shop, dialog_id, ("first", "sent"), ("second", "sent"))
    calls = shop.provider.calls
    assert [c.text for c in calls] == ["first", "first", "first", "second"]
    assert calls[1].at - calls[0].at >= 2


@pytest.mark.parametrize(
    ("reply", "ask", "outcome", "calls"),
    [
        pytest.param(Reply(500), False, "unknown", 1, id="broken, cannot be asked: unknown"),
        pytest.param(Reply(500), True, "sent", 1, id="broken, has it: sent"),
        pytest.param(Reply(500, takes=False), True, "sent", 2, id="broken, has it not: sent again"),
        pytest.param(Reply(0), False, "unknown", 1, id="dropped, cannot be asked: unknown"),
        pytest.param(Reply(0), True, "sent", 1, id="dropped, has it: sent"),
        pytest.param(Reply(422, takes=False), False, "failed", 1, id="refused: failed"),
    ],
)
async def test_what_the_provider_made_of_it_is_found_out(
    stack: Stack, shop: Shop, reply: Reply, ask: bool, outcome: str, calls: int
) -> None:
    await shop.open("olha", ask=ask)
    shop.provider.script = [reply]
    dialog_id = await shop.dialog_with("olha")
    await say(shop, dialog_id, "first", "second")
    await settled(shop, dialog_id, ("first", outcome), ("second", "sent"))
    assert [c.text for c in shop.provider.calls] == ["first"] * calls + ["second"]


async def test_a_doubt_that_cannot_be_cleared_up_ends_as_unknown_and_is_never_sent_again(
    stack: Stack, shop: Shop
) -> None:
    await shop.open("olha", ask=True)
    shop.provider.script, shop.provider.is_mute = [Reply(0)], True
    dialog_id = await shop.dialog_with("olha")
    await say(shop, dialog_id, "first", "second")
    await settled(shop, dialog_id, ("first", "unknown"), ("second", "sent"))
    assert [c.text for c in shop.provider.calls] == ["first", "second"]
    assert len(shop.provider.asked) > 1


async def test_a_provider_that_listens_to_nobody_is_tried_until_it_does(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    await shop.provider.stop()
    dialog_id = await shop.dialog_with("olha")
    await say(shop, dialog_id, "first", "second")
    tried = "SELECT attempts FROM messages WHERE dialog_id = :d AND direction = 'out' ORDER BY seq"
    await eventually(lambda: stack.rows(tried, d=dialog_id), lambda r: r[0].attempts >= 2)
    assert shop.provider.calls == []
    await shop.provider.start()
    await settled(shop, dialog_id, ("first", "sent"), ("second", "sent"))
    assert [c.text for c in shop.provider.calls] == ["first", "second"]


async def test_a_redirect_is_not_followed(stack: Stack, shop: Shop) -> None:
    elsewhere = await Provider().start()
    await shop.open("olha")
    shop.provider.script = [Reply(307, takes=False, headers={"Location": elsewhere.url})]
    dialog_id = await shop.dialog_with("olha")
    await say(shop, dialog_id, "first")
    await settled(shop, dialog_id, ("first", "failed"))
    assert elsewhere.calls == []
    await elsewhere.stop()
