"""Calls of a run's steps through the ledger: repeated where that is safe, never on a guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from temporalio.exceptions import ApplicationError

from activities.outside import OutsideCalls
from domain.actions.manifests import Retry
from domain.walks.ports import Deed, Done, StepError
from gateways.assistants import NotConfigured
from gateways.connections import HttpCaller
from store import outside, run_items, runs, secrets
from store.dry_walks import walk_dry
from store.secrets import Vault
from store.tables import Connection, Run
from store.transactions import transact
from tests.domain.walks.scenes import document
from tests.outside import Outside, Said
from tests.store.runs_at_hand import RunAtHand, unhurried
from tests.store.stage import Stage

VAULT = Vault(b"a secret key of the tests")
RETRY = Retry(max_attempts=3, initial=0.05, longest=0.1, on=frozenset({"unavailable", "timeout", "rate_limited"}))


@dataclass
class Bank:
    """A connection to a system outside, and a run that calls it."""

    stage: Stage
    run: RunAtHand
    outside: Outside
    key: str
    calls: OutsideCalls

    def deed(self, method: str = "GET", key: str | None = None, *, retry: Retry = RETRY, **params: Any) -> Deed:
        given = {"connection": self.key, "method": method, "path": "/v2/x", "pick": {"state": "body.state"}, **params}
        return self.run.deed("http", None, key=key, retry=retry, **given)

    async def call_once(self, deed: Deed, seconds: float = 60, run: RunAtHand | None = None) -> Done:
        at_hand = run or self.run
        async with self.stage.sessions() as session:
            row = await session.get_one(Run, at_hand.id)
        return await unhurried(seconds).run(self.calls.http, row, at_hand.bearings(None), deed)

    async def call(
        self, deed: Deed, seconds: float = 60, run: RunAtHand | None = None
    ) -> tuple[Done | StepError, list[str]]:
        """As Temporal would: again when told to."""
        why: list[str] = []
        while True:
            try:
                return await self.call_once(deed, seconds, run), why
            except StepError as error:
                return error, why
            except ApplicationError as error:
                why.append(str(error.type))
                delay = error.next_retry_delay
            await asyncio.sleep(delay.total_seconds() if delay else 0.1)

    async def effect(self, deed: Deed) -> Any:
        return await self.stage.row("SELECT * FROM effects WHERE key = :k", k=deed.key)


@pytest.fixture
async def bank(stage: Stage) -> AsyncIterator[Bank]:
    made = await Outside().start()
    run = await RunAtHand(stage.sessions).begin()
    key = stage.key("bank")
    async with stage.sessions.begin() as session:
        session.add(
            Connection(
                key=key, name="Bank", base_url=made.url, internal=True, safe_get=True, redact=["Card"],
                auth={"kind": "bearer", "secret": key}, timeout=2,
                allow=[{"methods": ["GET", "POST"], "paths": ["/v2/**"]}],
            )
        )  # fmt: skip
    await transact(stage.sessions, lambda w: secrets.put(w, VAULT, key, "tok-9f", by=None))
    yield Bank(stage, run, made, key, OutsideCalls(stage.sessions, HttpCaller(), VAULT, NotConfigured()))
    await made.stop()


async def test_a_call_answers_what_was_picked_and_is_made_once(bank: Bank) -> None:
    bank.outside.usual = Said(200, {"state": "open", "card": "4111"})
    deed = bank.deed(pick={"state": "body.state", "card": "body.card"})
    done, why = await bank.call(deed)
    assert isinstance(done, Done)
    assert (done.result, done.attempts, why) == ({"state": "open", "card": "•••", "status": 200}, 1, [])
    assert bank.outside.asked[0].headers["authorization"] == "Bearer tok-9f"
    again, _ = await bank.call(deed)
    assert isinstance(again, Done)
    assert again.result == done.result
    assert len(bank.outside.asked) == 1
    rows = await bank.stage.sql("SELECT CAST(e AS text) AS line FROM effects e")
    assert not any("tok-9f" in r.line for r in rows)


async def test_a_reading_call_is_repeated_as_often_as_the_step_says(bank: Bank) -> None:
    bank.outside.script = [Said(500), Said(0), Said(200, {"state": "open"})]
    done, why = await bank.call(bank.deed())
    assert isinstance(done, Done)
    assert (done.attempts, why) == (3, ["unavailable", "unavailable"])
    bank.outside.usual = Said(503)
    error, why = await bank.call(bank.deed())
    assert isinstance(error, StepError)
    assert (error.type, error.attempts, len(why)) == ("unavailable", 3, 2)
    assert "503" in error.message


@pytest.mark.parametrize("said", [Said(500), Said(503), Said(400)])
async def test_a_writing_call_is_attempted_once(bank: Bank, said: Said) -> None:
    bank.outside.usual = said
    error, why = await bank.call(bank.deed("POST"))
    assert isinstance(error, StepError)
    assert (error.attempts, error.needs_attention, why) == (1, False, [])
    assert len(bank.outside.asked) == 1


async def test_a_writing_call_whose_answer_is_lost_is_never_repeated(bank: Bank) -> None:
    bank.outside.script = [Said(0)]
    deed = bank.deed("POST")
    for _ in range(2):
        error, why = await bank.call(deed)
        assert isinstance(error, StepError)
        assert (error.type, error.needs_attention, why) == ("unknown_effect", True, [])
    assert len(bank.outside.asked) == 1
    assert (await bank.effect(deed)).status == "unknown"


async def test_a_writing_call_that_the_far_end_tells_apart_may_be_repeated(bank: Bank) -> None:
    bank.outside.script = [Said(0), Said(200, {"state": "made"})]
    deed = bank.deed("POST", idempotent=True)
    done, _ = await bank.call(deed)
    assert isinstance(done, Done)
    assert [a.headers["idempotency-key"] for a in bank.outside.asked] == [deed.key] * 2


async def test_a_worker_that_died_in_a_writing_call_leaves_a_doubt_and_in_a_reading_one_none(bank: Bank) -> None:
    for method, is_repeatable in (("POST", False), ("GET", True)):
        deed = bank.deed(method)
        await transact(
            bank.stage.sessions,
            lambda w, d=deed, r=is_repeatable: outside.begin(w, bank.run.id, 1, d, is_repeatable=r),
        )
        done, _ = await bank.call(deed)
        if is_repeatable:
            assert isinstance(done, Done)
            assert done.attempts == 2
        else:
            assert isinstance(done, StepError)
            assert (done.type, done.needs_attention) == ("unknown_effect", True)
    assert [a.method for a in bank.outside.asked] == ["GET"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_limit_is_waited_for_and_is_no_attempt(bank: Bank, method: str) -> None:
    bank.outside.script = [Said(429, headers={"Retry-After": "1"}), Said(429)]
    done, why = await bank.call(bank.deed(method))
    assert isinstance(done, Done)
    assert (done.attempts, why) == (1, ["rate_limited"] * 2)


async def test_the_steps_time_ends_slow_calls(bank: Bank) -> None:
    bank.outside.usual = Said(hangs=True)
    error, _ = await bank.call(bank.deed(), seconds=1)
    assert isinstance(error, StepError)
    assert error.type == "timeout"
    error, _ = await bank.call(bank.deed(retry=replace(RETRY, max_attempts=1)), seconds=60)
    assert isinstance(error, StepError)
    assert error.type == "timeout"


async def test_what_the_connection_does_not_allow_is_not_called(bank: Bank) -> None:
    for params, type in (
        ({"path": "/v3/x"}, "forbidden"),
        ({"method": "DELETE"}, "forbidden"),
        ({"path": "/v2/../admin"}, "invalid"),
        ({"connection": "none"}, "not_found"),
        ({"headers": {"Host": "x"}}, "invalid"),
        ({"pick": {"x": "nothing"}}, "invalid"),
        ({"unknown": 1}, "invalid"),
    ):
        error, _ = await bank.call(bank.deed(**{"method": "GET", **params}))
        assert isinstance(error, StepError)
        assert error.type == type, params
    await bank.stage.sql("UPDATE connections SET active = false WHERE key = :k", k=bank.key)
    error, _ = await bank.call(bank.deed())
    assert isinstance(error, StepError)
    assert error.type == "not_found"
    assert bank.outside.asked == []


async def test_a_secret_that_cannot_be_opened_is_said_and_nothing_is_sent(bank: Bank) -> None:
    bank.calls = OutsideCalls(bank.stage.sessions, HttpCaller(), Vault(b"another key altogether"), NotConfigured())
    error, _ = await bank.call(bank.deed())
    assert isinstance(error, StepError)
    assert (error.type, bank.outside.asked) == ("invalid", [])


async def test_a_run_that_resumes_another_is_answered_from_its_ledger_and_counts_its_own_attempts(bank: Bank) -> None:
    done_deed, failed_deed = bank.deed("POST", "do/done"), bank.deed("GET", "do/failed")
    assert isinstance((await bank.call(done_deed))[0], Done)
    bank.outside.usual = Said(500)
    assert isinstance((await bank.call(failed_deed))[0], StepError)
    bank.outside.usual = Said(200, {"state": "open"})
    bank.outside.script = [Said(500)]
    later = await RunAtHand(bank.stage.sessions).begin()
    before = len(bank.outside.asked)
    assert isinstance((await bank.call(done_deed, run=later))[0], Done)
    assert len(bank.outside.asked) == before
    done, why = await bank.call(failed_deed, run=later)
    assert isinstance(done, Done)
    assert (done.attempts, why) == (2, ["unavailable"])


async def test_a_dry_run_calls_only_what_is_marked_safe(bank: Bank) -> None:
    async with bank.stage.sessions() as session:
        row = await session.get_one(Run, bank.run.id)
    seen = await bank.calls.ask_dry(row, bank.deed())
    assert seen is not None
    assert seen.result == {"state": "open", "status": 200}
    assert await bank.calls.ask_dry(row, bank.deed("POST")) is None
    assert await bank.calls.ask_dry(row, bank.run.deed("ask_ai", None, task="summarize")) is None
    await bank.stage.sql("UPDATE connections SET safe_get = false WHERE key = :k", k=bank.key)
    assert await bank.calls.ask_dry(row, bank.deed()) is None
    assert [a.method for a in bank.outside.asked] == ["GET"]


async def test_a_run_of_the_systems_own_calls_what_its_version_was_granted(bank: Bank) -> None:
    await bank.stage.sql("UPDATE runs SET granted = '{http:other}' WHERE id = :r", r=bank.run.id)
    error, _ = await bank.call(bank.deed())
    assert isinstance(error, StepError)
    assert error.type == "forbidden"


async def test_an_assistant_that_is_not_there_says_so(bank: Bank) -> None:
    dialog: UUID = await bank.stage.opened("olena", text="Де мій депозит?")
    deed = bank.run.deed("ask_ai", dialog, task="summarize")
    async with bank.stage.sessions() as session:
        row = await session.get_one(Run, bank.run.id)
    with pytest.raises(StepError) as error:
        await unhurried(60).run(bank.calls.ask_ai, row, bank.run.bearings(None), deed)
    assert error.value.type == "invalid"
    assert "not configured" in error.value.message


async def test_an_assistants_answer_is_kept_under_the_steps_key(bank: Bank) -> None:
    asked: list[str] = []

    class Echo:
        async def ask(self, question: Any) -> dict[str, Any]:
            asked.append(question.text)
            return {"text": "done\x00"}

    bank.calls = OutsideCalls(bank.stage.sessions, HttpCaller(), VAULT, Echo())
    dialog: UUID = await bank.stage.opened("ivan", text="Де мій депозит?")
    deed = bank.run.deed("ask_ai", dialog, task="summarize")
    async with bank.stage.sessions() as session:
        row = await session.get_one(Run, bank.run.id)
    for _ in range(2):
        done = await unhurried(60).run(bank.calls.ask_ai, row, bank.run.bearings(None), deed)
        assert done.result == {"text": "done\ufffd"}
    assert asked == ["client: Де мій депозит?"]


async def test_what_the_connection_hides_stands_in_no_trace_of_a_call(bank: Bank, stage: Stage) -> None:
    call = {"connection": bank.key, "method": "GET", "path": "/v2/x", "query": {"card": "4111", "page": "2"}}
    canonical = document([{"id": "ask", "call": "http", "with": call}])
    run = await RunAtHand(stage.sessions).begin(await stage.opened("+1"), canonical=canonical, is_dry=True)
    async with stage.sessions() as session:
        row = await session.get_one(Run, run.id)
        before = await runs.phase_brief(session, run.id, "before")
    (brief, _) = await transact(stage.sessions, lambda w: run_items.begin(w, run.id, 1))
    _, records = await walk_dry(stage.sessions, row, 1, bank.calls.ask_dry)
    assert brief is not None
    assert before.redact == brief.redact == {bank.key: ["card"]}
    assert records[-1].inputs["query"] == {"card": "•••", "page": "2"}
