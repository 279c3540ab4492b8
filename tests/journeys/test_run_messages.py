"""What runs send and call on the real stack: a provider with moods, limits, switches; nobody is written to twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from domain.errors import ConfirmationNeededError, NothingToDoError
from store import run_commands, secrets
from store.secrets import Vault
from store.tables import Connection
from store.transactions import Actor, Work, transact
from store.viewers import get_viewer
from tests.journeys.test_runs import Runs
from tests.launching import items_of, rows, run_ended
from tests.outside import Outside, Said
from tests.providers import Reply
from tests.stack import Shop, eventually

SEND = """
mass: {{ concurrency: 10, rate: {{ default: {rate} }} }}
do:
  - id: send
    call: send_message
    with: {{ text: "hello {{{{ run.item_number }}}}" }}
    retry: {{ max_attempts: 3, initial: 1s, max: 1s, on: [rate_limited, unavailable] }}
"""


@pytest.fixture
async def runs(shop: Shop) -> Runs:
    return Runs(shop)


async def deliveries(runs: Runs, run_id: UUID) -> Counter[str]:
    found = await rows(runs.sessions, "SELECT delivery FROM messages WHERE run_id = :r", r=run_id)
    return Counter(r.delivery for r in found)


async def outcomes(runs: Runs, run_id: UUID) -> Counter[tuple[str, str | None, bool]]:
    return Counter((i.state, i.error_type, i.needs_attention) for i in await items_of(runs.sessions, run_id))


async def asking(runs: Runs) -> None:
    """The provider can be asked what became of a message."""
    await runs.shop.sql(
        "UPDATE channels SET settings = settings || '{\"ask\": true}' WHERE key = :c", c=runs.shop.channel
    )


async def retry(runs: Runs, run_id: UUID, **more: Any) -> UUID:
    async def story(work: Work) -> dict[str, Any]:
        viewer = await get_viewer(work.session, runs.boss)
        return await run_commands.retry(work, viewer, run_id, **more)

    answer, rings = await transact(runs.sessions, story, actor=Actor("user", runs.boss))
    runs.bell.ring(rings)
    return UUID(answer["run_id"])


async def test_a_moody_provider_gets_each_message_once(runs: Runs) -> None:
    await runs.open(5)
    await asking(runs)
    provider = runs.shop.provider
    provider.script = [
        Reply(429, takes=False, headers={"Retry-After": "1"}), Reply(500), Reply(0), Reply(500, takes=False),
        Reply(0, takes=False), Reply(503, takes=False),
    ]  # fmt: skip
    run_id, status = await runs.run(SEND.format(rate="50/s"))
    assert status == "succeeded"
    assert await outcomes(runs, run_id) == {("succeeded", None, False): 5}
    assert await deliveries(runs, run_id) == {"sent": 5}
    assert Counter(provider.taken).most_common(1)[0][1] == 1
    assert {c.text for c in provider.calls if c.id in provider.taken} == {f"hello {n}" for n in range(1, 6)}


async def test_doubts_need_attention_and_are_not_sent_again(runs: Runs) -> None:
    await runs.open(4)
    provider = runs.shop.provider
    provider.script = [Reply(500), Reply(0)]
    run_id, status = await runs.run(SEND.format(rate="50/s"))
    assert status == "partially_failed"
    assert await outcomes(runs, run_id) == {("succeeded", None, False): 2, ("failed", "unknown_effect", True): 2}
    assert await deliveries(runs, run_id) == {"sent": 2, "unknown": 2}
    assert max(Counter(c.id for c in provider.calls).values()) == 1
    with pytest.raises(NothingToDoError):
        await retry(runs, run_id)
    with pytest.raises(ConfirmationNeededError):
        await retry(runs, run_id, items="needs_attention")
    assert len(provider.calls) == 4
    again = await retry(runs, run_id, items="needs_attention", confirm=2)
    assert await run_ended(runs.sessions, again) == "succeeded"
    assert len(provider.calls) == 6


async def test_a_provider_that_was_away_is_written_to_by_the_run_that_resumes(runs: Runs) -> None:
    await runs.open(3)
    await runs.shop.provider.stop()
    run_id, status = await runs.run(SEND.format(rate="50/s"))
    assert status == "failed"
    assert await outcomes(runs, run_id) == {("failed", "unavailable", False): 3}
    assert await deliveries(runs, run_id) == {"failed": 3}
    await runs.shop.provider.start()
    again = await retry(runs, run_id)
    assert await run_ended(runs.sessions, again) == "succeeded"
    assert len(runs.shop.provider.calls) == len(set(runs.shop.provider.taken)) == 3


async def test_refusals_fail_their_items_only(runs: Runs) -> None:
    await runs.open(3)
    runs.shop.provider.script = [Reply(422, takes=False)]
    run_id, status = await runs.run(SEND.format(rate="50/s"))
    assert status == "partially_failed"
    assert await outcomes(runs, run_id) == {("succeeded", None, False): 2, ("failed", "channel_error", False): 1}


async def test_a_rate_is_kept(runs: Runs) -> None:
    await runs.open(5)
    run_id, status = await runs.run(SEND.format(rate="2/s"))
    assert status == "succeeded"
    moments = sorted(c.at for c in runs.shop.provider.calls)
    assert moments[-1] - moments[0] >= 1.9
    attempts = await rows(runs.sessions, "SELECT attempts FROM messages WHERE run_id = :r", r=run_id)
    assert {a.attempts for a in attempts} == {1}


async def test_the_kill_switch_stops_what_is_still_to_be_sent(runs: Runs) -> None:
    await runs.open(4)
    run_id = await runs.launch(await runs.publish(SEND.format(rate="10/m")))
    await eventually(lambda: deliveries(runs, run_id), lambda d: d["sent"] == 1 and d["queued"] == 3)
    await runs.shop.sql("UPDATE channels SET sending_stopped_at = now() WHERE key = :c", c=runs.shop.channel)
    assert await run_ended(runs.sessions, run_id) == "stopped"
    assert await outcomes(runs, run_id) == {("succeeded", None, False): 1, ("failed", "channel_error", False): 3}
    assert len(runs.shop.provider.calls) == 1


async def test_the_kill_switch_stops_the_run_and_nothing_more_begins(runs: Runs) -> None:
    await runs.open(4)
    await runs.shop.sql("UPDATE channels SET sending_stopped_at = now() WHERE key = :c", c=runs.shop.channel)
    run_id, status = await runs.run(SEND.format(rate="50/s").replace("concurrency: 10", "concurrency: 1"))
    assert status == "stopped"
    (run,) = await rows(runs.sessions, "SELECT reason FROM runs WHERE id = :r", r=run_id)
    assert run.reason == "kill_switch"
    assert await outcomes(runs, run_id) == {("failed", "channel_error", False): 1, ("cancelled", None, False): 3}
    assert runs.shop.provider.calls == []


async def test_what_waits_for_its_turn_is_withdrawn_when_the_run_is_cancelled(runs: Runs) -> None:
    await runs.open(4)
    run_id = await runs.launch(await runs.publish(SEND.format(rate="10/m")))
    await eventually(lambda: deliveries(runs, run_id), lambda d: d["sent"] == 1 and d["queued"] == 3)
    await runs.command("cancel", run_id, "now")
    assert await run_ended(runs.sessions, run_id) == "cancelled"
    assert await deliveries(runs, run_id) == {"sent": 1, "failed": 3}
    await asyncio.sleep(1)
    assert len(runs.shop.provider.calls) == 1


async def test_a_pause_holds_back_what_was_prepared(runs: Runs) -> None:
    await runs.open(3)
    run_id = await runs.launch(await runs.publish(SEND.format(rate="20/m")))
    await eventually(lambda: deliveries(runs, run_id), lambda d: d["sent"] == 1 and d["queued"] == 2)
    await runs.command("pause", run_id)
    await asyncio.sleep(7)
    assert len(runs.shop.provider.calls) == 1
    await runs.command("resume", run_id)
    assert await run_ended(runs.sessions, run_id) == "succeeded"
    assert len(runs.shop.provider.calls) == 3


# ---- calls outside -----------------------------------------------------------------------------------------------

DEPOSIT = """
do:
  - id: ask
    call: http
    with:
      connection: {bank}
      method: {method}
      path: /v2/clients/1/deposits/last
      expect: [200, 404]
      pick: {{ state: body.state }}
    timeout: 10s
    retry: {{ max_attempts: 3, initial: 1s, max: 1s, on: [timeout, unavailable, rate_limited] }}
