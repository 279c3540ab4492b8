"""Typed fields of tickets by their topic, the library they come from, and priorities."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from domain.commands import Close, SetFields, SetPriority, SetTopic
from domain.errors import DomainError, InvalidError
from store import priorities, sla_policies, ticket_fields, topic_tree
from tests.store.actors import Run
from tests.store.stage import Stage
from tests.store.ticketing import field, of_topic, opens, setting, told

SPARE = {"name_uk": "Дуже", "name_en": "Very", "position": 1_000}


async def test_a_ticket_has_the_typed_fields_of_its_topic_and_no_others(stage: Stage):
    await stage.person("olha", online=True)
    topic = await stage.topic("payment", "support")
    amount, colour = await field(stage, "amount", "number"), await field(stage, "colour", "list", ["red", "blue"])
    other = await field(stage, "other")
    await of_topic(stage, topic, colour=False, amount=True)
    answer = await opens(stage, "olha", topic=topic, fields={amount: "12.50"})
    dialog = UUID(answer["ticket_id"])
    done = await stage.do("olha", dialog, SetFields({colour: "red", amount: 13}))
    assert done == {"fields": {amount: 13, colour: "red"}, "changed": True}
    for wrong in ({colour: "green"}, {amount: "much"}, {other: "x"}, {"nothing": None}):
        assert await stage.refused("olha", dialog, SetFields(wrong)) == "invalid"
    shown = await told(stage, "olha", dialog)
    assert [(f["key"], f["type"], f["required"], f["value"]) for f in shown["topic_fields"]] == [
        (colour, "list", False, "red"), (amount, "number", True, 13),
    ]  # fmt: skip
    [event_] = await stage.sql(
        "SELECT data FROM events WHERE dialog_id = :d AND kind = 'ticket.updated' ORDER BY id", d=dialog
    )
    assert event_.data == {
        "fields": [amount, colour], "before": {"fields": {amount: 12.5, colour: None}},
        "after": {"fields": {amount: 13, colour: "red"}},
    }  # fmt: skip
    assert await Run(stage).refused(dialog, "set_field", field=colour.replace("-", "_"), value="red") == "invalid"


async def test_required_fields_are_asked_for_at_closing_by_people_and_by_runs(stage: Stage):
    await stage.person("olha", online=True)
    topic = await stage.topic("payment", "support")
    amount = await field(stage, "amount", "number")
    await of_topic(stage, topic, amount=True)
    dialog = UUID((await opens(stage, "olha", topic=topic))["ticket_id"])
    refused = await stage.ask("olha", dialog, Close())
    assert (refused.refusal, refused.answer["extra"]) == (
        "fields_required", {"fields": [{"key": amount, "name": "Amount"}]},
    )  # fmt: skip
    assert await Run(stage).refused(dialog, "close") == "invalid:fields_required"
    await stage.do("olha", dialog, SetFields({amount: 0}))
    assert (await stage.do("olha", dialog, Close()))["status"] == "closed"


async def test_a_change_of_topic_leaves_values_behind_that_are_no_longer_required(stage: Stage):
    await stage.person("olha", online=True)
    payment, delivery = await stage.topic("payment", "support"), await stage.topic("delivery", "support")
    amount, both = await field(stage, "amount", "number"), await field(stage, "both", "date")
    await of_topic(stage, payment, amount=True, both=True)
    await of_topic(stage, delivery, both=False)
    dialog = UUID((await opens(stage, "olha", topic=payment, fields={amount: 5, both: "2026-11-22"}))["ticket_id"])
    await stage.do("olha", dialog, SetTopic(delivery))
    shown = await told(stage, "olha", dialog)
    assert (shown["left"], [f["value"] for f in shown["topic_fields"]]) == ({amount: 5}, ["2026-11-22"])
    assert await stage.refused("olha", dialog, SetFields({amount: 6})) == "invalid"
    await stage.do("olha", dialog, SetFields({amount: None, both: None}))
    assert (await stage.dialog(dialog)).fields == {}
    await stage.do("olha", dialog, Close())


async def test_priorities_are_a_table_and_one_in_use_stays(stage: Stage):
    await stage.person("olha", online=True)
    dialog = UUID((await opens(stage, "olha"))["ticket_id"])
    key = stage.key("very")
    assert await stage.refused("olha", dialog, SetPriority(key)) == "invalid"
    await setting(stage, lambda w: priorities.add(w, {"key": key, **SPARE}))
    assert (await stage.do("olha", dialog, SetPriority(key)))["changed"] is True
    with pytest.raises(DomainError) as refused:
        await setting(stage, lambda w: priorities.remove(w, key))
    assert (refused.value.code, refused.value.extra["where"]) == ("in_use", {"dialogs": 1})
    with pytest.raises(DomainError, match="begins with"):
        await setting(stage, lambda w: priorities.remove(w, "normal"))
    with pytest.raises(DomainError, match="stands at this position"):
        await setting(stage, lambda w: priorities.add(w, {"key": stage.key("other"), **SPARE}))
    await stage.do("olha", dialog, SetPriority("low"))
    await setting(stage, lambda w: priorities.remove(w, key))
    told_ = await stage.row("SELECT data FROM events WHERE kind = 'settings.changed' ORDER BY id DESC LIMIT 1")
    assert (told_.data["what"], told_.data["before"]["position"], told_.data["after"]) == ("priority", 1_000, None)


async def test_a_policy_holds_the_priorities_it_names_until_it_is_removed(stage: Stage):
    level, gold = stage.key("level"), stage.key("gold")
    await setting(stage, lambda w: priorities.add(w, {"key": level, **SPARE}))
    metrics = [{"metric": "tfr", "target": 900, "targets": {level: 60}}]
    await setting(stage, lambda w: sla_policies.add(w, {"key": gold, "name": "Gold", "metrics": metrics}, by=None))
    with pytest.raises(DomainError) as refused:
        await setting(stage, lambda w: priorities.remove(w, level))
    assert refused.value.extra["where"] == {"sla_policies": [gold]}
    await setting(stage, lambda w: sla_policies.remove(w, gold))
    await setting(stage, lambda w: priorities.remove(w, level))


async def test_a_priority_going_away_and_a_ticket_taking_it_do_not_meet_in_an_error(stage: Stage):
    await stage.person("olha", online=True, max_dialogs=100)
    for n in range(5):
        key = stage.key(f"level-{n}")
        await setting(stage, lambda w, key=key, n=n: priorities.add(w, {**SPARE, "key": key, "position": 2_000 + n}))
        said = await asyncio.gather(
            opens(stage, "olha", priority=key),
            setting(stage, lambda w, key=key: priorities.remove(w, key)),
            return_exceptions=True,
        )
        refused = [s for s in said if isinstance(s, BaseException)]
        assert len(refused) == 1
        assert isinstance(refused[0], DomainError)


async def test_a_field_of_the_library_is_judged_and_stays_while_topics_have_it(stage: Stage):
    await stage.person("boss", role="admin")
    topic = await stage.topic("payment", "support")
    key = await field(stage, "colour", "list", ["red"])
    for wrong in ({"type": "list", "options": []}, {"type": "text", "options": ["a"]}):
        given = {"key": stage.key("x"), "name": "X", "active": True, **wrong}
        with pytest.raises(InvalidError):
            await setting(stage, lambda w, given=given: ticket_fields.add(w, given))
    with pytest.raises(InvalidError):
        await setting(stage, lambda w: ticket_fields.change(w, key, {"options": ["a", "a"]}))
    with pytest.raises(InvalidError):
        await setting(stage, lambda w: topic_tree.change(w, topic, {"fields": [{"key": "nothing", "required": False}]}))
    await of_topic(stage, topic, colour=True)
    with pytest.raises(DomainError) as refused:
        await setting(stage, lambda w: ticket_fields.remove(w, key))
    assert refused.value.extra["where"] == {"topics": [topic]}
    await setting(stage, lambda w: ticket_fields.change(w, key, {"active": False}))
    async with stage.sessions() as session:
        assert await ticket_fields.fields_of_topic(session, topic) == ()
    await setting(stage, lambda w: topic_tree.change(w, topic, {"fields": []}))
    await setting(stage, lambda w: ticket_fields.remove(w, key))
