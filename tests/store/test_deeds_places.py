"""Actions that move dialogs: what they do, what they refuse, how they are taken back (P138–P142, I2)."""

from __future__ import annotations

import asyncio

import pytest

from domain.commands import Close, Take
from domain.walks.ports import StepError
from store.deeds.doing import do
from tests.store.actors import Run, deed
from tests.store.stage import Stage


async def held(stage: Stage, who: str, address: str) -> object:
    dialog = await stage.opened(address)
    if await stage.holder(dialog) != who:
        await stage.do(who, dialog, Take())
    return dialog


async def test_a_redistributed_dialog_goes_to_the_least_loaded_other(stage: Stage):
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.person("taras", online=True)
    run = Run(stage)
    done = await run.act(dialog, "distribute", to="online", exclude=[str(olha)], otherwise="queue")
    assert done.result["operator"] == {"id": str(stage.people["taras"]), "name": "Taras"}
    assert (done.result["queued"], done.result["place"]) == (False, "owned")
    assert await stage.holder(dialog) == "taras"
    assert done.snapshot is not None
    assert done.snapshot.operator["name"] == "Taras"
    assert done.snapshot.dialog["operator_id"] == str(stage.people["taras"])
    [*_, decision] = await stage.decisions(dialog)
    assert (decision.cause, decision.winner_id) == ("redistributed", stage.people["taras"])


async def test_with_nobody_free_it_waits_before_ordinary_ones_and_the_source_is_spared(stage: Stage):
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    done = await Run(stage).act(dialog, "distribute", to="online", exclude=[str(olha)])
    assert done.result["operator"] is None
    assert done.result["queued"]
    assert done.result["place"] == "queued"
    row = await stage.dialog(dialog)
    assert (row.place, row.weight) == ("queued", 10)
    spared = await stage.sql("SELECT operator_id FROM exclusions WHERE dialog_id = :d", d=dialog)
    assert [r.operator_id for r in spared] == [olha]


async def test_a_weight_that_is_higher_already_stays_and_one_that_is_asked_for_counts(stage: Stage):
    olha = await stage.person("olha", online=True)
    heavy, light = await stage.opened("a", weight=50), await stage.opened("b")
    await stage.sql("UPDATE dialogs SET weight = 50 WHERE id = :d", d=heavy)
    run = Run(stage)
    await run.act(heavy, "distribute", to="online", exclude=[str(olha)])
    await run.act(light, "distribute", to="online", exclude=[str(olha)], weight=3)
    assert [(await stage.dialog(d)).weight for d in (heavy, light)] == [50, 3]


async def test_with_fail_nothing_changes(stage: Stage):
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    before = await stage.dialog(dialog)
    refusal = await Run(stage).refused(dialog, "distribute", to="online", exclude=[str(olha)], otherwise="fail")
    assert refusal == "conflict"
    assert await stage.dialog(dialog) == before