message: "Deposit: {{{{ steps.ask.result.state }}}}"
"""


@pytest.fixture
async def bank(runs: Runs) -> AsyncIterator[tuple[Outside, str]]:
    made, key = await Outside().start(), runs.shop.key("bank")
    await transact(runs.sessions, lambda w: secrets.put(w, Vault(b""), key, "tok-7c1e", by=None))
    async with runs.sessions.begin() as session:
        session.add(
            Connection(
                key=key, name="Bank", base_url=made.url, internal=True, auth={"kind": "bearer", "secret": key},
                allow=[{"methods": ["GET", "POST"], "paths": ["/v2/clients/**"]}],
            )
        )  # fmt: skip
    yield made, key
    await made.stop()


async def test_a_macro_asks_the_bank_and_tells_the_answer(runs: Runs, bank: tuple[Outside, str]) -> None:
    outside, key = bank
    await runs.open()
    outside.script = [Said(500), Said(429, headers={"Retry-After": "1"}), Said(200, {"state": "active"})]
    run_id, _ = await runs.macro(DEPOSIT.format(bank=key, method="GET"))
    [item] = await items_of(runs.sessions, run_id)
    assert (item.state, item.message) == ("succeeded", "Deposit: active")
    assert [a.headers["authorization"] for a in outside.asked] == ["Bearer tok-7c1e"] * 3
    for table in ("effects", "run_steps", "run_items", "runs", "events"):
        found = await rows(runs.sessions, f"SELECT CAST(t AS text) AS line FROM {table} t")
        assert not any("tok-7c1e" in r.line for r in found), table


@pytest.mark.parametrize(
    ("method", "said", "error", "needs_attention", "calls"),
    [
        ("GET", Said(500), "unavailable", False, 3),
        ("GET", Said(403), "forbidden", False, 1),
        ("POST", Said(500), "unavailable", False, 1),
        ("POST", Said(0), "unknown_effect", True, 1),
    ],
)
async def test_a_bank_that_fails_fails_the_macro_with_a_reason_and_leaves_the_dialog_alone(
    runs: Runs, bank: tuple[Outside, str], method: str, said: Said, error: str, needs_attention: bool, calls: int
) -> None:
    outside, key = bank
    await runs.open()
    outside.usual = said
    before: Any = await runs.shop.dialog(runs.dialogs[0])
    run_id, _ = await runs.macro(DEPOSIT.format(bank=key, method=method))
    [item] = await items_of(runs.sessions, run_id)
    assert (item.state, item.error_type, item.needs_attention) == ("failed", error, needs_attention)
    assert item.error_message
    assert len(outside.asked) == calls
    assert await runs.shop.dialog(runs.dialogs[0]) == before
