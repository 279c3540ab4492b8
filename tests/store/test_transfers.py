"""Offers and hand-overs, judged by the stored deadline (P127 to P136, I3; DECISIONS 23, 24)."""

from uuid import UUID

from domain.commands import Accept, AddTag, Assign, Cancel, Close, Decline, Say, SetTopic, Take, Transfer, Unassign
from domain.presence import Presence


async def _offered(stage, *, fallback: str = "return") -> tuple[UUID, UUID]:
    """A dialog that olha holds and has offered to taras, who is online."""
    await stage.change_team("support", transfer_fallback=fallback)
    await stage.person("olha", online=True, max_dialogs=1)
    dialog = await stage.opened("c1")
    await stage.person("taras", online=True, max_dialogs=1)
    answer = await stage.do("olha", dialog, Transfer(to_operator=stage.people["taras"]))
    return dialog, UUID(answer["transfer_id"])


async def test_an_offer_keeps_the_sender_and_reserves_a_slot_of_the_target(stage):
    dialog, transfer = await _offered(stage)
    assert await stage.holder(dialog) == "olha"
    assert (await stage.load("olha"), await stage.load("taras")) == (1, 1)
    row = await stage.transfer(transfer)
    assert (row.deadline - row.offered_at).total_seconds() == 120
    waiting = await stage.opened("c2")
    assert await stage.place(waiting) == "queued"
    assert "transfer.offered" in await stage.kinds(dialog)
    assert "transfer_offered" in await stage.reactions(f"dialog:{dialog}")


async def test_accepting_in_time_makes_the_target_the_holder_and_frees_the_sender(stage):
    dialog, transfer = await _offered(stage)
    waiting = await stage.opened("c2")
    answer = await stage.do("taras", dialog, Accept(), transfer=transfer)
    assert (answer["state"], answer["operator_id"]) == ("accepted", str(stage.people["taras"]))
    assert (await stage.holder(dialog), await stage.holder(waiting)) == ("taras", "olha")


async def test_only_the_target_accepts_or_declines(stage):
    dialog, transfer = await _offered(stage)
    assert await stage.refused("olha", dialog, Accept(), transfer=transfer) == "forbidden"
    assert await stage.refused("olha", dialog, Decline(), transfer=transfer) == "forbidden"


async def test_the_deadline_decides_even_before_anybody_carried_it_out(stage):
    dialog, transfer = await _offered(stage)
    await stage.pass_deadline(transfer)
    outcome = await stage.ask("taras", dialog, Accept(), transfer=transfer)
    assert outcome.refusal == "offer_expired"
    assert "now with Olha" in outcome.answer["detail"]
    row = await stage.transfer(transfer)
    assert (row.state, row.ended_at) == ("expired", row.deadline)


async def test_a_click_after_the_expiry_is_told_where_the_dialog_went(stage):
    dialog, transfer = await _offered(stage, fallback="pool")
    await stage.person("iryna", online=True)
    await stage.offline("olha")
    await stage.pass_deadline(transfer)
    outcome = await stage.ask("taras", dialog, Accept(), transfer=transfer)
    assert await stage.holder(dialog) == "iryna"
    assert "now with Iryna" in outcome.answer["detail"]
    assert "offer_ended" in await stage.reactions(f"transfer:{transfer}")


async def test_a_target_outside_the_team_is_told_the_truth_too(stage):
    await stage.team("sales")
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.person("iryna", "sales", online=True)
    answer = await stage.do("olha", dialog, Transfer(to_operator=stage.people["iryna"]))
    transfer = UUID(answer["transfer_id"])
    await stage.pass_deadline(transfer)
    await stage.settle(transfer)
    assert await stage.refused("iryna", dialog, Accept(), transfer=transfer) == "offer_expired"


async def test_expiry_returns_to_a_sender_who_is_online_exactly_once(stage):
    dialog, transfer = await _offered(stage)
    await stage.pass_deadline(transfer)
    for _ in range(3):
        assert (await stage.settle(transfer)).state == "expired"
    assert await stage.holder(dialog) == "olha"
    assert (await stage.kinds(dialog)).count("transfer.expired") == 1
    assert await stage.load("taras") == 0


