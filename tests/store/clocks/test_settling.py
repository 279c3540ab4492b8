"""Deadlines that come before anybody does something: each told once, dated at its own moment."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from domain.commands import Close, Convert, Say, SetStatus, Transfer
from store.clocks import pendings
from store.transactions import transact
from tests.store.clocks.promises import TFR, TTC, age, burst, clocks, ledger, look, promised, sla_events
from tests.store.ticketing import facts


async def test_a_look_warns_and_breaches_each_at_its_own_moment_and_once(stage):
    dialog = await stage.opened("c1", topic=await promised(stage, TFR))
    await age(stage, dialog, 800)
    (before,) = await clocks(stage, dialog)
    seen = await look(stage, dialog)
    events = await sla_events(stage, dialog)
    assert [(e.kind, e.data["percent"], e.at) for e in events] == [
        ("sla.warned", 50, before.started_at + timedelta(seconds=450)),
        ("sla.warned", 80, before.started_at + timedelta(seconds=720)),
    ]
    assert seen.next_at == before.due_at
    assert (events[0].actor_kind, events[0].run_id, events[0].data["target"]) == ("system", None, 900)
    await age(stage, dialog, 200)
    for _ in range(3):
        seen = await look(stage, dialog)
    assert seen.next_at is None
    (clock,) = await clocks(stage, dialog)
    events = await sla_events(stage, dialog)
    assert [e.kind for e in events] == ["sla.warned", "sla.warned", "sla.breached"]
    assert events[2].at == clock.due_at == clock.breached_at
    assert (clock.state, clock.warned, clock.result) == ("running", [50, 80], None)
    timed = await stage.row("SELECT wakes_at FROM timed_dialogs WHERE dialog_id = :d", d=dialog)
    assert timed.wakes_at is None


async def test_an_answer_after_the_deadline_is_late_though_nobody_had_looked(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1", topic=await promised(stage, TFR))
    await age(stage, dialog, 1000)
    await stage.do("olha", dialog, Say("sorry"))
    (clock,) = await clocks(stage, dialog)
    assert (clock.state, clock.result, clock.breached_at) == ("ended", "breached", clock.due_at)
    events = await sla_events(stage, dialog)
    assert [e.kind for e in events] == ["sla.warned", "sla.warned", "sla.breached"]
    assert events[2].at == clock.due_at
    assert events[2].operator_id == stage.people["olha"]
    kinds = await stage.kinds(dialog)
    assert set(kinds[-4:]) == {"message.queued", "sla.warned", "sla.breached"}


async def test_an_answer_and_the_deadline_at_once_lead_to_one_breach(stage):
    await stage.person("olha", online=True, max_dialogs=50)
    paid = await promised(stage, {"metric": "tfr", "target": 1})
    dialogs = [await stage.opened(f"c{n}", topic=paid) for n in range(12)]
    await asyncio.sleep(0.6)

    async def race(dialog):
        tasks = [look(stage, dialog), burst(stage), stage.do("olha", dialog, Say("hi")), look(stage, dialog)]
        await asyncio.gather(*tasks)

    await asyncio.gather(*(race(dialog) for dialog in dialogs))
    for dialog in dialogs:
        (clock,) = await clocks(stage, dialog)
        told = [e.kind for e in await sla_events(stage, dialog)]
        late = clock.ended_at >= clock.due_at
        assert (clock.result, told) == (("breached", ["sla.breached"]) if late else ("met", []))


async def test_a_burst_carries_out_what_is_due_of_others_in_batches(stage):
    paid = await promised(stage, TFR)
    dialogs = [await stage.opened(f"b{n}", topic=paid) for n in range(120)]
    for n, dialog in enumerate(dialogs):
        await age(stage, dialog, 1000 + n)
    assert await burst(stage) == 100
    assert await burst(stage) >= 20
    assert await burst(stage) == 0
    for dialog in dialogs[::10]:
        assert [e.kind for e in await sla_events(stage, dialog)] == ["sla.warned", "sla.warned", "sla.breached"]
    order = await stage.sql("SELECT at FROM events WHERE kind = 'sla.breached' ORDER BY id")
    first = [r.at for r in order][-120:-20]
    assert first == sorted(first)


async def test_a_burst_leaves_a_dialog_that_somebody_holds_to_them(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1", topic=await promised(stage, TFR))
    await age(stage, dialog, 1000)
    held, go_on = asyncio.Event(), asyncio.Event()

    async def hold():
        async with stage.sessions.begin() as session:
            await session.execute(text("SELECT 1 FROM dialogs WHERE id = :d FOR NO KEY UPDATE"), {"d": dialog})
            held.set()
            await go_on.wait()

    holding = asyncio.create_task(hold())
    await held.wait()
    assert await burst(stage) == 0
    go_on.set()
    await holding
    assert await burst(stage) == 1


async def test_closing_after_the_deadline_tells_of_the_breach_first_and_then_nothing(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1", topic=await promised(stage, TTC))
    await age(stage, dialog, 40_000)
    await stage.do("olha", dialog, Close())
    (clock,) = await clocks(stage, dialog)
    assert (clock.result, clock.breached_at) == ("breached", clock.due_at)
    assert (await ledger(stage, clock))[-1].ended_at == clock.ended_at
    assert await look(stage, dialog)
    assert [e.kind for e in await sla_events(stage, dialog)] == ["sla.breached"]


async def test_late_norms_are_told_to_who_held_the_dialog_and_once_per_waiting_message(stage):
    await stage.change_team("support", accept_norm=30, respond_norm=60)
    dialog = await stage.opened("c1")
    await age(stage, dialog, 40)
    await stage.person("olha", online=True)
    assert await stage.holder(dialog) == "olha"
    await age(stage, dialog, 100)
    await look(stage, dialog)
    await stage.write("c1", "hello?")
    await look(stage, dialog)
    events = await sla_events(stage, dialog)
    assert [(e.kind, e.operator_id) for e in events] == [
        ("dialog.accept_late", None), ("dialog.answer_late", stage.people["olha"])
    ]  # fmt: skip


async def test_what_a_hand_over_settles_is_told_to_who_held_the_ticket_until_then(stage):
    await stage.team("vip")
    await stage.person("olha", online=True)
    ticket = await stage.opened("c1", topic=await promised(stage, TFR))
    await stage.do("olha", ticket, Convert())
    await stage.do("olha", ticket, SetStatus("in_progress"))
    await age(stage, ticket, 1000)
    await stage.do("olha", ticket, Transfer(to_team=stage.key("vip")))
    assert await stage.holder(ticket) is None
    told = [(e.kind, e.operator_id) for e in await sla_events(stage, ticket)]
    assert told == [(kind, stage.people["olha"]) for kind in ("sla.warned", "sla.warned", "sla.breached")]


async def test_a_pending_ticket_opens_again_at_its_moment_once(stage):
    await stage.person("olha", online=True)
    ticket = await stage.ticket("c1")
    await stage.sql("UPDATE dialogs SET status = 'open' WHERE id = :d", d=ticket)
    await stage.do("olha", ticket, SetStatus("pending"))
    await stage.sql("UPDATE dialogs SET pending_until = clock_timestamp() + interval '1 hour' WHERE id = :d", d=ticket)
    seen = await look(stage, ticket)
    assert (seen.is_pending_due, seen.next_at) == (False, (await stage.dialog(ticket)).pending_until)
    await stage.sql("UPDATE dialogs SET pending_until = clock_timestamp() - interval '1 ms' WHERE id = :d", d=ticket)
    assert (await look(stage, ticket)).is_pending_due
    until = (await stage.dialog(ticket)).pending_until
    done = [(await transact(stage.sessions, lambda w: pendings.open_again(w, ticket)))[0] for _ in range(2)]
    assert done == [True, False]
    row = await stage.dialog(ticket)
    assert (row.pending_until, await stage.holder(ticket)) == (None, "olha")
    [reopened] = await facts(stage, ticket, "ticket.reopened")
    sides = [reopened.data[side]["pending_until"] for side in ("before", "after")]
    assert sides == [until.isoformat(), None]
    told = "SELECT at FROM events WHERE dialog_id = :d AND kind = 'ticket.reopened'"
    assert [row.at for row in await stage.sql(told, d=ticket)] == [until]
    assert (await look(stage, ticket)).next_at is None
