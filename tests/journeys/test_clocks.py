"""Clocks on the real thing: a short promise is broken within two seconds of its moment, and heard of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from domain import workflow_ids
from tests.api.streams import Ear, listening
from tests.stack import CHANNEL_TOKEN, Shop, Stack, eventually
from tests.store.clocks.promises import TTC, clocks, promised, sla_events

SOON = timedelta(seconds=2)


async def told(shop: Shop, dialog: UUID) -> list[Any]:
    return await sla_events(shop, dialog)


async def promised_dialog(shop: Shop, *metrics: dict[str, Any]) -> UUID:
    topic = await promised(shop, *metrics)
    async with await shop.api() as client:
        answer = await client.post(
            f"/channels/{shop.channel}/inbound",
            headers={"X-Channel-Token": CHANNEL_TOKEN},
            json={
                "external_id": f"sla{shop.suffix}", "from": {"id": f"c{shop.suffix}"}, "text": "hello",
                "topic": shop.key(topic),
            },
        )  # fmt: skip
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["dialog_id"])


async def is_over(stack: Stack, dialog: UUID) -> bool:
    client = await stack.connect()
    described = await client.get_workflow_handle(workflow_ids.of_clocks(dialog)).describe()
    return described.close_time is not None


async def test_a_promise_is_warned_of_and_broken_in_time_and_the_stream_says_so(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    headers = {"Authorization": f"Bearer {await shop.token('olha')}"}
    async with listening(stack.apps[0]) as (url, _), httpx.AsyncClient(timeout=60) as client:
        async with client.stream("GET", f"{url}/events", headers=headers) as answer:
            ear = Ear(answer.aiter_lines())
            dialog = await promised_dialog(shop, {"metric": "tfr", "target": 2, "warn": [50]})
            heard = await ear.until("sla.breached", within=10)
    assert heard[-1]["dialog_id"] == str(dialog)
    now = await stack.rows("SELECT clock_timestamp() AS now")
    events = await told(shop, dialog)
    assert [e.kind for e in events] == ["sla.warned", "sla.breached"]
    (clock,) = await clocks(shop, dialog)
    assert now[0].now - clock.due_at < SOON
    assert events[1].at == clock.due_at == clock.started_at + timedelta(seconds=2)
    await eventually(lambda: is_over(stack, dialog), bool)
    olha = await shop.api("olha")
    await shop.person("boss", role="supervisor")
    boss = await shop.api("boss")
    history = await boss.get(f"/dialogs/{dialog}/clocks/history")
    assert history.status_code == 200, history.text
    waits = [item for item in history.json()["items"] if item["code"] == "deadline"]
    assert waits[0]["what"].startswith("Waited for the next threshold or deadline"), history.text
    assert (await olha.get(f"/dialogs/{dialog}/clocks/history")).status_code == 403
    late = await stack.rows(
        "SELECT count(*) AS n FROM reactions WHERE workflow_id = :w AND done_at IS NULL",
        w=workflow_ids.of_clocks(dialog),
    )
    assert late[0].n == 0


async def test_an_answer_in_time_and_the_closing_leave_nothing_to_fire(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog = await promised_dialog(shop, {"metric": "tfr", "target": 20}, {**TTC, "target": 30})
    olha = await shop.api("olha")
    assert (await olha.post(f"/dialogs/{dialog}/messages", json={"text": "Good day"})).status_code == 201
    assert (await olha.post(f"/dialogs/{dialog}/closure")).status_code == 200
    await eventually(lambda: is_over(stack, dialog), bool)
    assert [(c.metric, c.result) for c in await clocks(shop, dialog)] == [("tfr", "met"), ("ttc", "met")]
    assert not await told(shop, dialog)


async def test_a_worker_that_was_away_over_the_deadline_dates_the_breach_at_it(stack: Stack, shop: Shop) -> None:
    await shop.open("olha")
    dialog = await promised_dialog(shop, {"metric": "tfr", "target": 3})
    await eventually(lambda: stack.reactions_left(workflow_ids.of_clocks(dialog)), lambda n: n == 0)
    await stack.stop_worker()
    due = (await clocks(shop, dialog))[0].due_at
    await eventually(
        lambda: stack.rows("SELECT clock_timestamp() > :due AS passed", due=due + timedelta(seconds=1)),
        lambda rows: rows[0].passed,
    )
    assert not await told(shop, dialog)
    await stack.start_worker()
    events = await eventually(lambda: told(shop, dialog), bool)
    assert [(e.kind, e.at) for e in events] == [("sla.breached", due)]
