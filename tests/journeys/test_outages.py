"""Temporal away, PostgreSQL away: what may be promised then, and that all goes on by itself afterwards."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
import pytest

from domain import workflow_ids
from embedded.postgres import EmbeddedPostgres
from tests.stack import Shop, Stack, eventually


async def test_without_temporal_messages_are_taken_and_commands_refused(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    olha = await shop.api("olha")
    dialog_id = await shop.dialog_with("olha")
    await asyncio.to_thread(stack.temporal.stop)
    try:
        heard = await shop.hear("are you there?", sender="somebody else")
        assert heard.status_code == 202
        refused = await eventually(
            lambda: olha.post(f"/dialogs/{dialog_id}/messages", json={"text": "no", "mode": "note"}),
            lambda a: a.status_code == 503,
        )
        assert refused.json()["code"] == "unavailable"
        assert "Retry-After" in refused.headers
        assert (await olha.get(f"/dialogs/{dialog_id}")).status_code == 200
    finally:
        await asyncio.to_thread(stack.temporal.start)
    other = UUID(heard.json()["dialog_id"])
    await eventually(lambda: stack.reactions_left(workflow_ids.of_dialog(other)), lambda n: n == 0)
    runs = "SELECT 1 FROM workflow_runs WHERE workflow_id = :w"
    assert await stack.rows(runs, w=workflow_ids.of_dialog(other))
    answer = await eventually(
        lambda: olha.post(f"/dialogs/{other}/messages", json={"text": "we are"}), lambda a: a.status_code == 201
    )
    assert answer.json()["message_id"]
    await eventually(lambda: shop.deliveries(other), lambda d: ("we are", "sent") in d)


async def test_without_postgresql_nothing_is_promised_and_afterwards_all_is_well(
    stack: Stack, shop: Shop, postgres: EmbeddedPostgres
) -> None:
    await shop.open("olha")
    olha = await shop.api("olha")
    dialog_id = await shop.dialog_with("olha")
    postgres.stop()
    try:
        answers: list[httpx.Response] = [
            await shop.hear("lost?"),
            await olha.get(f"/dialogs/{dialog_id}"),
            await olha.post(f"/dialogs/{dialog_id}/messages", json={"text": "lost?"}),
            await olha.post(f"/dialogs/{dialog_id}/closure"),
            await olha.put("/operators/me/presence", json={"status": "away"}),
            await olha.get("/commands/any"),
        ]
    finally:
        postgres.start()
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(503, "unavailable")] * len(answers)
    heard = await eventually(lambda: shop.hear("found", external_id="again"), lambda a: a.status_code in (200, 202))
    assert heard.json()["dialog_id"] == str(dialog_id)
    answer = await eventually(
        lambda: olha.post(f"/dialogs/{dialog_id}/messages", json={"text": "here"}, headers={"Idempotency-Key": "k"}),
        lambda a: a.status_code == 201,
    )
    assert answer.json()["message_id"]
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d == [("here", "sent")])
    await eventually(lambda: stack.reactions_left(workflow_ids.of_dialog(dialog_id)), lambda n: n == 0)


async def test_a_ring_that_was_lost_is_rung_again(stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web process that died between its commit and its ring."""
    await shop.open("olha")
    monkeypatch.setattr(stack.bells[1], "ring", lambda ids: None)
    heard = await shop.hear("hello")
    dialog = workflow_ids.of_dialog(UUID(heard.json()["dialog_id"]))
    await eventually(lambda: stack.reactions_left(dialog), lambda n: n == 0)
    assert await stack.rows("SELECT 1 FROM workflow_runs WHERE workflow_id = :w", w=dialog)
