"""Who gets which waiting dialog, on real rows (P85, P87 to P109, P113)."""

import asyncio

from domain.commands import AddTag, Close, Connect, SetTopic, Take, Unassign
from domain.presence import Presence


async def test_a_manual_team_keeps_new_dialogs_unassigned_until_one_is_taken(stage):
    await stage.change_team("support", auto=False)
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    assert await stage.place(dialog) == "unassigned"
    await stage.do("olha", dialog, Take())
    assert await stage.holder(dialog) == "olha"


async def test_manual_mode_never_fills_the_queue(stage):
    await stage.change_team("support", auto=False)
    await stage.person("olha", online=True)
    dialogs = [await stage.opened(f"c{i}") for i in range(3)]
    await stage.person("bot", "-", role="admin")
    await stage.do("bot", dialogs[0], Connect(place="queue"))
    assert [await stage.place(d) for d in dialogs] == ["unassigned"] * 3


async def test_an_automatic_team_queues_only_those_with_no_room(stage):
    await stage.person("olha", online=True, max_dialogs=2)
    dialogs = [await stage.opened(f"c{i}") for i in range(3)]
    assert [await stage.place(d) for d in dialogs] == ["owned", "owned", "queued"]
    assert await stage.load("olha") == 2


async def test_a_channel_limit_blocks_that_channel_below_the_general_limit(stage):
    await stage.add_channel("mail", "support")
    await stage.person("olha", online=True, max_dialogs=5, channel_limits={"demo": 1})
    first, second = await stage.opened("c1"), await stage.opened("c2")
    assert (await stage.place(first), await stage.place(second)) == ("owned", "queued")
    assert await stage.holder(await stage.opened("c3", channel="mail")) == "olha"
    assert (await stage.decisions(second))[-1].reason == "all_at_channel_limit"
    assert await stage.refused("olha", second, Take()) == "at_capacity"


async def test_a_full_channel_does_not_hold_up_another_channel_behind_it(stage):
    await stage.add_channel("mail", "support")
    await stage.person("olha", max_dialogs=5, channel_limits={"demo": 0})
    blocked = await stage.opened("c1")
    passing = await stage.opened("c2", channel="mail")
    await stage.online("olha")
    assert (await stage.place(blocked), await stage.holder(passing)) == ("queued", "olha")


