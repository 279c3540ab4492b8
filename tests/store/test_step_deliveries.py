"""A run's message and a provider with moods: 429, 500, silence, a dropped line. Nobody is written to twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from temporalio.exceptions import ApplicationError

import activities.posting
from domain.actions.manifests import Retry
from domain.commands import Say
from domain.messages import Delivery
from domain.walks.ports import Deed, StepError
from gateways.channels import generic
from store import deliveries, messages
from store.transactions import transact
from tests.providers import Provider, Reply
from tests.store.runs_at_hand import QUICK, RunAtHand
from tests.store.stage import Stage

CLIENTS = count(1)


@pytest.fixture
async def provider(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    """Takes the messages of the stage's channel; a provider that cannot be asked is given up on quickly."""
    monkeypatch.setattr(activities.posting, "_ASK_AGAIN_AFTER", (0.05, 0.05))
    made = await Provider().start()
    settings = (
        "UPDATE channels SET settings = jsonb_build_object('url', CAST(:url AS text), 'ask', true) WHERE key = :c"
    )
    await stage.sql(settings, url=made.url, c=stage.channel)
    yield made
    await made.stop()


async def prepared(stage: Stage, run: RunAtHand, retry: Retry = QUICK, **more: Any) -> tuple[Deed, UUID]:
    dialog = await stage.opened(f"client {next(CLIENTS)}")
    await run.begin(dialog, **more)
    deed = run.deed("send_message", dialog, text="hello", retry=retry)
    message_id = (await run.prepare(deed)).message_id
    assert message_id is not None
    return deed, message_id


async def message(stage: Stage, message_id: UUID) -> Any:
    return await stage.row("SELECT * FROM messages WHERE id = :m", m=message_id)


async def effect(stage: Stage, deed: Deed) -> str:
    return str((await stage.row("SELECT status FROM effects WHERE key = :k", k=deed.key)).status)


async def test_a_limit_is_waited_for_and_is_no_attempt(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run, replace(QUICK, max_attempts=1))
    provider.script = [Reply(429, takes=False, headers={"Retry-After": "1"})] * 2
    before = time.monotonic()
    acted, why = await run.deliver(deed, message_id)
    assert time.monotonic() - before >= 2
    assert acted.done is not None
    assert (acted.done.attempts, why) == (1, ["rate_limited"] * 2)
    assert (await message(stage, message_id)).attempts == 1
    assert provider.taken == [str(message_id)]
    assert await effect(stage, deed) == "done"


