"""Numbered events to those who listen and to what they start, once each (PROCESS_LANGUAGE 7, 9.11, 9.15; P182, P197,
P198, P199).
"""

from __future__ import annotations

import asyncio
from secrets import token_urlsafe
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.events import Fact
from domain.launches import LaunchOrder, Selected
from store import launches
from store.matching import match_next
from store.tables import Subscription, Trigger
from store.transactions import transact
from tests.launching import publish

NOTING = """
dsl: 1
kind: process
name: {name}
title: Noting
target: dialog
mode: parallel
triggers:
  - event: {event}
{more}
permissions: {{ launch: {{ roles: [admin, system] }} }}
inputs:
  word: {{ label: Word, type: string }}
do:
  - id: note
    call: add_note
    with: {{ text: "noted" }}
"""


async def drain(sessions) -> int:
    taken = 0
    while True:
        count, _ = await match_next(sessions)
        taken += count
        if not count:
            return taken


@pytest.fixture
async def triggering(stage):
    """`await triggering(name, event, **body)`: one active, with a trigger; what came before is over."""
    await drain(stage.sessions)

    async def make(name: str, event: str, **body) -> str:
        lines = "\n".join(f"    {k.rstrip('_')}: {v}" for k, v in body.items())
        key = await publish(stage.sessions, NOTING.format(name=name, event=event, more=lines))
        version = (await stage.sql("SELECT canonical FROM definition_versions WHERE definition_key = :k", k=key))[0][0]
        async with stage.sessions.begin() as session:
            trigger = version["triggers"][0]
            session.add(
                Trigger(definition_key=key, position=0, version=1, kind="event", match=trigger["event"], body=trigger)
            )
        return key

    yield make
    async with stage.sessions.begin() as session:
        await session.execute(text("DELETE FROM triggers"))


async def runs_of(stage, key: str) -> list:
    return await stage.sql(
        "SELECT id, trigger, cause, total, status FROM runs WHERE definition_key = :k ORDER BY number", k=key
    )


async def test_an_event_starts_what_it_triggers_once(stage, triggering):
    key = await triggering("on-open", "dialog.opened")
    receipt = await stage.write("c1")
    await asyncio.gather(*(drain(stage.sessions) for _ in range(4)))
    found = await runs_of(stage, key)
    assert [(r.trigger["event"], r.trigger["dialog_id"], r.total) for r in found] == [
        ("dialog.opened", str(receipt.dialog_id), 1)
    ]
    item = await stage.sql("SELECT dialog_id FROM run_items WHERE run_id = :r", r=found[0].id)
    assert item[0].dialog_id == receipt.dialog_id


async def test_events_before_the_reader_began_and_other_events_start_nothing(stage, triggering):
    await stage.write("c2")
    await drain(stage.sessions)
    key = await triggering("on-open-2", "dialog.opened")
    await stage.write("c2")
    await drain(stage.sessions)
    assert await runs_of(stage, key) == []


@pytest.mark.parametrize(("condition", "runs"), [("trigger.kind == 'chat'", 1), ("trigger.kind == 'ticket'", 0)])
async def test_a_condition_decides(stage, triggering, condition, runs):
    key = await triggering(f"cond-{runs}", "dialog.opened", if_=condition)
    await stage.write(f"c3-{runs}")
    await drain(stage.sessions)
    assert len(await runs_of(stage, key)) == runs


async def test_a_condition_that_cannot_be_told_starts_nothing_and_holds_nobody_up(stage, triggering):
    key = await triggering("broken", "dialog.opened", if_="trigger.nothing.at_all > 3")
    other = await triggering("fine", "dialog.opened")
    await stage.write("c4")
    await drain(stage.sessions)
    assert (len(await runs_of(stage, key)), len(await runs_of(stage, other))) == (0, 1)


async def test_once_per_lets_the_first_of_its_time_through(stage, triggering):
    key = await triggering("once", "message.received", once_per="1h", once_key='"{{ contact.id }}"')
    for number in range(3):
        await stage.write("c5", external_id=f"once-{number}")
    await stage.write("c6", external_id="once-other")
    await drain(stage.sessions)
    assert len(await runs_of(stage, key)) == 2
    async with stage.sessions.begin() as session:
        await session.execute(text("UPDATE trigger_marks SET until = now() - interval '1 s' WHERE kind = 'once'"))
    await stage.write("c5", external_id="once-again")
    await drain(stage.sessions)
    assert len(await runs_of(stage, key)) == 3


async def test_a_key_longer_than_an_index_takes_stops_nothing(stage, triggering):
    long = "".join(token_urlsafe(3) for _ in range(900))
    key = await triggering("long-key", "message.received", once_per="1h", once_key=f'"{long} {{{{ contact.id }}}}"')
    for number in range(2):
        await stage.write("c5-long", external_id=f"long-{number}")
    await drain(stage.sessions)
    assert len(await runs_of(stage, key)) == 1


