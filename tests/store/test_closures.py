"""Closing, and opening again (P35, P36, P45, P84)."""

from uuid import UUID

from domain.commands import Accept, Close, Reopen, Say, SetStatus, SetTopic, Transfer


async def _close_window(stage) -> None:
    await stage.sql("UPDATE channels SET reopen_window = 0 WHERE key = :c", c=stage.channel)


async def test_closing_frees_the_slot_and_tells_the_dialogs_workflow(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Close(note="solved"))
    row = await stage.dialog(dialog)
    assert (row.status, row.place, row.operator_id, row.closed_by) == ("closed", None, None, stage.people["olha"])
    assert row.last_operator_id == stage.people["olha"]
    assert row.awaiting_reply_since is None
    assert await stage.load("olha") == 0
    assert "dialog_closed" in await stage.reactions(f"dialog:{dialog}")
    assert (await stage.kinds(dialog))[-2:] == ["note.added", "dialog.closed"]


async def test_closing_twice_is_refused(stage):
    await stage.person("boss", role="supervisor")
    dialog = await stage.opened("c1")
    await stage.do("boss", dialog, Close())
    assert await stage.refused("boss", dialog, Close()) == "dialog_closed"
    assert await stage.refused("boss", dialog, Say("late")) == "dialog_closed"


