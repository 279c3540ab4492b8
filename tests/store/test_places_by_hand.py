"""Taking, assigning, giving back and connecting by hand (P86, P88, P100, P104 to P108; DECISIONS 17, 21 to 25)."""

from domain.commands import Assign, Close, Connect, Say, Take, Unassign
from domain.presence import Presence


async def _manual(stage):
    await stage.change_team("support", auto=False)


async def test_who_comes_second_is_told_who_was_first(stage):
    await _manual(stage)
    await stage.person("olha")
    await stage.person("taras")
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Take())
    outcome = await stage.ask("taras", dialog, Take())
    assert outcome.refusal == "already_taken"
    assert outcome.answer["extra"]["operator_id"] == str(stage.people["olha"])
    assert "Olha" in outcome.answer["detail"]


async def test_taking_what_one_holds_already_changes_nothing(stage):
    await _manual(stage)
    await stage.person("olha")
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Take())
    await stage.do("olha", dialog, Take())
    assert (await stage.kinds(dialog)).count("dialog.assigned") == 1


async def test_manual_take_obeys_the_limit(stage):
    await _manual(stage)
    await stage.person("olha", max_dialogs=1)
    one, two = await stage.opened("c1"), await stage.opened("c2")
    await stage.do("olha", one, Take())
    assert await stage.refused("olha", two, Take()) == "at_capacity"
    assert await stage.place(two) == "unassigned"


async def test_taking_over_the_limit_needs_its_right_and_is_marked(stage):
    await _manual(stage)
    await stage.person("olha", max_dialogs=0)
    await stage.person("boss", role="supervisor", max_dialogs=0)
    one, two = await stage.opened("c1"), await stage.opened("c2")
    assert await stage.refused("olha", one, Take(over_limit=True)) == "forbidden"
    await stage.do("boss", two, Take(over_limit=True))
    assert (await stage.row("SELECT over_limit FROM reservations WHERE dialog_id = :d", d=two)).over_limit
    event = (await stage.sql("SELECT data FROM events WHERE dialog_id = :d ORDER BY id DESC", d=two))[0]
    assert event.data["over_limit"] is True


async def test_a_slot_over_the_limit_counts_against_the_limit(stage):
    await _manual(stage)
    await stage.person("boss", role="supervisor", max_dialogs=1)
    one, two, three = [await stage.opened(f"c{i}") for i in range(3)]
    await stage.do("boss", one, Take())
    await stage.do("boss", two, Take(over_limit=True))
    await stage.do("boss", one, Close())
    assert await stage.refused("boss", three, Take()) == "at_capacity"


async def test_nobody_outside_the_team_sees_or_takes_its_dialogs(stage):
    await _manual(stage)
    await stage.team("sales")
    await stage.person("iryna", "sales")
    dialog = await stage.opened("c1")
    assert await stage.refused("iryna", dialog, Take()) == "not_found"


async def test_light_agents_take_nothing(stage):
    await _manual(stage)
    await stage.person("light", role="light_agent")
    assert await stage.refused("light", await stage.opened("c1"), Take()) == "operator_unsuitable"


async def test_a_deactivated_person_may_do_nothing(stage):
    await _manual(stage)
    olha = await stage.person("olha")
    dialog = await stage.opened("c1")
    await stage.sql("UPDATE users SET is_active = false WHERE id = :u", u=olha)
    assert await stage.refused("olha", dialog, Take()) == "forbidden"