async def test_a_limit_closes_the_channel_for_all_that_runs_send(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    other = RunAtHand(stage.sessions)
    deed2, message2 = await prepared(stage, other)
    await stage.sql("UPDATE messages SET not_before = now() WHERE id = :m", m=message2)
    provider.script = [Reply(429, takes=False, headers={"Retry-After": "60"})]
    for at_hand, one, id_ in ((run, deed, message_id), (other, deed2, message2)):
        with pytest.raises(ApplicationError) as again:
            await at_hand.deliver_once(one, id_)
        assert again.value.type == "rate_limited"
        assert again.value.next_retry_delay is not None
        assert again.value.next_retry_delay.total_seconds() > 50
    assert len(provider.calls) == 1


async def test_a_limit_that_nobody_waits_for_fails_the_step(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run, Retry(max_attempts=3, on=frozenset()))
    provider.script = [Reply(429, takes=False)]
    acted, _ = await run.deliver(deed, message_id)
    assert acted.trouble is not None
    assert (acted.trouble.type, acted.trouble.needs_attention) == ("rate_limited", False)
    assert (await message(stage, message_id)).delivery == Delivery.FAILED


async def test_a_provider_that_breaks_after_taking_is_asked_and_believed(stage: Stage, provider: Provider) -> None:
    for reply in (Reply(500), Reply(0)):
        run = RunAtHand(stage.sessions)
        deed, message_id = await prepared(stage, run)
        provider.script = [reply]
        acted, why = await run.deliver(deed, message_id)
        assert acted.done is not None
        assert why == []
        assert provider.asked[-1] == str(message_id)
        await run.deliver(deed, message_id)
        assert provider.taken.count(str(message_id)) == 1


async def test_a_provider_that_breaks_without_taking_is_tried_again(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    provider.script = [Reply(500, takes=False), Reply(0, takes=False)]
    acted, why = await run.deliver(deed, message_id)
    assert acted.done is not None
    assert (acted.done.attempts, why) == (3, ["unavailable"] * 2)
    assert provider.taken == [str(message_id)]


@pytest.mark.parametrize("reply", [Reply(500), Reply(0), Reply(0, takes=False)])
async def test_a_provider_that_cannot_be_asked_leaves_a_doubt_and_nothing_is_sent_again(
    stage: Stage, provider: Provider, reply: Reply
) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    provider.script, provider.is_mute = [reply], True
    acted, why = await run.deliver(deed, message_id)
    assert acted.trouble is not None
    assert (acted.trouble.type, acted.trouble.needs_attention, acted.trouble.again) == ("unknown_effect", True, False)
    assert why == []
    assert (await message(stage, message_id)).delivery == Delivery.UNKNOWN
    assert await effect(stage, deed) == "unknown"
    with pytest.raises(StepError) as error:
        await run.prepare(deed)
    assert (error.value.type, error.value.needs_attention) == ("unknown_effect", True)
    assert len(provider.calls) == 1


async def test_a_provider_that_hangs_is_not_called_again(
    stage: Stage, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generic, "_TIMEOUT", httpx.Timeout(0.3))
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    silent = await asyncio.start_server(lambda reader, writer: asyncio.sleep(5), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    url = "UPDATE channels SET settings = jsonb_build_object('url', CAST(:url AS text)) WHERE key = :c"
    await stage.sql(url, url=f"http://127.0.0.1:{port}", c=stage.channel)
    acted, why = await run.deliver(deed, message_id)
    silent.close()
    assert acted.trouble is not None
    assert (acted.trouble.type, acted.trouble.needs_attention, why) == ("unknown_effect", True, [])


async def test_a_closed_door_is_knocked_at_as_often_as_the_step_says(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    await provider.stop()
    acted, why = await run.deliver(deed, message_id)
    assert acted.trouble is not None
    assert (acted.trouble.type, acted.trouble.attempts, acted.trouble.again) == ("unavailable", 3, False)
    assert why == ["unavailable"] * 2
    assert (await message(stage, message_id)).delivery == Delivery.FAILED
    assert await effect(stage, deed) == "undone"
    await provider.start()
    fresh = await run.prepare(deed)
    assert fresh.message_id not in (None, message_id)
    acted, _ = await run.deliver(deed, fresh.message_id)  # type: ignore[arg-type]
    assert acted.done is not None
    assert provider.taken == [str(fresh.message_id)]


async def test_a_refusal_is_final(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    provider.script = [Reply(400, takes=False)]
    acted, why = await run.deliver(deed, message_id)
    assert acted.trouble is not None
    assert (acted.trouble.type, acted.trouble.again, why) == ("channel_error", False, [])


async def test_a_sender_that_died_in_the_middle_is_followed_by_a_question(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    claim = await transact(
        stage.sessions, lambda w: deliveries.claim(w, message_id, deed.key, run.bearings(UUID(str(deed.dialog_id))))
    )
    assert claim[0].state == "claimed"
    provider.taken.append(str(message_id))
    acted, _ = await run.deliver(deed, message_id)
    assert acted.done is not None
    assert provider.calls == []


async def test_time_that_is_over_ends_the_waiting_with_the_message_unsent(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions, seconds=5)
    deed, message_id = await prepared(stage, run)
    provider.script = [Reply(429, takes=False, headers={"Retry-After": "3600"})]
    acted, _ = await run.deliver(deed, message_id)
    assert acted.trouble is not None
    assert (acted.trouble.type, acted.trouble.again) == ("timeout", False)
    assert (await message(stage, message_id)).delivery == Delivery.FAILED
    assert len(provider.calls) == 1


async def test_a_paused_run_sends_nothing_and_a_cancelled_one_never_will(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run, status="paused")
    acted, _ = await run.deliver(deed, message_id)
    assert acted.halted == "paused"
    assert (await message(stage, message_id)).delivery == Delivery.QUEUED
    await stage.sql("UPDATE runs SET status = 'running', cancel_mode = 'now' WHERE id = :r", r=run.id)
    acted, _ = await run.deliver(deed, message_id)
    assert acted.halted == "cancelled"
    assert (await message(stage, message_id)).delivery == Delivery.FAILED
    assert provider.calls == []


async def test_what_an_ended_item_has_prepared_is_withdrawn(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    assert (await transact(stage.sessions, lambda w: deliveries.withdraw_in(w, run.id, 1)))[0] == 1
    assert (await transact(stage.sessions, lambda w: deliveries.withdraw_in(w, run.id, 1)))[0] == 0
    assert (await message(stage, message_id)).delivery == Delivery.FAILED
    assert await effect(stage, deed) == "undone"


async def test_a_message_that_is_with_its_provider_leaves_its_item_in_doubt(stage: Stage, provider: Provider) -> None:
    run = RunAtHand(stage.sessions)
    _, message_id = await prepared(stage, run)
    doubtful = []
    for delivery in ("queued", "sending", "unknown", "sent", "failed"):
        await stage.sql("UPDATE messages SET delivery = :to WHERE id = :m", to=delivery, m=message_id)
        if (await transact(stage.sessions, lambda w: deliveries.is_in_doubt(w, run.id, 1)))[0]:
            doubtful.append(delivery)
    assert doubtful == ["sending", "unknown"]


async def test_turns_of_a_channels_account_and_of_a_run_lie_apart(stage: Stage, provider: Provider) -> None:
    await stage.sql("UPDATE channels SET rate = '10/s' WHERE key = :c", c=stage.channel)
    run = RunAtHand(stage.sessions)
    dialogs = [await stage.opened(f"client {i}") for i in range(6)]
    await run.begin(*dialogs, canonical={"mass": {"rate": {"generic": "5/s", "default": "1/h"}}})
    deeds = [run.deed("send_message", d, text="hello") for d in dialogs]
    ids = [(await run.prepare(d)).message_id for d in deeds]
    acted = await asyncio.gather(*(run.deliver(d, i) for d, i in zip(deeds, ids, strict=True)))  # type: ignore[arg-type]
    assert all(a.done for a, _ in acted)
    moments = sorted(c.at for c in provider.calls)
    assert moments[-1] - moments[0] >= 0.9
    assert len(provider.taken) == len(set(provider.taken)) == 6


async def test_a_turn_is_kept_over_attempts(stage: Stage, provider: Provider) -> None:
    await stage.sql("UPDATE channels SET rate = '1/m' WHERE key = :c", c=stage.channel)
    run = RunAtHand(stage.sessions)
    deed, first = await prepared(stage, run)
    assert (await run.deliver(deed, first))[0].done
    later = RunAtHand(stage.sessions)
    await later.begin(UUID(str(deed.dialog_id)))
    deed2 = later.deed("send_message", UUID(str(deed.dialog_id)), text="later")
    message_id = (await later.prepare(deed2)).message_id
    assert message_id is not None
    waits = []
    for _ in range(3):
        with pytest.raises(ApplicationError) as again:
            await later.deliver_once(deed2, message_id)
        assert again.value.next_retry_delay is not None
        waits.append(again.value.next_retry_delay.total_seconds())
    assert 55 < waits[2] < waits[1] < waits[0] <= 60


async def test_a_person_does_not_wait_behind_a_run_that_waits_for_its_turn(stage: Stage, provider: Provider) -> None:
    await stage.person("olha", online=True)
    run = RunAtHand(stage.sessions)
    deed, message_id = await prepared(stage, run)
    dialog = UUID(str(deed.dialog_id))
    answer = await stage.do("olha", dialog, Say("I am here"))
    later = run.deed("send_message", dialog, text="after the person")
    after = (await run.prepare(later)).message_id
    assert after is not None
    reply = UUID(answer["message_id"])
    claim = (await transact(stage.sessions, lambda w: messages.claim_delivery(w, reply)))[0]
    assert claim.state == "claimed"
    with pytest.raises(ApplicationError) as behind:
        await run.deliver_once(later, after)
    assert behind.value.type == "behind"
    assert (await run.deliver(deed, message_id))[0].done