async def test_inputs_of_a_trigger_are_rendered_and_a_refused_launch_is_not_tried_again(stage, triggering):
    key = await triggering("with-inputs", "dialog.opened", inputs='{ word: "{{ trigger.kind }}" }')
    bad = await triggering("bad-inputs", "dialog.opened", inputs="{ word: [1, 2] }")
    await stage.write("c7")
    await drain(stage.sessions)
    assert len(await runs_of(stage, key)) == 1
    assert await runs_of(stage, bad) == []
    marks = await stage.sql("SELECT run_id FROM trigger_marks WHERE definition_key = :k", k=bad)
    assert [m.run_id for m in marks] == [None]


async def test_what_a_process_did_does_not_start_it_again_nor_a_chain_without_end(stage, triggering):
    first = await triggering("chain-1", "note.added")
    receipt = await stage.write("c8")
    order = LaunchOrder(kind="process", key=first, selected=Selected(ids=(receipt.dialog_id,)))
    told, _ = await transact(stage.sessions, lambda work: launches.launch(work, order))
    run_id = UUID(told["run_id"])

    async def note(work):
        await work.read_clock()
        work.run_id = run_id
        work.record(Fact.NOTE_ADDED, dialog_id=receipt.dialog_id)

    await transact(stage.sessions, note)
    second = await triggering("chain-2", "note.added")
    await drain(stage.sessions)
    assert len(await runs_of(stage, first)) == 1
    (started,) = await runs_of(stage, second)
    assert started.cause == [run_id]


async def test_an_inactive_definition_starts_nothing(stage, triggering):
    key = await triggering("asleep", "dialog.opened")
    async with stage.sessions.begin() as session:
        await session.execute(text("UPDATE definitions SET active_version = NULL WHERE key = :k"), {"k": key})
    await stage.write("c9")
    await drain(stage.sessions)
    assert await runs_of(stage, key) == []


async def test_listeners_are_told_with_the_words_and_only_of_their_dialog(stage, triggering):
    key = await triggering("listening", "custom.never")
    mine, other = await stage.write("c10"), await stage.write("c11")
    order = LaunchOrder(kind="process", key=key, selected=Selected(ids=(mine.dialog_id,)))
    told, _ = await transact(stage.sessions, lambda work: launches.launch(work, order))
    await drain(stage.sessions)
    async with stage.sessions.begin() as session:
        session.add(
            Subscription(
                workflow_id=f"process:{told['run_id']}:1", run_id=UUID(told["run_id"]), seq=1,
                dialog_id=mine.dialog_id, kinds=["message.received", "dialog.closed"],
            )
        )  # fmt: skip
    await stage.write("c10", external_id="said-1", text="Так, дякую")
    await stage.write("c11", external_id="said-2", text="Ні")
    await drain(stage.sessions)
    rows = await stage.sql(
        "SELECT payload FROM reactions WHERE workflow_id = :w AND kind = 'event' ORDER BY id",
        w=f"process:{told['run_id']}:1",
    )
    assert [(r.payload["event"], r.payload["payload"]["text"]) for r in rows] == [("message.received", "Так, дякую")]
    assert rows[0].payload["payload"]["dialog_id"] == str(mine.dialog_id) != str(other.dialog_id)


async def test_a_channels_scenario_takes_the_dialog_before_people_do(stage, triggering):
    key = await triggering("scenario", "custom.never")
    await stage.person("olha", "support", online=True)
    async with stage.sessions.begin() as session:
        await session.execute(
            text("UPDATE channels SET bot_process = :p WHERE key = :c"), {"p": key, "c": stage.channel}
        )
    receipt = await stage.write("c12", text="Добрий день")
    (dialog,) = await stage.sql("SELECT place, bot_run, operator_id FROM dialogs WHERE id = :d", d=receipt.dialog_id)
    (run,) = await runs_of(stage, key)
    assert (dialog.place, dialog.bot_run, dialog.operator_id) == ("bot", run.id, None)
    assert run.trigger["text"] == "Добрий день"


async def test_people_take_the_dialog_when_the_scenario_may_not_start(stage):
    await stage.person("olha", "support", online=True)
    async with stage.sessions.begin() as session:
        await session.execute(text("UPDATE channels SET bot_process = 'no-such' WHERE key = :c"), {"c": stage.channel})
    receipt = await stage.write("c13")
    (dialog,) = await stage.sql("SELECT place FROM dialogs WHERE id = :d", d=receipt.dialog_id)
    assert dialog.place == "owned"
    assert await stage.sql("SELECT 1 FROM runs WHERE definition_key = 'no-such'") == []