async def test_the_holder_keeps_a_dialog_nobody_else_should_have(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    run = Run(stage)
    done = await run.act(dialog, "distribute", to="online")
    assert done.result["operator"]["name"] == "Olha"
    assert run.kept[-1].undo is None


async def test_any_team_looks_elsewhere_only_when_its_own_has_nobody(stage: Stage):
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.team("sales")
    iryna = await stage.person("iryna", "sales", online=True)
    others = [r.id for r in await stage.sql("SELECT id FROM users WHERE id <> :i", i=iryna)]
    run = Run(stage)
    done = await run.act(dialog, "distribute", to="any", exclude=[str(i) for i in others][-99:])
    assert str(olha) != done.result["operator"]["id"]
    assert (await stage.dialog(dialog)).team_key != stage.key("support")
    assert run.restarts == 1
    await stage.person("taras", online=True)
    second = await stage.opened("d")
    spared = Run(stage)
    await spared.act(second, "distribute", to="any", exclude=[str(olha)])
    assert (await stage.holder(second), spared.restarts) == ("taras", 0)


async def test_to_a_team_or_to_the_topics_team(stage: Stage):
    await stage.person("olha", online=True)
    await stage.team("sales")
    await stage.person("iryna", "sales", online=True)
    topic = await stage.topic("offers", "sales")
    first, second = await stage.opened("a"), await stage.opened("b")
    run = Run(stage)
    assert (await run.act(first, "distribute", to="team", team=stage.key("sales"))).result["operator"][
        "name"
    ] == "Iryna"
    await run.act(second, "set_topic", topic=topic)
    assert (await run.act(second, "distribute", to="topic_team")).result["operator"]["name"] == "Iryna"
    assert await run.refused(second, "distribute", to="team", team="nowhere") == "invalid"


async def test_a_strategy_ranks_this_decision_only(stage: Stage):
    olha = await stage.person("olha", online=True, max_dialogs=9)
    dialog = await stage.opened("c")
    taras, iryna = await stage.person("taras", online=True), await stage.person("iryna", online=True)
    await stage.sql("UPDATE operators SET last_assigned_at = now() WHERE user_id = :o", o=taras)
    await stage.sql("UPDATE operators SET last_assigned_at = now() - interval '1 day' WHERE user_id = :o", o=iryna)
    await Run(stage).act(dialog, "distribute", to="online", exclude=[str(olha)], strategy="round_robin")
    assert await stage.holder(dialog) == "iryna"
    assert (await stage.decisions(dialog))[-1].method == "round_robin"


async def test_two_runs_at_once_give_one_dialog_to_one_person_and_never_beyond_limits(stage: Stage):
    olha = await stage.person("olha", online=True, max_dialogs=10)
    dialogs = [await stage.opened(f"c{n}") for n in range(8)]
    await stage.person("taras", online=True, max_dialogs=2)
    await stage.person("iryna", online=True, max_dialogs=3)
    runs = [Run(stage), Run(stage)]
    await asyncio.gather(*(run.act(d, "distribute", to="online", exclude=[str(olha)]) for d in dialogs for run in runs))
    assert (await stage.load("taras"), await stage.load("iryna"), await stage.load("olha")) == (2, 3, 0)
    assert [await stage.place(d) for d in dialogs].count("queued") == 3


async def test_freed_room_is_filled_when_the_source_is_still_there(stage: Stage):
    olha = await stage.person("olha", online=True, max_dialogs=1)
    first = await stage.opened("a")
    second = await stage.opened("b")
    await Run(stage).act(first, "distribute", to="online", exclude=[str(olha)])
    assert await stage.holder(second) == "olha"
    assert await stage.place(first) == "queued"


async def test_a_redistribution_is_taken_back_while_untouched(stage: Stage):
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.person("taras", online=True)
    run = Run(stage)
    await run.act(dialog, "distribute", to="online", exclude=[str(olha)])
    await stage.offline("olha")
    assert await run.take_back(dialog) == "undone"
    assert await stage.holder(dialog) == "olha"
    await run.act(dialog, "distribute", to="online", exclude=[str(olha)])
    await stage.do("taras", dialog, Close())
    assert await run.take_back(dialog) == "changed_since"


async def test_a_waiting_one_is_given_back_to_who_had_it_with_its_weight(stage: Stage):
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    run = Run(stage)
    await run.act(dialog, "distribute", to="online", exclude=[str(olha)])
    assert await run.take_back(dialog) == "undone"
    assert (await stage.holder(dialog), (await stage.dialog(dialog)).weight) == ("olha", 0)


async def test_what_no_longer_fits_cannot_be_taken_back(stage: Stage):
    olha = await stage.person("olha", online=True, max_dialogs=1)
    dialog = await stage.opened("c")
    await stage.person("taras", online=True)
    run = Run(stage)
    await run.act(dialog, "distribute", to="online", exclude=[str(olha)])
    other = await stage.opened("d")
    if await stage.holder(other) != "olha":
        await Run(stage).act(other, "assign", operator=str(olha))
    assert await run.take_back(dialog) == "cannot_be_undone"
    assert await stage.holder(dialog) == "taras"


async def test_assign_and_unassign(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    taras = await stage.person("taras", online=True)
    away = await stage.person("away")
    run = Run(stage)
    done = await run.act(dialog, "assign", operator=str(taras), reason="Knows the client")
    assert done.result["operator"]["name"] == "Taras"
    assert await stage.holder(dialog) == "taras"
    assert await run.take_back(dialog) == "undone"
    assert await stage.holder(dialog) == "olha"
    assert await run.refused(dialog, "assign", operator=str(away)) == "conflict:operator_offline"
    assert await run.refused(dialog, "assign", operator="nobody") == "invalid"
    await stage.offline("taras")
    done = await run.act(dialog, "unassign", to="queue")
    assert done.result["changed"]
    assert await stage.place(dialog) == "queued"
    assert (await run.act(dialog, "unassign")).result["changed"] is False


async def test_an_offer_with_its_own_window_and_its_taking_back(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    taras = await stage.person("taras", online=True)
    run = Run(stage)
    done = await run.act(dialog, "transfer", operator=str(taras), accept_within="30s", on_timeout="pool", note="Please")
    row = await stage.transfer(done.result["offer_id"])
    assert (row.window, row.fallback, row.offered_by) == (30, "pool", None)
    assert await run.refused(dialog, "transfer", operator=str(taras)) == "conflict:offer_pending"
    assert await run.refused(dialog, "transfer", operator=str(taras), accept_within="1s") == "invalid"
    assert await run.take_back(dialog) == "undone"
    assert (await stage.transfer(done.result["offer_id"])).state == "rescinded"


async def test_to_a_team_and_back(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    vip = await stage.team("vip")
    run = Run(stage)
    done = await run.act(dialog, "transfer_to_team", team=vip, note="SLA")
    assert done.result["team"] == vip
    assert await stage.place(dialog) == "queued"
    assert (await run.act(dialog, "transfer_to_team", team=vip)).result["changed"] is False
    run.kept.pop()
    assert await run.take_back(dialog) == "undone"
    assert (await stage.holder(dialog), (await stage.dialog(dialog)).team_key) == ("olha", stage.key("support"))
    assert await run.refused(dialog, "transfer_to_team", team="nowhere") == "invalid"


async def test_reopening_an_open_dialog_changes_nothing(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    before = await stage.dialog(dialog)
    run = Run(stage)
    done = await run.act(dialog, "reopen", reason="Again")
    assert done.result == {"status": "open", "changed": False}
    assert done.snapshot is None
    assert await stage.dialog(dialog) == before
    assert run.kept[-1].undo is None


async def test_close_reopen_and_their_taking_back(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    run = Run(stage)
    assert (await run.act(dialog, "close", reason="No answer", silent=True)).result == {
        "status": "closed", "changed": True,
    }  # fmt: skip
    assert (await run.act(dialog, "close")).result["changed"] is False
    run.kept.pop()
    closed = await stage.dialog(dialog)
    assert (await stage.sql("SELECT data FROM events WHERE kind = 'dialog.closed' AND dialog_id = :d", d=dialog))[
        0
    ].data["silent"]
    assert await run.take_back(dialog) == "undone"
    assert await stage.holder(dialog) == "olha"
    await run.act(dialog, "close", silent=True)
    closed = await stage.dialog(dialog)
    await run.act(dialog, "reopen", reason="Run 7")
    assert await stage.holder(dialog) == "olha"
    assert await run.take_back(dialog) == "undone"
    row = await stage.dialog(dialog)
    assert (row.status, row.closed_at, row.closed_by) == ("closed", closed.closed_at, closed.closed_by)


async def test_a_required_topic_is_required_of_runs_too(stage: Stage):
    await stage.person("olha", online=True)
    await stage.topic("billing", "support", required=True)
    dialog = await stage.opened("c")
    assert await Run(stage).refused(dialog, "close") == "invalid:topic_required"


async def test_another_open_dialog_is_a_conflict_that_names_it(stage: Stage):
    await stage.person("olha", online=True)
    first = await stage.opened("c")
    await stage.do("olha", first, Close())
    await stage.sql("UPDATE channels SET reopen_window = 0 WHERE key = :c", c=stage.channel)
    second = await stage.opened("c")
    with pytest.raises(StepError) as caught:
        await Run(stage).act(first, "reopen")
    assert caught.value.details == {"code": "another_dialog_open", "dialog_id": str(second)}


async def test_a_failed_action_leaves_nothing_and_those_before_it_stay(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.person("full", online=True, max_dialogs=0)
    run = Run(stage)

    async def story(scenery):
        await do(scenery, deed("add_note", {"text": "before"}))
        with pytest.raises(StepError):
            await do(scenery, deed("assign", {"operator": str(stage.people["full"])}))
        await do(scenery, deed("set_priority", {"priority": "high"}))
        return await do(scenery, deed("add_note", {"text": "after"}))

    await run.within(dialog, story)
    assert await stage.holder(dialog) == "olha"
    notes = await stage.sql(
        "SELECT text FROM messages WHERE dialog_id = :d AND direction = 'note' ORDER BY seq", d=dialog
    )
    assert [n.text for n in notes] == ["before", "after"]
    assert (await stage.dialog(dialog)).priority == "high"


async def test_people_brought_in_by_one_action_may_be_of_other_teams_for_the_next(stage: Stage):
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.team("sales")
    await stage.team("night")
    await stage.person("iryna", "sales", "night", online=True)
    run = Run(stage)
    made = await run.acts(
        dialog,
        ("distribute", {"to": "team", "team": stage.key("sales"), "exclude": [str(olha)]}),
        ("close", {"silent": True}),
    )
    assert made[-1].result["status"] == "closed"
    assert run.restarts == 2


async def test_a_changed_dialog_refuses_what_should_meet_it_unchanged(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    revision = (await stage.dialog(dialog)).revision
    run = Run(stage)

    async def story(scenery):
        asked = {"priority": "high", "if_unchanged": True}
        done = await do(scenery, deed("set_priority", asked, revision=revision))
        with pytest.raises(StepError) as caught:
            await do(scenery, deed("set_priority", {**asked, "priority": "low"}, revision=revision))
        assert caught.value.type == "conflict"
        return await do(scenery, deed("set_priority", {**asked, "priority": "low"}, revision=done.snapshot.revision))

    await run.within(dialog, story)
    assert (await stage.dialog(dialog)).priority == "low"


async def test_a_launchers_rights_and_a_versions_grants_are_asked(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.person("light", role="light_agent")
    await stage.person("boss", role="supervisor")
    await stage.team("sales")
    await stage.person("stranger", "sales", role="supervisor")
    assert await Run(stage, "olha").refused(dialog, "distribute", to="online") == "forbidden"
    assert await Run(stage, "light").refused(dialog, "close") == "forbidden"
    assert await Run(stage, "stranger").refused(dialog, "close") == "forbidden"
    assert await Run(stage, granted=frozenset({"dialog.note"})).refused(dialog, "close") == "forbidden"
    await Run(stage, "light").act(dialog, "add_note", text="I only look")
    await Run(stage, "boss").act(dialog, "close")
    assert await stage.place(dialog) is None


async def test_a_stage_opened_without_teams_says_which_it_needs(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    run = Run(stage)
    await run.within(dialog, lambda scenery: do(scenery, deed("close", {})), heavy=False)
    assert (await stage.place(dialog), run.restarts) == (None, 1)


async def test_an_offer_whose_time_is_over_is_settled_before_anything_else(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    taras = await stage.person("taras", online=True)
    run = Run(stage)
    done = await run.act(dialog, "transfer", operator=str(taras))
    await stage.pass_deadline(done.result["offer_id"])
    await run.within(dialog, lambda scenery: do(scenery, deed("set_priority", {"priority": "low"})), heavy=False)
    assert (await stage.transfer(done.result["offer_id"])).state == "expired"


async def test_who_may_not_mark_makes_no_tag(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.person("taras")
    assert await Run(stage, "taras").refused(dialog, "add_tag", tag=stage.key("x")) == "forbidden:not_yours"
    assert await stage.sql("SELECT 1 FROM tags WHERE key = :t", t=stage.key("x")) == []


@pytest.mark.parametrize(("mine", "place"), [("support", "queued"), ("manual", "unassigned")])
async def test_a_waiting_dialog_taken_back_from_another_team_waits_as_its_own_team_does(stage, mine, place):
    """One distributes by itself, the other does not (I1)."""
    await stage.team("manual", auto=False)
    await stage.add_channel("desk", mine)
    dialog, run = await stage.opened("c", channel="desk"), Run(stage)
    assert await stage.place(dialog) == place
    await run.act(dialog, "transfer_to_team", team=stage.key({"support": "manual", "manual": "support"}[mine]))
    assert await stage.place(dialog) != place
    assert await run.take_back(dialog) == "undone"
    assert ((await stage.dialog(dialog)).team_key, await stage.place(dialog)) == (stage.key(mine), place)
