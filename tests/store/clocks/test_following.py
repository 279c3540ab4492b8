"""Each fact and the rows it leads to."""

from datetime import timedelta

from domain.commands import Close, Reopen, Say, SetPriority, SetTopic
from tests.store.clocks.promises import NRT, TFR, TTC, clocks, ledger, promised, sla_events


async def test_opening_starts_the_clocks_that_are_promised(stage):
    paid = await promised(stage, TFR, TTC, NRT)
    dialog = await stage.opened("c1", topic=paid)
    row = await stage.dialog(dialog)
    found = await clocks(stage, dialog)
    assert [(c.metric, c.state, c.target) for c in found] == [("tfr", "running", 900), ("ttc", "running", 32_400)]
    tfr = found[0]
    assert (tfr.started_at, tfr.due_at) == (row.opened_at, row.opened_at + timedelta(seconds=900))
    assert tfr.next_at == row.opened_at + timedelta(seconds=450)
    assert (tfr.alias, tfr.topic_key, tfr.team_key) == ("First answer", stage.key("paid"), stage.key("support"))
    (line,) = await ledger(stage, tfr)
    assert (line.state, line.began_at, line.ended_at, line.cause) == ("running", row.opened_at, None, "dialog.opened")
    assert row.keeps_time
    assert await stage.reactions(f"sla:{dialog}") == ["clocks_changed"]
    timed = await stage.row("SELECT * FROM timed_dialogs WHERE dialog_id = :d", d=dialog)
    assert timed.wakes_at == tfr.next_at


async def test_an_answer_ends_the_first_response_and_the_next_message_starts_the_next(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1", topic=await promised(stage, TFR, NRT))
    await stage.do("olha", dialog, Say("hello"))
    (tfr,) = await clocks(stage, dialog)
    assert (tfr.metric, tfr.state, tfr.result) == ("tfr", "ended", "met")
    await stage.write("c1", "and?")
    await stage.write("c1", "and?!")
    await stage.do("olha", dialog, Say("a note", mode="note"))
    (nrt,) = await clocks(stage, dialog, "nrt")
    assert (nrt.state, nrt.target) == ("running", 1800)
    await stage.do("olha", dialog, Say("so"))
    (nrt,) = await clocks(stage, dialog, "nrt")
    assert (nrt.state, nrt.result) == ("ended", "met")
    (line,) = await ledger(stage, nrt)
    assert line.ended_at == nrt.ended_at


async def test_closing_stops_everything_and_rings_and_reopening_begins_anew(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1", topic=await promised(stage, TFR, TTC))
    await stage.do("olha", dialog, Close())
    found = await clocks(stage, dialog)
    assert [(c.metric, c.state, c.result) for c in found] == [("tfr", "ended", "dropped"), ("ttc", "ended", "met")]
    timed = await stage.row("SELECT * FROM timed_dialogs WHERE dialog_id = :d", d=dialog)
    assert timed.wakes_at is None
    assert await stage.reactions(f"sla:{dialog}") == ["clocks_changed"] * 2
    await stage.do("olha", dialog, Reopen())
    found = await clocks(stage, dialog)
    assert [(c.metric, c.state, c.cycle) for c in found[2:]] == [("tfr", "running", 2), ("ttc", "running", 2)]
    assert not await sla_events(stage, dialog)


async def test_a_topic_that_promises_nothing_more_drops_the_clocks_and_one_that_does_counts_from_the_start(stage):
    await stage.person("olha", online=True)
    paid = await promised(stage, TFR, {**TTC, "targets": {"critical": 60}})
    await stage.topic("free", "support")
    dialog = await stage.opened("c1", topic="free")
    assert not (await stage.dialog(dialog)).keeps_time
    await stage.do("olha", dialog, SetTopic(stage.key(paid)))
    row = await stage.dialog(dialog)
    found = await clocks(stage, dialog)
    assert [(c.metric, c.started_at) for c in found] == [("tfr", row.opened_at), ("ttc", row.opened_at)]
    assert found[0].due_at == row.opened_at + timedelta(seconds=900)
    await stage.do("olha", dialog, SetPriority("critical"))
    (ttc,) = await clocks(stage, dialog, "ttc")
    assert (ttc.target, ttc.due_at) == (60, row.opened_at + timedelta(seconds=60))
    assert (await ledger(stage, ttc))[-1].changed["target"] == [32_400, 60]
    await stage.do("olha", dialog, SetTopic(stage.key("free")))
    assert [(c.state, c.result) for c in await clocks(stage, dialog)] == [("ended", "dropped")] * 2


async def test_norms_time_accepting_and_responding(stage):
    await stage.change_team("support", accept_norm=30, respond_norm=60)
    dialog = await stage.opened("c1")
    (accept,) = await clocks(stage, dialog)
    assert (accept.metric, accept.target, accept.policy_key) == ("accept", 30, None)
    await stage.person("olha", online=True)
    assert await stage.holder(dialog) == "olha"
    accept, respond = await clocks(stage, dialog)
    assert (accept.state, accept.result) == ("ended", "met")
    assert (respond.metric, respond.target, respond.state) == ("respond", 60, "running")
    await stage.do("olha", dialog, Say("hello"))
    assert [c.result for c in await clocks(stage, dialog)] == ["met", "met"]