async def test_expiry_with_the_sender_gone_goes_to_the_pool_with_its_age_and_without_the_target(stage):
    dialog, transfer = await _offered(stage)
    since = (await stage.dialog(dialog)).waiting_since
    await stage.offline("olha")
    await stage.pass_deadline(transfer)
    await stage.settle(transfer)
    assert await stage.place(dialog) == "queued"
    assert (await stage.dialog(dialog)).waiting_since == since
    await stage.person("iryna", online=True)
    assert await stage.holder(dialog) == "iryna"


async def test_expiry_with_fallback_pool_leaves_the_sender(stage):
    dialog, transfer = await _offered(stage, fallback="pool")
    await stage.person("iryna", online=True)
    await stage.pass_deadline(transfer)
    await stage.settle(transfer)
    assert await stage.holder(dialog) == "iryna"
    assert (await stage.transfer(transfer)).holder_after == stage.people["iryna"]


async def test_a_settling_before_the_deadline_does_nothing(stage):
    dialog, transfer = await _offered(stage)
    assert (await stage.settle(transfer)).state == "pending"
    assert await stage.holder(dialog) == "olha"


async def test_a_passed_deadline_holds_no_slot_although_nobody_carried_it_out(stage):
    dialog, transfer = await _offered(stage)
    await stage.pass_deadline(transfer)
    other = await stage.opened("c2")
    assert await stage.holder(other) == "taras"
    assert await stage.refused("taras", dialog, Accept(), transfer=transfer) == "offer_expired"
    assert await stage.load("taras") == 1


async def test_declining_returns_to_the_sender_and_frees_the_target_at_once(stage):
    dialog, transfer = await _offered(stage)
    waiting = await stage.opened("c2")
    await stage.do("taras", dialog, Decline(reason="busy"), transfer=transfer)
    assert (await stage.holder(dialog), await stage.holder(waiting)) == ("olha", "taras")
    assert (await stage.transfer(transfer)).reason == "busy"


async def test_who_declined_is_not_given_the_dialog_when_the_sender_releases_it(stage):
    dialog, transfer = await _offered(stage)
    await stage.do("taras", dialog, Decline(), transfer=transfer)
    await stage.do("olha", dialog, Unassign())
    await stage.online("taras")
    assert await stage.place(dialog) == "queued"
    await stage.person("iryna", online=True)
    assert await stage.holder(dialog) == "iryna"
    assert await stage.sql("SELECT 1 FROM exclusions WHERE dialog_id = :d", d=dialog) == []


async def test_cancelling_is_for_the_sender_or_a_supervisor_and_leaves_the_dialog(stage):
    dialog, transfer = await _offered(stage)
    waiting = await stage.opened("c2")
    assert await stage.refused("taras", dialog, Cancel(), transfer=transfer) == "forbidden"
    await stage.do("olha", dialog, Cancel(), transfer=transfer)
    assert (await stage.holder(dialog), await stage.holder(waiting)) == ("olha", "taras")
    assert await stage.refused("taras", dialog, Accept(), transfer=transfer) == "offer_ended"


async def test_a_supervisor_cancels_an_offer_of_the_team(stage):
    dialog, transfer = await _offered(stage)
    await stage.person("boss", role="supervisor")
    assert (await stage.do("boss", dialog, Cancel(), transfer=transfer))["state"] == "cancelled"


async def test_a_second_offer_is_refused_while_one_is_pending(stage):
    dialog, transfer = await _offered(stage)
    await stage.person("iryna", online=True)
    outcome = await stage.ask("olha", dialog, Transfer(to_operator=stage.people["iryna"]))
    assert outcome.refusal == "offer_pending"
    assert outcome.answer["extra"]["transfer_id"] == str(transfer)


async def test_a_second_offer_is_allowed_once_the_deadline_of_the_first_has_passed(stage):
    dialog, transfer = await _offered(stage)
    await stage.person("iryna", online=True)
    await stage.pass_deadline(transfer)
    await stage.do("olha", dialog, Transfer(to_operator=stage.people["iryna"]))
    assert (await stage.transfer(transfer)).state == "expired"


