"""A command happens once, whoever asks how often, and its answer is never lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain import workflow_ids
from domain.commands import Request, Say
from relay.sending import send
from tests.stack import Shop, Stack, eventually
from workflows import options


async def say(client: httpx.AsyncClient, dialog_id: UUID, text: str, key: str, mode: str = "note") -> httpx.Response:
    return await client.post(
        f"/dialogs/{dialog_id}/messages", json={"text": text, "mode": mode}, headers={"Idempotency-Key": key}
    )


async def said(stack: Stack, dialog_id: UUID, text: str) -> int:
    rows = await stack.rows("SELECT count(*) FROM messages WHERE dialog_id = :d AND text = :t", d=dialog_id, t=text)
    return int(rows[0][0])


async def ask(client: httpx.AsyncClient, key: str) -> httpx.Response:
    return await client.get(f"/commands/{key}")


async def test_without_a_worker_it_is_kept_and_carried_out_once_when_one_is_back(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    olha, elsewhere = await shop.api("olha"), await shop.api("olha", app=1)
    await stack.stop_worker()
    kept = await say(olha, dialog_id, "kept", "k1", "reply")
    assert (kept.status_code, kept.json()["status"]) == (202, "pending")
    assert (await say(elsewhere, dialog_id, "kept", "k1", "reply")).status_code == 202
    assert (await ask(elsewhere, "k1")).status_code == 202
    other = await say(olha, dialog_id, "something else", "k1")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    await stack.start_worker()
    answer = await eventually(lambda: ask(olha, "k1"), lambda a: a.status_code != 202)
    assert answer.status_code == 201, answer.text
    again = await say(elsewhere, dialog_id, "kept", "k1", "reply")
    assert (again.status_code, again.json()) == (201, answer.json())
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d == [("kept", "sent")])
    assert [c.text for c in shop.provider.calls] == ["kept"]


async def test_after_its_last_moment_it_is_never_carried_out(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    olha = await shop.api("olha")
    await stack.stop_worker()
    assert (await say(olha, dialog_id, "too late", "k1")).status_code == 202
    await stack.write("UPDATE pending_commands SET not_after = clock_timestamp() WHERE key = 'k1'")
    await stack.start_worker()
    answer = await eventually(lambda: ask(olha, "k1"), lambda a: a.status_code != 202)
    assert (answer.status_code, answer.json()["code"]) == (410, "command_expired")
    later = await say(olha, dialog_id, "on time", "k2")
    assert later.status_code == 201
    assert await said(stack, dialog_id, "too late") == 0
    assert (await say(olha, dialog_id, "too late", "k1")).status_code == 410


async def test_a_refusal_is_the_answer_ever_after(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    await shop.person("taras", online=True)
    taras = await shop.api("taras")
    first = await say(taras, dialog_id, "mine?", "k1", "reply")
    assert (first.status_code, first.json()["code"]) == (403, "not_yours")
    olha = await shop.api("olha")
    await olha.post(f"/dialogs/{dialog_id}/closure")
    again = await say(taras, dialog_id, "mine?", "k1", "reply")
    assert (again.status_code, again.json()) == (first.status_code, first.json())


async def test_twenty_askers_at_two_doors_make_it_happen_once(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    doors = [await shop.api("olha", app=n) for n in (0, 1)]
    answers = await asyncio.gather(*(say(doors[n % 2], dialog_id, "once", "k1") for n in range(20)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.text for a in answers}) == 1
    assert await said(stack, dialog_id, "once") == 1


async def test_two_different_requests_under_one_key_at_once_are_told_apart(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    doors = [await shop.api("olha", app=n) for n in (0, 1)]
    answers = await asyncio.gather(*(say(doors[n % 2], dialog_id, f"text {n % 2}", "k1") for n in range(8)))
    assert {a.status_code for a in answers} == {201, 422}
    assert await said(stack, dialog_id, "text 0") + await said(stack, dialog_id, "text 1") == 1


async def test_it_happens_once_over_fresh_runs(stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporal forgets an update's id with the run; the key's row does not."""
    monkeypatch.setattr(options, "RENEW_AT", 60)
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    olha = await shop.api("olha")
    request = Request(shop.id_of("olha"), "k1", "digest", dialog_id, Say("once", "note"))
    client, within = await stack.connect(), timedelta(seconds=20)
    first = await send(client, stack.sessions, request, within=within)
    runs = "SELECT run_id FROM workflow_runs WHERE workflow_id = :w"
    seen = await stack.rows(runs, w=workflow_ids.of_dialog(dialog_id))

    async def other_runs() -> list[Any]:
        await say(olha, dialog_id, "filler", uuid4().hex)
        return await stack.rows(runs, w=workflow_ids.of_dialog(dialog_id))

    await eventually(other_runs, lambda found: len(found) > len(seen))
    again = await send(client, stack.sessions, request, within=within)
    assert (again.answer, again.refusal) == (first.answer, None)
    assert await said(stack, dialog_id, "once") == 1


async def test_many_at_once_over_fresh_runs_are_all_answered_and_happen_once(
    stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "RENEW_AT", 60)
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    doors = [await shop.api("olha", app=n) for n in (0, 1)]
    for wave in range(4):
        answers = await asyncio.gather(*(say(doors[n % 2], dialog_id, f"wave {wave}", uuid4().hex) for n in range(12)))
        assert {a.status_code for a in answers} == {201}
        assert await said(stack, dialog_id, f"wave {wave}") == 12
    runs = "SELECT run_id FROM workflow_runs WHERE workflow_id = :w"
    assert len(await stack.rows(runs, w=workflow_ids.of_dialog(dialog_id))) > 1


async def test_commands_meet_closing_runs_without_an_error(stack: Stack, shop: Shop) -> None:
    """Close and reopen in a stream, with notes from the side: the run's end is nobody's trouble."""
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    olha, elsewhere = await shop.api("olha"), await shop.api("olha", app=1)
    statuses: set[int] = set()
    notes = 0
    for pause in (0.0, 0.5, 1.9, 2.0, 2.1, 2.6):
        assert (await olha.post(f"/dialogs/{dialog_id}/closure")).status_code == 200
        await asyncio.sleep(pause)
        answers = await asyncio.gather(
            olha.post(f"/dialogs/{dialog_id}/reopening"),
            *(say(elsewhere, dialog_id, "aside", uuid4().hex) for _ in range(3)),
        )
        statuses |= {a.status_code for a in answers}
        notes += 3
    assert statuses <= {200, 201}
    assert await said(stack, dialog_id, "aside") == notes


async def test_a_command_for_a_dialog_that_never_was_leaves_nothing_running(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    olha, made_up = await shop.api("olha"), uuid4()
    answer = await say(olha, made_up, "anyone?", "k1")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    runs = await stack.rows("SELECT 1 FROM workflow_runs WHERE workflow_id = :w", w=workflow_ids.of_dialog(made_up))
    assert runs == []


async def test_a_refusal_about_an_offer_that_never_was_stands_under_its_key(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    olha = await shop.api("olha")
    nowhere = f"/transfers/{uuid4()}/acceptance"
    refused = [await olha.post(nowhere, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [(r.status_code, r.json()["code"]) for r in refused] == [(404, "not_found")] * 2
    dialog_id = await shop.dialog_with("olha")
    other = await say(olha, dialog_id, "hello", "k1")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