async def test_offline_one_still_answers_and_closes_what_one_holds(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.offline("olha")
    assert await stage.holder(dialog) == "olha"
    await stage.do("olha", dialog, Say("still here"))
    await stage.do("olha", dialog, Close())


async def test_a_supervisor_assigns_and_the_former_holders_slot_serves_the_queue(stage):
    await stage.person("boss", role="supervisor")
    await stage.person("olha", online=True, max_dialogs=1)
    held = await stage.opened("c1")
    waiting = await stage.opened("c2")
    await stage.person("taras")
    await stage.sql("UPDATE operators SET max_dialogs = 1 WHERE user_id = :u", u=stage.people["taras"])
    await stage.team("elsewhere")
    await stage.person("iryna", "elsewhere", online=True)
    assert await stage.refused("olha", held, Assign(stage.people["iryna"])) == "forbidden"
    await stage.do("boss", held, Assign(stage.people["iryna"]))
    assert (await stage.holder(held), await stage.holder(waiting)) == ("iryna", "olha")


async def test_assigning_a_chat_to_somebody_who_is_not_online_is_refused(stage):
    await stage.person("boss", role="supervisor")
    await stage.person("olha")
    dialog = await stage.opened("c1")
    for status in (Presence.OFFLINE, Presence.BUSY, Presence.AWAY):
        await stage.status("olha", status)
        assert await stage.refused("boss", dialog, Assign(stage.people["olha"])) == "operator_offline"
    await stage.sql("UPDATE operators SET max_dialogs = 0 WHERE user_id = :u", u=stage.people["olha"])
    await stage.online("olha")
    await stage.lapse("olha")
    assert await stage.refused("boss", dialog, Assign(stage.people["olha"])) == "operator_offline"


async def test_a_ticket_may_be_assigned_to_somebody_offline_with_room(stage):
    await stage.person("boss", role="supervisor")
    await stage.person("olha", max_dialogs=1)
    one, two = await stage.ticket("c1"), await stage.ticket("c2")
    await stage.do("boss", one, Assign(stage.people["olha"]))
    assert await stage.holder(one) == "olha"
    assert "ticket.reassigned" in await stage.kinds(one)
    assert await stage.refused("boss", two, Assign(stage.people["olha"])) == "at_capacity"


async def test_assigning_to_nobody_known_or_to_a_light_agent_is_refused(stage):
    await stage.person("boss", role="supervisor")
    light = await stage.person("light", role="light_agent", online=True)
    dialog = await stage.opened("c1")
    assert await stage.refused("boss", dialog, Assign(light)) == "operator_unsuitable"
    assert await stage.refused("boss", dialog, Assign(dialog)) == "operator_unsuitable"


async def test_a_supervisor_leads_only_the_own_teams(stage):
    await stage.team("sales")
    await stage.person("boss", "sales", role="supervisor")
    await stage.person("chief", "-", role="supervisor")
    await stage.person("olha", max_dialogs=1)
    dialog = await stage.opened("c1")
    await stage.sql("UPDATE operators SET max_dialogs = 0 WHERE user_id = :u", u=stage.people["olha"])
    await stage.online("olha")
    await stage.sql("UPDATE operators SET max_dialogs = 1 WHERE user_id = :u", u=stage.people["olha"])
    assert await stage.refused("boss", dialog, Assign(stage.people["olha"])) == "not_found"
    await stage.do("chief", dialog, Assign(stage.people["olha"]))


async def test_who_releases_a_dialog_is_not_given_it_again_before_its_next_assignment(stage):
    await stage.person("olha", online=True)
    await stage.person("taras", online=True, max_dialogs=0)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Unassign())
    await stage.online("olha")
    assert await stage.place(dialog) == "queued"
    assert (await stage.decisions(dialog))[-1].excluded == {"at_limit": 1, "excluded": 1}
    await stage.end_windows()
    await stage.carry_out_drains()
    assert await stage.place(dialog) == "queued", "somebody else of the team is online: the exclusion stands"


async def test_a_lone_exclusion_ends_after_one_window(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Unassign())
    assert await stage.place(dialog) == "queued"
    await stage.carry_out_drains()
    assert await stage.place(dialog) == "queued"
    await stage.end_windows()
    assert await stage.carry_out_drains() == 1
    assert await stage.holder(dialog) == "olha"
    assert await stage.sql("SELECT 1 FROM exclusions WHERE dialog_id = :d", d=dialog) == []


async def test_an_exclusion_that_ended_lifts_when_the_last_other_one_leaves(stage):
    await stage.person("olha", online=True)
    await stage.person("taras", online=True, max_dialogs=0)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, Unassign())
    await stage.end_windows()
    await stage.carry_out_drains()
    assert await stage.place(dialog) == "queued"
    await stage.offline("taras")
    assert await stage.holder(dialog) == "olha"


async def test_replying_on_a_waiting_dialog_asks_to_take_it_first(stage):
    await _manual(stage)
    await stage.person("olha")
    dialog = await stage.opened("c1")
    assert await stage.refused("olha", dialog, Say("hi")) == "not_taken"
    await stage.do("olha", dialog, Say("remember", mode="note"))