async def test_closing_gives_the_next_queued_dialog_away_at_once(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    first, second, third = [await stage.opened(f"c{i}") for i in range(3)]
    await stage.do("olha", first, Close())
    assert (await stage.holder(second), await stage.place(third)) == ("olha", "queued")
    assert (await stage.decisions(second))[-1].cause == "closed"


async def test_going_online_drains_the_queue_up_to_the_limit_oldest_first(stage):
    await stage.person("olha", max_dialogs=2)
    dialogs = [await stage.opened(f"c{i}") for i in range(4)]
    await stage.online("olha")
    assert [await stage.place(d) for d in dialogs] == ["owned", "owned", "queued", "queued"]


async def test_the_heavier_dialog_leaves_the_queue_first(stage):
    await stage.person("olha", max_dialogs=1)
    old, heavy = await stage.opened("c1"), await stage.opened("c2", weight=5)
    await stage.online("olha")
    assert (await stage.place(old), await stage.place(heavy)) == ("queued", "owned")


async def test_a_returned_dialog_keeps_its_original_waiting_age(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    first = await stage.opened("c1")
    second = await stage.opened("c2")
    await stage.person("taras", max_dialogs=1)
    await stage.do("olha", first, Unassign())
    assert await stage.holder(second) == "olha"
    await stage.opened("c3")
    await stage.online("taras")
    assert await stage.holder(first) == "taras"


async def test_fewest_dialogs_wins_and_the_earliest_last_close_breaks_the_tie(stage):
    await stage.person("olha", online=True)
    await stage.person("taras", online=True)
    one, two = await stage.opened("c1"), await stage.opened("c2")
    assert {await stage.holder(one), await stage.holder(two)} == {"olha", "taras"}
    first_closer = await stage.holder(two)
    await stage.do(first_closer, two, Close())
    await stage.do(await stage.holder(one), one, Close())
    three = await stage.opened("c3")
    assert await stage.holder(three) == first_closer
    assert await stage.holder(await stage.opened("c4")) != first_closer


async def test_round_robin_goes_to_whoever_waited_longest_for_a_dialog(stage):
    await stage.change_team("support", distribution="round_robin")
    for name in ("olha", "taras", "iryna"):
        await stage.person(name, online=True)
    turns = [await stage.holder(await stage.opened(f"c{i}")) for i in range(6)]
    assert sorted(turns[:3]) == ["iryna", "olha", "taras"]
    assert turns[3:] == turns[:3]


async def test_round_robin_remembers_the_turns_within_one_drain(stage):
    await stage.change_team("support", distribution="round_robin")
    for name in ("olha", "taras", "iryna"):
        await stage.person(name, max_dialogs=9)
    waiting = [await stage.opened(f"c{i}") for i in range(5)]
    async with stage.sessions.begin() as session:
        from sqlalchemy import text

        # three people become reachable at one stroke, so that one drain serves all of them
        await session.execute(
            text(
                "INSERT INTO presence_leases (operator_id, lease_until)"
                " SELECT unnest(CAST(:ids AS uuid[])), now() + interval '1 hour'"
            ),
            {"ids": list(stage.people.values())},
        )
        await session.execute(
            text("UPDATE operators SET status = 'online' WHERE user_id = ANY(:ids)"),
            {"ids": list(stage.people.values())[1:]},
        )
    await stage.online("olha")
    turns = [await stage.holder(d) for d in waiting]
    assert sorted(turns[:3]) == ["iryna", "olha", "taras"]
    assert turns[3:] == turns[:2]
    assert await stage.holder(await stage.opened("c9")) == turns[2]


async def test_topic_priority_lets_the_urgent_topic_leave_first(stage):
    await stage.change_team("support", distribution="topic_priority")
    await stage.topic("idle", "support", priority=0)
    await stage.topic("urgent", "support", priority=9)
    await stage.person("olha", max_dialogs=1)
    idle = await stage.opened("c1", topic="idle", weight=7)
    urgent_later = await stage.opened("c2", topic="urgent")
    await stage.opened("c3", topic="urgent")
    await stage.online("olha")
    assert (await stage.place(idle), await stage.holder(urgent_later)) == ("queued", "olha")


async def test_a_changed_method_counts_from_the_next_decision(stage):
    await stage.person("olha", online=True)
    await stage.person("taras", online=True)
    first = await stage.opened("c1")
    one = await stage.holder(first)
    other = {"olha": "taras", "taras": "olha"}[one]
    second = await stage.opened("c2")
    assert await stage.holder(second) == other
    await stage.do(other, second, Close())
    await stage.change_team("support", distribution="round_robin")
    third = await stage.opened("c3")
    assert await stage.holder(third) == one
    assert (await stage.decisions(third))[-1].method == "round_robin"


async def test_busy_away_and_offline_people_get_nothing(stage):
    for name, status in (("olha", Presence.BUSY), ("taras", Presence.AWAY), ("iryna", Presence.OFFLINE)):
        await stage.person(name)
        await stage.status(name, status)
    dialog = await stage.opened("c1")
    assert await stage.place(dialog) == "queued"
    decision = (await stage.decisions(dialog))[-1]
    assert (decision.outcome, decision.reason, decision.excluded) == ("waiting", "nobody_online", {"not_online": 3})


async def test_a_lost_connection_gets_nothing_until_it_comes_back(stage):
    await stage.person("olha", online=True)
    await stage.lapse("olha")
    dialog = await stage.opened("c1")
    assert await stage.place(dialog) == "queued"
    await stage.come_back("olha")
    assert await stage.holder(dialog) == "olha"


async def test_only_the_team_of_the_topic_gets_its_dialogs(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.person("olha", "support", online=True)
    dialog = await stage.opened("c1", topic="offers")
    assert ((await stage.dialog(dialog)).team_key, await stage.place(dialog)) == (stage.key("sales"), "queued")
    await stage.person("iryna", "sales", online=True)
    assert await stage.holder(dialog) == "iryna"


async def test_a_topic_of_several_teams_goes_to_the_first_with_a_candidate(stage):
    await stage.team("gold")
    await stage.team("silver")
    await stage.topic("cards", "gold", "silver")
    await stage.person("iryna", "silver", online=True)
    assert await stage.holder(await stage.opened("c1", topic="cards")) == "iryna"
    await stage.offline("iryna")
    assert (await stage.dialog(await stage.opened("c2", topic="cards"))).team_key == stage.key("gold")


async def test_light_agents_are_never_candidates(stage):
    await stage.person("light", role="light_agent", online=True)
    dialog = await stage.opened("c1")
    assert (await stage.decisions(dialog))[-1].reason == "team_empty"


async def test_a_team_without_members_queues_and_says_so(stage):
    dialog = await stage.opened("c1")
    assert await stage.place(dialog) == "queued"
    assert (await stage.decisions(dialog))[-1].reason == "team_empty"


async def test_at_the_daily_quota_only_known_clients_come(stage):
    await stage.person("olha", online=True, max_dialogs=9, daily_quota=2)
    one, two, three = [await stage.opened(f"c{i}") for i in range(3)]
    assert [await stage.place(d) for d in (one, two, three)] == ["owned", "owned", "queued"]
    assert (await stage.decisions(three))[-1].reason == "all_at_quota"
    await stage.do("olha", one, Close())
    await stage.sql("UPDATE channels SET reopen_window = 0 WHERE key = :c", c=stage.channel)
    again = await stage.opened("c0")
    assert again != one
    assert await stage.holder(again) == "olha"


async def test_a_deactivated_person_gets_nothing(stage):
    olha = await stage.person("olha", online=True)
    await stage.sql("UPDATE users SET is_active = false WHERE id = :u", u=olha)
    assert await stage.place(await stage.opened("c1")) == "queued"


async def test_every_assignment_keeps_its_why(stage):
    await stage.person("olha", online=True, max_dialogs=3)
    await stage.person("taras", online=True, max_dialogs=3)
    await stage.person("iryna")
    dialog = await stage.opened("c1")
    decision = (await stage.decisions(dialog))[-1]
    assert decision.winner_id == (await stage.dialog(dialog)).operator_id
    assert {c["operator_id"] for c in decision.candidates} == {str(stage.people[n]) for n in ("olha", "taras")}
    assert [c["limit"] for c in decision.candidates] == [3, 3]
    assert decision.excluded == {"not_online": 1}
    assert (decision.outcome, decision.method, decision.reason) == ("assigned", "least_loaded", "least_loaded")


async def test_more_than_a_hundred_go_in_several_transactions_and_none_is_forgotten(stage):
    await stage.person("olha", max_dialogs=130)
    for ten in range(0, 130, 10):
        await asyncio.gather(*[stage.opened(f"c{ten + i}") for i in range(10)])
    await stage.online("olha")
    assert await stage.load("olha") == 100
    assert await stage.carry_out_drains() == 30
    assert await stage.load("olha") == 130
    await stage.carry_out_drains()


async def test_a_shared_operator_is_filled_across_teams(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.person("olha", "support", "sales", max_dialogs=2)
    sales, support, late = (
        await stage.opened("c1", topic="offers"), await stage.opened("c2"), await stage.opened("c3", topic="offers")
    )  # fmt: skip
    await stage.online("olha")
    assert [await stage.place(d) for d in (sales, support, late)] == ["owned", "owned", "queued"]
    await stage.do("olha", support, Close())
    assert await stage.holder(late) == "olha"


async def test_a_slot_freed_in_one_team_serves_the_other(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.person("olha", "support", "sales", max_dialogs=1, online=True)
    mine = await stage.opened("c1", topic="offers")
    waiting = await stage.opened("c2")
    await stage.do("olha", mine, Unassign())
    assert await stage.holder(waiting) == "olha"
    assert await stage.place(mine) == "queued"


async def test_a_waiting_dialog_whose_topic_changes_goes_to_the_topics_team_at_once(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.person("taras", "support")
    await stage.person("iryna", "sales", online=True)
    dialog = await stage.opened("c1")
    await stage.do("taras", dialog, SetTopic(stage.key("offers")))
    assert await stage.holder(dialog) == "iryna"
    assert (await stage.kinds(dialog))[-3:] == ["dialog.topic_changed", "dialog.team_changed", "dialog.assigned"]


async def test_a_held_dialog_stays_with_its_holder_when_its_topic_changes(stage):
    await stage.team("sales")
    await stage.topic("offers", "sales")
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, SetTopic(stage.key("offers")))
    assert await stage.holder(dialog) == "olha"


async def test_tagging_a_queued_dialog_does_not_lose_its_turn(stage):
    await stage.person("olha", max_dialogs=1)
    await stage.person("boss", role="supervisor")
    await stage.tag("vip")
    dialog = await stage.opened("c1")
    await asyncio.gather(*[stage.do("boss", dialog, AddTag(stage.key("vip"))) for _ in range(5)], stage.online("olha"))
    assert await stage.holder(dialog) == "olha"


async def test_a_channel_whose_team_is_inactive_falls_back_to_the_default_team(stage):
    await stage.team("rest")
    await stage.setting("default_team", stage.key("rest"))
    await stage.change_team("support", active=False)
    await stage.person("iryna", "rest", online=True)
    assert await stage.holder(await stage.opened("c1")) == "iryna"
