"""A dialog going on: commands, closing and what may come too late for it, children, fresh runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain import workflow_ids
from domain.commands import Accept, Close, DialogStart, OfferSeen, Outcome, Reopen, Request, Say, TransferStart
from tests.workflows.conftest import House, is_running, request, say, tell, until
from workflows import options

pytestmark = pytest.mark.timeout(100)


async def begin(env: WorkflowEnvironment) -> WorkflowHandle:
    dialog_id = uuid4()
    return await env.client.start_workflow(
        "DialogWorkflow", DialogStart(dialog_id), id=workflow_ids.of_dialog(dialog_id),
        task_queue=options.INTERACTIVE, start_signal="ring", task_timeout=options.TASK_TIMEOUT,
    )  # fmt: skip


async def test_a_closed_dialog_lingers_and_then_ends(env: WorkflowEnvironment, house: House) -> None:
    handle = await begin(env)
    assert (await tell(handle, Close())).answer["did"] == "close"
    await env.sleep(1)
    assert await is_running(handle)
    await handle.result()


async def test_reopening_by_a_command_within_the_linger_keeps_the_run(env: WorkflowEnvironment, house: House) -> None:
    handle = await begin(env)
    await tell(handle, Close())
    await env.sleep(1)
    await tell(handle, Reopen())
    await env.sleep(30)
    assert await is_running(handle)
    await tell(handle, Close())
    await handle.result()
    assert len(house.runs) == 1


async def test_reopening_by_the_client_within_the_linger_keeps_the_run(env: WorkflowEnvironment, house: House) -> None:
    handle = await begin(env)
    await tell(handle, Close())
    await env.sleep(1)
    house.react("dialog_reopened")
    await handle.signal("ring")
    await env.sleep(30)
    assert await is_running(handle)
    assert len(house.runs) == 1


async def test_a_command_on_a_closed_dialog_prolongs_its_linger(env: WorkflowEnvironment, house: House) -> None:
    handle = await begin(env)
    await tell(handle, Close())
    await env.sleep(1.5)
    await tell(handle, Say("one more note", "note"))
    await env.sleep(1.5)
    assert await is_running(handle)
    await handle.result()


async def test_a_run_begun_for_a_closed_dialog_does_its_command_and_ends(
    env: WorkflowEnvironment, house: House
) -> None:
    house.is_closed = True
    handle = await begin(env)
    assert (await tell(handle, Say("a note", "note"))).status == 200
    await handle.result()


async def test_it_does_not_end_while_a_command_is_under_way(env: WorkflowEnvironment, house: House) -> None:
    go_on = asyncio.Event()

    async def slowly(asked: Request) -> Outcome:
        if asked.command.kind == "close":
            house.react("dialog_closed")
        else:
            await go_on.wait()
        return Outcome(200, {"did": asked.command.kind}, None, house.pull())

    house.on_apply = slowly
    handle = await begin(env)
    slow = asyncio.create_task(tell(handle, Say("slow", "note")))
    await until(lambda: len(house.applied) == 1)
    await tell(handle, Close())
    await asyncio.sleep(0.2)
    await env.sleep(3)
    assert await is_running(handle)
    go_on.set()
    assert (await slow).answer == {"did": "say"}
    await handle.result()


async def test_a_closing_whose_telling_was_lost_is_found_by_looking(env: WorkflowEnvironment, house: House) -> None:
    """Its first answer, with its reactions, died with a worker; the key's second answer brings none."""
    house.is_closed = True

    async def repeat(_: Request) -> Outcome:
        return Outcome(200, {"status": "closed"}, is_repeated=True)

    house.on_apply = repeat
    handle = await begin(env)
    await tell(handle, Close())
    await handle.result()


async def test_a_look_that_began_before_the_closing_does_not_undo_it(env: WorkflowEnvironment, house: House) -> None:
    look, passed = asyncio.Event(), asyncio.Event()
    passed.set()
    house.on_look = passed.wait
    handle = await begin(env)
    await tell(handle, Say("hello"))
    passed.clear()

    async def tell_that_it_looks() -> None:
        look.set()
        await passed.wait()

    house.on_look = tell_that_it_looks
    await handle.signal("ring")
    await look.wait()
    await tell(handle, Close())
    passed.set()
    await handle.result()


async def test_a_refusal_fails_the_update_and_nothing_else(env: WorkflowEnvironment, house: House) -> None:
    async def refuse(_: Request) -> Outcome:
        return Outcome(0, {"detail": "It is closed.", "extra": {"status": "closed"}}, "dialog_closed")

    house.on_apply = refuse
    handle = await begin(env)
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await tell(handle, Say("hello"))
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message, cause.details[0]) == ("dialog_closed", "It is closed.", {"status": "closed"})
    house.on_apply = None
    assert (await tell(handle, Say("hello"))).answer["did"] == "say"