async def test_operators_close_only_what_they_hold(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    await stage.person("taras")
    held, waiting = await stage.opened("c1"), await stage.opened("c2")
    assert await stage.refused("taras", held, Close()) == "not_yours"
    assert await stage.refused("taras", waiting, Close()) == "not_taken"


async def test_a_team_with_a_required_topic_closes_nothing_without_one(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.topic("reason", "support", required=True)
    assert await stage.refused("olha", dialog, Close()) == "topic_required"
    await stage.do("olha", dialog, SetTopic(stage.key("reason")))
    await stage.do("olha", dialog, Close())


async def test_a_message_within_the_window_reopens_the_dialog_with_its_last_operator(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Close())
    await stage.person("taras", online=True)
    receipt = await stage.write("c1", "one more thing")
    assert receipt.dialog_id == dialog
    assert await stage.holder(dialog) == "olha"
    row = await stage.dialog(dialog)
    assert (row.status, row.cycle, row.last_message_seq) == ("open", 2, 2)
    assert "dialog_reopened" in await stage.reactions(f"dialog:{dialog}")


async def test_a_reopened_dialog_is_distributed_when_its_last_operator_is_away_or_full(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    one = await stage.opened("c1")
    await stage.do("olha", one, Close())
    two = await stage.opened("c2")
    assert await stage.holder(two) == "olha"
    await stage.write("c1")
    assert await stage.place(one) == "queued"
    await stage.do("olha", two, Close())
    assert await stage.holder(one) == "olha"
    await stage.do("olha", one, Close())
    await stage.offline("olha")
    await stage.person("taras", online=True)
    await stage.write("c1")
    assert await stage.holder(one) == "taras"


async def test_a_message_after_the_window_opens_a_new_dialog_and_the_old_one_stays_readable(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Close())
    await _close_window(stage)
    newer = await stage.opened("c1")
    assert newer != dialog
    assert (await stage.dialog(dialog)).status == "closed"
    assert (await stage.dialog(dialog)).contact_id == (await stage.dialog(newer)).contact_id


async def test_reopening_by_hand_while_another_one_is_open_is_refused_with_its_id(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Close())
    await _close_window(stage)
    newer = await stage.opened("c1")
    outcome = await stage.ask("olha", dialog, Reopen())
    assert (outcome.refusal, outcome.answer["extra"]["dialog_id"]) == ("another_dialog_open", str(newer))


async def test_reopening_by_hand_is_for_the_team_and_only_once(stage):
    await stage.team("sales")
    await stage.person("olha", online=True)
    await stage.person("iryna", "sales")
    dialog = await stage.opened("c1")
    assert await stage.refused("olha", dialog, Reopen()) == "dialog_open"
    await stage.do("olha", dialog, Close())
    assert await stage.refused("iryna", dialog, Reopen()) == "not_found"
    assert (await stage.do("olha", dialog, Reopen()))["operator_id"] == str(stage.people["olha"])


async def test_reopening_never_exceeds_a_limit(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    one = await stage.opened("c1")
    await stage.do("olha", one, Close())
    two = await stage.opened("c2")
    await stage.do("olha", one, Reopen())
    assert (await stage.place(one), await stage.holder(two)) == ("queued", "olha")


# tickets


async def _held_ticket(stage) -> UUID:
    """A ticket in progress that olha, with room for one, holds."""
    await stage.person("olha", max_dialogs=1)
    dialog = await stage.ticket("c1")
    await stage.online("olha")
    assert await stage.holder(dialog) == "olha"
    return dialog


async def test_a_pending_ticket_gives_its_slot_back_and_stays_with_its_assignee(stage):
    ticket = await _held_ticket(stage)
    waiting = await stage.opened("c2")
    await stage.do("olha", ticket, SetStatus("in_progress"))
    assert await stage.place(waiting) == "queued"
    await stage.do("olha", ticket, SetStatus("pending"))
    assert (await stage.holder(ticket), await stage.holder(waiting)) == ("olha", "olha")
    assert await stage.load("olha") == 1


async def test_a_client_writing_to_a_pending_ticket_reopens_it_to_its_assignee_with_room(stage):
    ticket = await _held_ticket(stage)
    await stage.do("olha", ticket, SetStatus("resolved"))
    assert (await stage.write("c1", "not solved")).dialog_id == ticket
    row = await stage.dialog(ticket)
    assert (row.status, row.cycle, await stage.holder(ticket)) == ("open", 1, "olha")
    assert await stage.load("olha") == 1


async def test_a_reopened_ticket_without_room_waits_for_its_assignee_first(stage):
    ticket = await _held_ticket(stage)
    await stage.do("olha", ticket, SetStatus("pending"))
    other = await stage.opened("c2")
    assert await stage.holder(other) == "olha"
    await stage.write("c1", "hello?")
    row = await stage.dialog(ticket)
    assert (row.place, row.reserved_for) == ("queued", stage.people["olha"])
    await stage.do("olha", other, Close())
    assert await stage.holder(ticket) == "olha"
    assert (await stage.decisions(ticket))[-1].reason == "reserved_for"


async def test_a_ticket_goes_backwards_only_by_reopening(stage):
    ticket = await _held_ticket(stage)
    await stage.do("olha", ticket, SetStatus("resolved"))
    assert await stage.refused("olha", ticket, SetStatus("in_progress")) == "wrong_status"
    assert await stage.refused("olha", ticket, SetStatus("closed")) == "wrong_status"
    assert await stage.refused("olha", ticket, SetStatus("nonsense")) == "invalid"
    await stage.do("olha", ticket, Reopen())
    assert (await stage.dialog(ticket)).status == "open"
    assert "ticket.reopened" in await stage.kinds(ticket)


async def test_a_chats_status_is_not_set_by_hand(stage):
    await stage.person("olha", online=True)
    assert await stage.refused("olha", await stage.opened("c1"), SetStatus("pending")) == "wrong_status"


async def test_a_closed_ticket_stays_closed_and_its_client_gets_a_chat(stage):
    ticket = await _held_ticket(stage)
    await stage.do("olha", ticket, Close())
    assert "ticket.closed" in await stage.kinds(ticket)
    chat = await stage.opened("c1")
    assert chat != ticket
    assert (await stage.dialog(chat)).kind == "chat"


async def test_accepting_a_pending_ticket_takes_no_slot(stage):
    ticket = await _held_ticket(stage)
    await stage.person("taras", online=True, max_dialogs=1)
    answer = await stage.do("olha", ticket, Transfer(to_operator=stage.people["taras"]))
    await stage.do("olha", ticket, SetStatus("pending"))
    await stage.do("taras", ticket, Accept(), transfer=UUID(answer["transfer_id"]))
    assert (await stage.holder(ticket), await stage.load("taras"), await stage.load("olha")) == ("taras", 0, 0)


async def test_reopening_a_pending_ticket_ends_its_offer(stage):
    ticket = await _held_ticket(stage)
    await stage.person("taras", online=True, max_dialogs=1)
    answer = await stage.do("olha", ticket, Transfer(to_operator=stage.people["taras"]))
    await stage.do("olha", ticket, SetStatus("pending"))
    await stage.opened("c2")
    waiting = await stage.opened("c3")
    assert await stage.place(waiting) == "queued"
    await stage.write("c1", "hello?")
    row = await stage.transfer(answer["transfer_id"])
    assert (row.state, row.reason) == ("rescinded", "reopened")
    await stage.require_promises()


async def test_a_waiting_ticket_set_pending_is_not_distributed(stage):
    await stage.person("boss", role="supervisor")
    ticket = await stage.ticket("c1")
    await stage.do("boss", ticket, SetStatus("pending"))
    await stage.person("olha", online=True)
    assert await stage.place(ticket) == "queued"
    await stage.write("c1", "hello?")
    assert await stage.holder(ticket) == "olha"
