"""A command happens once under its key: repeated, refused, at the same time, with another body (DECISIONS 7)."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.commands import Accept, Close, Request, Say, Take, Transfer
from domain.errors import UnavailableError
from store import commands, pending_commands, transactions


async def test_a_repeated_key_answers_as_the_first_time(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    first = await stage.do("olha", dialog, Say("once"), key="k")
    assert await stage.do("olha", dialog, Say("once"), key="k") == first
    assert (await stage.dialog(dialog)).last_message_seq == 2


async def test_one_key_from_ten_connections_has_one_effect_and_one_answer(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    outcomes = await asyncio.gather(*[stage.ask("olha", dialog, Say("once"), key="k") for _ in range(10)])
    assert {o.refusal for o in outcomes} == {None}
    assert len({o.answer["message_id"] for o in outcomes}) == 1
    assert (await stage.dialog(dialog)).last_message_seq == 2


async def test_another_request_under_the_key_is_unmasked_and_does_nothing(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Say("one"), key="k")
    assert await stage.refused("olha", dialog, Close(), key="k", digest="other") == "key_reused"
    assert (await stage.dialog(dialog)).status == "open"
    assert (await stage.do("olha", dialog, Say("one"), key="k"))["seq"] == 2


async def test_keys_of_two_callers_are_apart(stage):
    await stage.person("olha", online=True)
    await stage.person("boss", role="supervisor")
    dialog = await stage.opened("c1")
    one = await stage.do("olha", dialog, Say("one"), key="k")
    two = await stage.do("boss", dialog, Say("two"), key="k")
    assert (one["seq"], two["seq"]) == (2, 3)


async def test_a_refusal_is_stored_and_repeated_although_it_would_succeed_now(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    dialog = await stage.opened("c1")
    await stage.person("taras")
    first = await stage.ask("taras", dialog, Take(), key="k")
    assert first.refusal == "already_taken"
    await stage.sql("UPDATE teams SET auto = false WHERE key = :t", t=stage.key("support"))
    await stage.do("olha", dialog, Close())
    again = await stage.ask("taras", dialog, Take(), key="k")
    assert (again.refusal, again.answer) == (first.refusal, first.answer)


async def test_a_refusal_from_ten_connections_is_the_same_for_all(stage):
    await stage.person("olha")
    dialog = await stage.opened("c1")
    outcomes = await asyncio.gather(*[stage.ask("olha", dialog, Say("hi"), key="k") for _ in range(10)])
    assert Counter(o.refusal for o in outcomes) == {"not_taken": 10}


async def test_a_refused_command_leaves_nothing_behind(stage):
    await stage.person("olha", online=True)
    await stage.person("taras", online=True, max_dialogs=0)
    dialog = await stage.opened("c1")
    before = (await stage.dialog(dialog)).last_message_seq, await stage.kinds(dialog)
    command = Transfer(to_operator=stage.people["taras"], note="never kept")
    assert await stage.refused("olha", dialog, command) == "at_capacity"
    assert ((await stage.dialog(dialog)).last_message_seq, await stage.kinds(dialog)) == before


async def test_an_unknown_dialog_is_not_found(stage):
    await stage.person("olha")
    assert await stage.refused("olha", stage.people["olha"], Take()) == "not_found"


async def test_a_late_click_is_refused_for_good_while_the_expiry_stands(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.person("taras", online=True)
    transfer = UUID((await stage.do("olha", dialog, Transfer(to_operator=stage.people["taras"])))["transfer_id"])
    await stage.pass_deadline(transfer)
    first = await stage.ask("taras", dialog, Accept(), transfer=transfer, key="k")
    assert first.refusal == "offer_expired"
    assert (await stage.transfer(transfer)).state == "expired"
    assert (await stage.ask("taras", dialog, Accept(), transfer=transfer, key="k")).answer == first.answer


async def test_rows_blocked_for_too_long_are_told_as_such_and_the_key_stays_free(stage, monkeypatch):
    monkeypatch.setattr(transactions, "_TRIES", 1)
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    async with stage.sessions.begin() as blocker:
        await blocker.execute(text("SELECT 1 FROM dialogs WHERE id = :d FOR UPDATE"), {"d": dialog})
        with pytest.raises(UnavailableError):
            await stage.ask("olha", dialog, Say("hi"), key="k")
    assert (await stage.do("olha", dialog, Say("hi"), key="k"))["seq"] == 2


async def test_ground_that_never_stops_moving_ends_as_unavailable(stage):
    tries = 0

    async def story(work):
        nonlocal tries
        tries += 1
        raise transactions.GroundMovedError

    with pytest.raises(UnavailableError):
        await transactions.transact(stage.sessions, story)
    assert 5 < tries < 100


async def test_a_command_whose_time_is_over_never_happens(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    request = Request(stage.people["olha"], "k", "d", dialog, Say("too late"))
    async with stage.sessions.begin() as session:
        await pending_commands.keep(session, request, f"dialog:{dialog}")
    await stage.sql("UPDATE pending_commands SET not_after = now() - interval '1 s' WHERE key = 'k'")
    async with stage.sessions.begin() as session:
        await pending_commands.expire(session)
    outcome, _ = await commands.apply(stage.sessions, request, f"dialog:{dialog}")
    assert outcome.refusal == "command_expired"
    assert (await stage.dialog(dialog)).last_message_seq == 1