async def test_replying_needs_the_holder_a_participant_or_a_supervisor(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.person("taras")
    await stage.person("boss", role="supervisor")
    assert await stage.refused("taras", dialog, Say("hi")) == "not_yours"
    await stage.do("boss", dialog, Say("hi"))
    assert await stage.holder(dialog) == "olha"


# connect


async def test_connecting_brings_topic_team_and_weight_and_answers_success_or_limit(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.person("bot", "-", role="integrator")
    dialog = await stage.opened("c1")
    answer = await stage.do("bot", dialog, Connect(topic=stage.key("offers"), weight=3))
    assert (answer["result"], answer["team"], answer["place"]) == ("limit", stage.key("sales"), "queued")
    assert (await stage.dialog(dialog)).weight == 3
    await stage.person("iryna", "sales", online=True)
    answer = await stage.do("bot", dialog, Connect(weight=1))
    assert (answer["result"], answer["operator_id"]) == ("success", str(stage.people["iryna"]))


async def test_connecting_is_the_integrators_right(stage):
    await stage.person("olha")
    dialog = await stage.opened("c1")
    assert await stage.refused("olha", dialog, Connect()) == "forbidden"


async def test_a_forced_dialog_waits_for_the_next_room_although_somebody_is_free(stage):
    await stage.person("bot", "-", role="integrator")
    await stage.person("olha", max_dialogs=3)
    dialog = await stage.opened("c1")
    await stage.do("bot", dialog, Connect(place="queue"))
    await stage.sql(
        "INSERT INTO presence_leases (operator_id, lease_until) VALUES (:o, now() + interval '1 hour')",
        o=stage.people["olha"],
    )
    await stage.sql("UPDATE operators SET status = 'online' WHERE user_id = :o", o=stage.people["olha"])
    arriving = await stage.opened("c2")
    assert (await stage.holder(arriving), await stage.place(dialog)) == ("olha", "queued")
    await stage.require_promises()
    await stage.do("olha", arriving, Close())
    assert await stage.holder(dialog) == "olha"


async def test_connecting_to_a_named_operator_assigns_that_one(stage):
    await _manual(stage)
    await stage.person("bot", "-", role="integrator")
    await stage.person("olha", online=True)
    await stage.person("taras", online=True, max_dialogs=1)
    one, two = await stage.opened("c1"), await stage.opened("c2")
    assert (await stage.do("bot", one, Connect(operator_id=stage.people["taras"])))["result"] == "success"
    assert await stage.holder(one) == "taras"
    assert (await stage.do("bot", two, Connect(operator_id=stage.people["taras"])))["result"] == "limit"
    assert await stage.place(two) == "unassigned"


async def test_connecting_to_a_named_operator_moves_the_dialog_to_the_named_team(stage):
    await stage.team("sales")
    await stage.person("bot", "-", role="integrator")
    await stage.person("iryna", "sales", online=True)
    dialog = await stage.opened("c1")
    await stage.do("bot", dialog, Connect(team=stage.key("sales"), operator_id=stage.people["iryna"]))
    assert ((await stage.dialog(dialog)).team_key, await stage.holder(dialog)) == (stage.key("sales"), "iryna")


async def test_connecting_a_banned_client_changes_nothing(stage):
    await stage.person("bot", "-", role="integrator")
    dialog = await stage.opened("c1")
    await stage.ban(dialog)
    assert (await stage.do("bot", dialog, Connect(weight=9)))["result"] == "banned"
    assert (await stage.dialog(dialog)).weight == 0


async def test_connecting_what_is_held_already_succeeds_and_what_is_closed_is_refused(stage):
    await stage.person("bot", "-", role="integrator")
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    assert (await stage.do("bot", dialog, Connect()))["result"] == "success"
    await stage.do("olha", dialog, Close())
    assert await stage.refused("bot", dialog, Connect()) == "dialog_closed"


async def test_connecting_as_cannot_be_done_is_an_answer_and_changes_nothing(stage):
    await stage.person("bot", "-", role="integrator")
    await stage.person("olha")
    dialog = await stage.opened("c1")
    assert await stage.refused("bot", dialog, Connect(topic="nonsense")) == "unknown_topic"
    away = await stage.do("bot", dialog, Connect(weight=7, operator_id=stage.people["olha"]))
    assert (away["result"], away["code"]) == ("error", "operator_offline")
    nowhere = await stage.do("bot", dialog, Connect(weight=7, team="nonsense"))
    assert (nowhere["result"], nowhere["code"]) == ("error", "invalid")
    assert (await stage.dialog(dialog)).weight == 0


async def test_connecting_a_held_dialog_elsewhere_is_an_error_told_with_the_holder(stage):
    await stage.person("bot", "-", role="integrator")
    await stage.person("olha", online=True)
    await stage.person("taras")
    dialog = await stage.opened("c1")
    assert (await stage.do("bot", dialog, Connect()))["result"] == "success"
    told = await stage.do("bot", dialog, Connect(operator_id=stage.people["taras"]))
    assert (told["result"], told["code"], told["operator_id"]) == ("error", "already_taken", str(stage.people["olha"]))
    assert (await stage.do("bot", dialog, Connect(place="queue")))["result"] == "error"


async def test_connecting_to_somebody_without_room_leaves_the_dialog_where_it_waits(stage):
    await stage.team("paper", auto=False)
    await stage.person("bot", "-", role="integrator")
    await stage.person("olha", "paper", online=True, max_dialogs=0)
    dialog = await stage.opened("c1")
    command = Connect(team=stage.key("paper"), operator_id=stage.people["olha"])
    assert (await stage.do("bot", dialog, command))["result"] == "limit"
    assert ((await stage.dialog(dialog)).team_key, await stage.place(dialog)) == (stage.key("support"), "queued")


async def test_connecting_to_the_queue_and_to_somebody_at_once_is_an_error(stage):
    await stage.person("bot", "-", role="integrator")
    await stage.team("paper", auto=False)
    await stage.person("olha", "paper", online=True)
    dialog = await stage.opened("c1")
    told = await stage.do("bot", dialog, Connect(place="queue", operator_id=stage.people["olha"]))
    assert (told["result"], told["code"], told["operator_id"]) == ("error", "invalid", None)
