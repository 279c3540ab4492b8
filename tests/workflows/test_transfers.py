"""The window of an offer: its row decides, the workflow only waits and asks."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain import workflow_ids
from domain.commands import Accept, Cancel, Close, Decline, OfferSeen, Outcome, TransferStart
from tests.workflows.conftest import House, is_running, request, tell, until
from workflows import options

PENDING = OfferSeen("pending", 120)
pytestmark = pytest.mark.timeout(60)


async def begin(env: WorkflowEnvironment, **more: object) -> WorkflowHandle:
    start = TransferStart(uuid4(), uuid4())
    return await env.client.start_workflow(
        "TransferWorkflow", start, id=workflow_ids.of_transfer(start.transfer_id), task_queue=options.INTERACTIVE,
        result_type=str, **more,
    )  # fmt: skip


async def test_an_offer_nobody_answers_expires_at_its_deadline(env: WorkflowEnvironment, house: House) -> None:
    house.offers = [PENDING, OfferSeen("expired", 0)]
    before = await env.get_current_time()
    handle = await begin(env)
    assert await handle.result() == "expired"
    assert (await env.get_current_time()) - before >= timedelta(seconds=120)
    assert house.looks == 2


async def test_a_wake_before_the_database_s_deadline_waits_again(env: WorkflowEnvironment, house: House) -> None:
    house.offers = [PENDING, OfferSeen("pending", 0.8), OfferSeen("pending", 0.001), OfferSeen("expired", 0)]
    handle = await begin(env)
    assert await handle.result() == "expired"
    assert house.looks == 4


async def test_a_ring_before_the_deadline_changes_nothing(env: WorkflowEnvironment, house: House) -> None:
    house.offers = [PENDING]
    handle = await begin(env)
    await until(lambda: house.looks == 1)
    await handle.signal("ring")
    await until(lambda: house.looks == 2)
    await env.sleep(60)
    assert house.looks == 2
    assert await is_running(handle)


async def test_a_rescinded_offer_ends_when_rung(env: WorkflowEnvironment, house: House) -> None:
    house.offers = [PENDING]
    handle = await begin(env)
    await until(lambda: house.looks == 1)
    house.offers = [OfferSeen("rescinded", 0)]
    await handle.signal("ring")
    with env.auto_time_skipping_disabled():
        assert await handle.result() == "rescinded"


async def test_an_offer_over_before_it_is_looked_at_ends_at_once(env: WorkflowEnvironment, house: House) -> None:
    house.offers = [OfferSeen("unknown", 0)]
    handle = await begin(env, start_signal="ring")
    assert await handle.result() == "unknown"


@pytest.mark.parametrize(
    ("command", "state"), [(Accept(), "accepted"), (Decline("busy"), "declined"), (Cancel(), "cancelled")]
)
async def test_an_answer_ends_the_offer(
    env: WorkflowEnvironment, house: House, command: Accept | Decline | Cancel, state: str
) -> None:
    house.offers = [PENDING, OfferSeen(state, 0)]
    handle = await begin(env)
    outcome = await tell(handle, command, key="once")
    assert outcome.answer == {"did": command.kind, "key": "once"}
    with env.auto_time_skipping_disabled():
        assert await handle.result() == state


async def test_a_refusal_is_typed_carries_its_facts_and_leaves_the_offer_as_it_is(
    env: WorkflowEnvironment, house: House
) -> None:
    async def refuse(_: object) -> Outcome:
        return Outcome(0, {"detail": "This offer is for somebody else.", "extra": {"state": "pending"}}, "forbidden")

    house.offers, house.on_apply = [PENDING], refuse
    handle = await begin(env)
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await tell(handle, Accept())
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message, cause.non_retryable) == ("forbidden", "This offer is for somebody else.", True)
    assert cause.details[0] == {"state": "pending"}
    assert await is_running(handle)


async def test_what_is_no_answer_to_an_offer_never_enters_its_history(env: WorkflowEnvironment, house: House) -> None:
    house.offers = [PENDING]
    handle = await begin(env)
    await until(lambda: house.looks == 1)
    for name, args in (
        ("close", [request(Close(), uuid4())]),
        ("accept", []),
        ("accept", [request(Accept(), uuid4()), 1]),
        ("accept", [request(Decline(), uuid4())]),
        ("accept", [{"command": {"kind": "accept"}}]),
        ("accept", ["accept"]),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(name, args=args)
        assert getattr(failed.value.cause, "type", None) == "invalid"
    assert house.applied == []
    kinds = {e.event_type async for e in handle.fetch_history_events()}
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED not in kinds