async def test_what_is_no_command_never_enters_the_history(env: WorkflowEnvironment, house: House) -> None:
    handle = await begin(env)
    await until(lambda: house.looks == 1)
    for name, args in (
        ("explode", [request(Say("hello"), uuid4())]),
        ("accept", [request(Accept(), uuid4())]),
        ("say", []),
        ("say", [request(Say("hello"), uuid4()), 2]),
        ("say", [{"command": {"kind": "say"}}]),
        ("say", [None]),
        ("close", [request(Say("hello"), uuid4())]),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(name, args=args)
        assert getattr(failed.value.cause, "type", None) == "invalid"
    assert house.applied == []
    kinds = {e.event_type async for e in handle.fetch_history_events()}
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED not in kinds


async def test_a_command_that_cannot_be_carried_out_is_given_up_as_expired(
    env: WorkflowEnvironment, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert options.TRANSACTION["schedule_to_close_timeout"] == timedelta(minutes=10)
    monkeypatch.setitem(options.TRANSACTION, "schedule_to_close_timeout", timedelta(seconds=1))

    async def break_down(_: Request) -> Outcome:
        raise RuntimeError("a defect")

    house.on_apply = break_down
    handle = await begin(env)
    asked = request(Say("hello"), UUID(handle.id.split(":")[1]))
    update = await handle.start_update("say", asked, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await update.result()
    assert getattr(failed.value.cause, "type", None) == "command_expired"
    assert len(house.applied) > 1
    assert await is_running(handle)


async def test_an_offer_s_window_outlives_the_dialog_s_run(env: WorkflowEnvironment, house: House) -> None:
    house.offers = [OfferSeen("pending", 120), OfferSeen("expired", 0)]
    handle = await begin(env)
    transfer_id = uuid4()
    house.react("transfer_offered", transfer_id=str(transfer_id))
    await tell(handle, Say("over to you"))
    child = env.client.get_workflow_handle(workflow_ids.of_transfer(transfer_id), result_type=str)
    house.open.clear()
    await tell(handle, Close())
    await handle.result()
    assert await is_running(child)
    assert await child.result() == "expired"


async def test_an_offer_whose_window_runs_or_is_over_is_no_trouble(env: WorkflowEnvironment, house: House) -> None:
    """Its first answer began the workflow, or a look found the row again after a fresh run."""
    house.offers = [OfferSeen("pending", 120)]
    start = TransferStart(uuid4(), uuid4())
    running = await env.client.start_workflow(
        "TransferWorkflow", start, id=workflow_ids.of_transfer(start.transfer_id), task_queue=options.INTERACTIVE
    )
    await until(lambda: house.looks == 1)
    house.offers = [OfferSeen("accepted", 0)]
    over = TransferStart(uuid4(), uuid4())
    ended = await env.client.start_workflow(
        "TransferWorkflow", over, id=workflow_ids.of_transfer(over.transfer_id), task_queue=options.INTERACTIVE
    )
    with env.auto_time_skipping_disabled():
        await ended.result()
    for transfer in (start, over):
        house.react("transfer_offered", transfer_id=str(transfer.transfer_id))
    handle = await begin(env)
    await tell(handle, Say("hello"))
    house.open.clear()
    await tell(handle, Close())
    await handle.result()
    assert (await ended.describe()).run_id == ended.result_run_id
    assert await is_running(running)


async def test_a_long_dialog_continues_as_new_and_answers_everybody(
    env: WorkflowEnvironment, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another: many at once, on a real server, are tests/journeys/test_commands.py."""
    monkeypatch.setattr(options, "RENEW_AT", 100)
    handle = await begin(env)
    said = 0
    while len(house.runs) <= 1 and said < 100:
        (outcome,) = await say(handle, 1, start=said)
        assert outcome.answer["key"] == f"say-{said}"
        said += 1
    assert len(house.runs) == 2
    assert house.applied == [f"say-{n}" for n in range(said)]
    first = env.client.get_workflow_handle(handle.id, run_id=house.runs[0])
    described = await first.describe()
    assert described.status == WorkflowExecutionStatus.CONTINUED_AS_NEW
    assert described.history_length >= 100


async def test_closing_just_before_a_fresh_run_is_not_forgotten(
    env: WorkflowEnvironment, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "RENEW_AT", 30)
    handle = await begin(env)
    await say(handle, 3)
    await tell(handle, Close())
    await handle.result()
    assert not await is_running(handle)
