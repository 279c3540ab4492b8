"""A client's message: once, in order, in the right dialog (I5, P108; DECISIONS 14, 15)."""

import asyncio
from collections import Counter

import pytest

from domain.commands import Close
from domain.errors import InvalidError, NotFoundError, UnknownTopicError


async def test_the_same_provider_message_again_answers_the_same_ids(stage):
    first = await stage.write("c1", external_id="m1")
    again = await stage.write("c1", external_id="m1")
    assert (first.result, again.result) == ("accepted", "repeated")
    assert (first.dialog_id, first.message_id) == (again.dialog_id, again.message_id)


async def test_the_same_id_in_another_channel_is_another_message(stage):
    await stage.add_channel("mail", "support")
    first = await stage.write("c1", external_id="m1")
    other = await stage.write("c1", external_id="m1", channel="mail")
    assert (other.result, other.dialog_id == first.dialog_id) == ("accepted", False)


async def test_twenty_deliveries_of_one_message_at_once_leave_one(stage):
    receipts = await asyncio.gather(*[stage.write("c1", external_id="m1") for _ in range(20)])
    assert Counter(r.result for r in receipts) == {"accepted": 1, "repeated": 19}
    assert len({(r.dialog_id, r.message_id) for r in receipts}) == 1
    assert len(await stage.sql("SELECT 1 FROM messages WHERE dialog_id = :d", d=receipts[0].dialog_id)) == 1


async def test_one_message_id_from_twenty_addresses_at_once_is_kept_once(stage):
    receipts = await asyncio.gather(*[stage.write(f"c{i}", external_id="m1") for i in range(20)])
    assert Counter(r.result for r in receipts) == {"accepted": 1, "repeated": 19}
    assert len({r.message_id for r in receipts}) == 1
    assert len(await stage.sql("SELECT 1 FROM dialogs WHERE channel_key = :c", c=stage.channel)) == 1


async def test_twenty_messages_of_a_new_client_at_once_make_one_contact_one_dialog_and_twenty_numbers(stage):
    await stage.person("olha", online=True)
    receipts = await asyncio.gather(*[stage.write("c1", f"message {i}") for i in range(20)])
    assert {r.result for r in receipts} == {"accepted"}
    assert len({r.dialog_id for r in receipts}) == 1
    dialog = receipts[0].dialog_id
    rows = await stage.sql("SELECT seq FROM messages WHERE dialog_id = :d ORDER BY seq", d=dialog)
    assert [r.seq for r in rows] == list(range(1, 21))
    contact = (await stage.dialog(dialog)).contact_id
    identities = await stage.sql("SELECT contact_id FROM identities WHERE channel_key = :c", c=stage.channel)
    assert [r.contact_id for r in identities] == [contact]
    orphans = await stage.sql(
        "SELECT 1 FROM contacts c WHERE NOT EXISTS (SELECT 1 FROM identities i WHERE i.contact_id = c.id)"
    )
    assert orphans == []
    assert (await stage.kinds(dialog)).count("dialog.opened") == 1


async def test_messages_go_to_the_open_dialog_in_order(stage):
    dialog = await stage.opened("c1", text="one")
    for word in ("two", "three"):
        assert (await stage.write("c1", word)).dialog_id == dialog
    rows = await stage.sql("SELECT seq, text, direction FROM messages WHERE dialog_id = :d ORDER BY seq", d=dialog)
    assert [(r.seq, r.text) for r in rows] == [(1, "one"), (2, "two"), (3, "three")]
    assert await stage.reactions(f"dialog:{dialog}") == ["dialog_opened"]


async def test_threads_of_one_client_are_dialogs_apart(stage):
    one, two = await stage.opened("c1", thread="post-1"), await stage.opened("c1", thread="post-2")
    assert one != two
    assert (await stage.write("c1", thread="post-1")).dialog_id == one


async def test_an_unclosed_ticket_gets_what_no_open_chat_takes(stage):
    ticket = await stage.ticket("c1")
    assert (await stage.write("c1")).dialog_id == ticket
    assert (await stage.write("c1", thread="elsewhere")).dialog_id == ticket


async def test_a_banned_client_opens_nothing_and_is_kept_nowhere(stage):
    dialog = await stage.opened("c1")
    await stage.person("boss", role="supervisor")
    await stage.do("boss", dialog, Close())
    assert (await stage.ban(dialog))["changed"]
    receipt = await stage.write("c1", "let me in")
    assert (receipt.result, receipt.dialog_id) == ("banned", None)
    assert (await stage.dialog(dialog)).last_message_seq == 1
    await stage.ban(dialog, banned=False)
    assert (await stage.write("c1")).result == "accepted"


async def test_a_message_taken_before_the_ban_is_still_repeated_with_its_ids(stage):
    first = await stage.write("c1", external_id="m1")
    await stage.ban(first.dialog_id)
    again = await stage.write("c1", external_id="m1")
    assert (again.result, again.message_id) == ("repeated", first.message_id)


async def test_what_cannot_be_placed_is_refused(stage):
    with pytest.raises(NotFoundError):
        await stage.write("c1", channel="nonsense")
    with pytest.raises(UnknownTopicError):
        await stage.write("c1", topic="nonsense")
    await stage.add_channel("asleep", "support", active=False)
    with pytest.raises(NotFoundError):
        await stage.write("c1", channel="asleep")
    await stage.sql("DELETE FROM settings WHERE key = 'default_team'")
    await stage.add_channel("lost", None)
    with pytest.raises(InvalidError):
        await stage.write("c1", channel="lost")


async def test_an_alias_names_a_topic(stage):
    await stage.topic("payment", "support", aliases=[stage.key("оплата")])
    dialog = await stage.opened("c1", topic="оплата")
    assert (await stage.dialog(dialog)).topic_key == stage.key("payment")


async def test_waiting_for_an_answer_starts_with_the_first_unanswered_message(stage):
    from domain.commands import Say

    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    since = (await stage.dialog(dialog)).awaiting_reply_since
    await stage.write("c1")
    assert (await stage.dialog(dialog)).awaiting_reply_since == since
    await stage.do("olha", dialog, Say("note to self", mode="note"))
    assert (await stage.dialog(dialog)).awaiting_reply_since == since
    await stage.do("olha", dialog, Say("hello"))
    assert (await stage.dialog(dialog)).awaiting_reply_since is None