async def test_the_note_of_an_offer_is_kept_as_an_internal_note(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.person("taras", online=True)
    answer = await stage.do("olha", dialog, Transfer(to_operator=stage.people["taras"], note="please see"))
    note = (await stage.transfer(answer["transfer_id"])).note_id
    message = await stage.row("SELECT * FROM messages WHERE id = :m", m=note)
    assert (message.direction, message.text, message.delivery) == ("note", "please see", None)


async def test_the_target_must_be_online_able_and_have_room(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.person("light", role="light_agent", online=True)
    await stage.person("full", online=True, max_dialogs=0)
    await stage.person("gone")
    expected = {"light": "operator_unsuitable", "full": "at_capacity", "gone": "operator_offline", "olha": "conflict"}
    for name, code in expected.items():
        assert await stage.refused("olha", dialog, Transfer(to_operator=stage.people[name])) == code
    assert await stage.refused("olha", dialog, Transfer()) == "invalid"
    assert await stage.refused("olha", dialog, Transfer(to_operator=dialog)) == "operator_unsuitable"


async def test_an_offer_respects_the_targets_channel_limit(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.person("taras", online=True, channel_limits={"demo": 0})
    assert await stage.refused("olha", dialog, Transfer(to_operator=stage.people["taras"])) == "at_capacity"


async def test_only_an_owned_dialog_is_offered(stage):
    await stage.person("boss", role="supervisor")
    dialog = await stage.opened("c1")
    await stage.person("taras", max_dialogs=0)
    await stage.online("taras")
    assert await stage.refused("boss", dialog, Transfer(to_operator=stage.people["taras"])) == "wrong_status"


async def test_the_target_going_away_rescinds_at_once(stage):
    for i, status in enumerate((Presence.OFFLINE, Presence.BUSY, Presence.AWAY)):
        if i == 0:
            dialog, transfer = await _offered(stage)
        else:
            await stage.online("taras")
            transfer = UUID(
                (await stage.do("olha", dialog, Transfer(to_operator=stage.people["taras"])))["transfer_id"]
            )
        await stage.status("taras", status)
        row = await stage.transfer(transfer)
        assert (row.state, row.reason) == ("rescinded", f"target_{status.value}")
        assert await stage.holder(dialog) == "olha"
        assert "offer_ended" in await stage.reactions(f"transfer:{transfer}")


async def test_the_target_losing_the_connection_rescinds_when_noticed(stage):
    dialog, transfer = await _offered(stage, fallback="pool")
    await stage.lapse("taras")
    await stage.judge("taras")
    assert (await stage.transfer(transfer)).reason == "target_connection_lost"
    assert await stage.holder(dialog) == "olha", "the pool gives it to whoever is there: the sender"
    await stage.judge("taras")
    events = await stage.sql(
        "SELECT 1 FROM events WHERE kind = 'operator.connection_lost' AND operator_id = :o", o=stage.people["taras"]
    )
    assert len(events) == 1


async def test_closing_assigning_releasing_and_handing_over_rescind_with_their_reason(stage):
    acts = {"closed": Close(), "released": Unassign(), "handed_to_team": Transfer(to_team="other")}
    await stage.team("other", auto=False)
    await stage.person("boss", "-", role="supervisor")
    await stage.person("taras", max_dialogs=1)
    for reason, act in acts.items():
        await stage.offline("taras")
        await stage.person(f"olha-{reason}", max_dialogs=1, online=True)
        dialog = await stage.opened(f"c-{reason}")
        assert await stage.holder(dialog) == f"olha-{reason}"
        await stage.online("taras")
        answer = await stage.do(f"olha-{reason}", dialog, Transfer(to_operator=stage.people["taras"]))
        command = Transfer(to_team=stage.key("other")) if isinstance(act, Transfer) else act
        await stage.offline(f"olha-{reason}")
        waiting = await stage.opened(f"w-{reason}")
        assert await stage.place(waiting) == "queued"
        await stage.do(f"olha-{reason}", dialog, command)
        row = await stage.transfer(answer["transfer_id"])
        assert (row.state, row.reason) == ("rescinded", reason)
        served = dialog if reason == "released" else waiting
        assert await stage.holder(served) == "taras", f"{reason}: the target's slot serves the queue"
        for one in (dialog, waiting):
            if await stage.place(one) is not None:
                await stage.do("boss", one, Close())


async def test_replies_notes_tags_and_topics_leave_an_offer_alone(stage):
    dialog, transfer = await _offered(stage)
    await stage.tag("vip")
    await stage.topic("payment", "support")
    await stage.do("olha", dialog, Say("a moment"))
    await stage.do("taras", dialog, Say("looking", mode="note"))
    await stage.do("olha", dialog, AddTag(stage.key("vip")))
    await stage.do("olha", dialog, SetTopic(stage.key("payment")))
    await stage.write("c1", "still there?")
    assert (await stage.transfer(transfer)).state == "pending"
    await stage.do("taras", dialog, Accept(), transfer=transfer)


async def test_a_supervisor_assigning_to_the_target_uses_one_slot(stage):
    dialog, transfer = await _offered(stage)
    await stage.person("boss", role="supervisor")
    await stage.do("boss", dialog, Assign(stage.people["taras"]))
    assert (await stage.holder(dialog), await stage.load("taras")) == ("taras", 1)
    assert (await stage.transfer(transfer)).state == "rescinded"


async def test_closing_after_a_passed_deadline_ends_the_offer_as_expired(stage):
    """The expiry hands the dialog to somebody in further teams, whose locks the closing had no reason to take."""
    await stage.team("sales")
    dialog, transfer = await _offered(stage, fallback="pool")
    await stage.person("boss", role="supervisor")
    await stage.offline("olha")
    await stage.person("iryna", "support", "sales", online=True)
    await stage.pass_deadline(transfer)
    await stage.do("boss", dialog, Close())
    assert (await stage.transfer(transfer)).state == "expired"
    kinds = await stage.kinds(dialog)
    assert kinds.index("transfer.expired") < kinds.index("dialog.closed")


async def test_a_former_sender_is_told_so_once_the_deadline_sent_the_dialog_away(stage):
    dialog, transfer = await _offered(stage, fallback="pool")
    await stage.person("iryna", online=True)
    await stage.offline("olha")
    await stage.pass_deadline(transfer)
    assert await stage.refused("olha", dialog, Say("hello?")) == "not_yours"
    assert await stage.holder(dialog) == "iryna"


# to a team


async def test_a_hand_over_leaves_the_sender_and_the_first_free_of_the_team_gets_it(stage):
    await stage.team("sales")
    await stage.person("olha", online=True, max_dialogs=1)
    dialog, waiting = await stage.opened("c1"), await stage.opened("c2")
    answer = await stage.do("olha", dialog, Transfer(to_team=stage.key("sales"), note="wants to buy"))
    assert (answer["place"], answer["deadline"]) == ("queued", None)
    assert await stage.holder(waiting) == "olha"
    assert await stage.refused("olha", dialog, Take()) == "not_found"
    await stage.person("iryna", "sales", online=True)
    assert await stage.holder(dialog) == "iryna"


async def test_a_hand_over_to_a_manual_team_waits_to_be_taken(stage):
    await stage.team("sales", auto=False)
    await stage.person("olha", online=True)
    await stage.person("iryna", "sales", online=True)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Transfer(to_team=stage.key("sales")))
    assert await stage.place(dialog) == "unassigned"
    await stage.do("iryna", dialog, Take())


async def test_a_hand_over_does_not_come_straight_back_to_its_sender(stage):
    await stage.team("sales")
    await stage.person("olha", "support", "sales", online=True)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Transfer(to_team=stage.key("sales")))
    assert await stage.place(dialog) == "queued"
    await stage.person("iryna", "sales", online=True)
    assert await stage.holder(dialog) == "iryna"


async def test_a_hand_over_to_no_team_or_to_the_one_it_waits_in_is_refused(stage):
    await stage.person("boss", role="supervisor")
    await stage.team("closed-down", active=False)
    dialog = await stage.opened("c1")
    assert await stage.refused("boss", dialog, Transfer(to_team="nonsense")) == "invalid"
    assert await stage.refused("boss", dialog, Transfer(to_team=stage.key("closed-down"))) == "invalid"
    assert await stage.refused("boss", dialog, Transfer(to_team=stage.key("support"))) == "wrong_status"


async def test_transfers_of_closed_or_unknown_ones_are_refused(stage):
    dialog, transfer = await _offered(stage)
    await stage.do("olha", dialog, Close())
    assert await stage.refused("olha", dialog, Transfer(to_operator=stage.people["taras"])) == "dialog_closed"
    assert await stage.refused("taras", dialog, Accept(), transfer=transfer) == "offer_ended"
    assert await stage.refused("taras", dialog, Accept(), transfer=dialog) == "not_found"
