"""Topic, tags and priority of a dialog, and the people in it (P126; DECISIONS 16, 20)."""

from domain.commands import (
    AddParticipant,
    AddTag,
    Close,
    RemoveParticipant,
    RemoveTag,
    Say,
    SetPriority,
    SetTopic,
)


async def test_tags_are_put_on_and_off_once_and_only_known_ones(stage):
    await stage.person("olha", online=True)
    await stage.tag("vip")
    await stage.tag("refund")
    dialog = await stage.opened("c1")
    vip, refund = stage.key("vip"), stage.key("refund")
    for tag in (vip, refund, vip):
        await stage.do("olha", dialog, AddTag(tag))
    assert (await stage.dialog(dialog)).tags == sorted([vip, refund])
    for tag in (vip, vip):
        answer = await stage.do("olha", dialog, RemoveTag(tag))
    assert (answer["tags"], answer["changed"]) == ([refund], False)
    assert await stage.refused("olha", dialog, AddTag("nonsense")) == "invalid"
    kinds = await stage.kinds(dialog)
    assert (kinds.count("dialog.tagged"), kinds.count("dialog.untagged")) == (2, 1)


async def test_priority_changes_are_told_with_before_and_after(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    await stage.do("olha", dialog, SetPriority("high"))
    await stage.do("olha", dialog, SetPriority("high"))
    events = await stage.sql(
        "SELECT data FROM events WHERE dialog_id = :d AND kind = 'dialog.priority_changed'", d=dialog
    )
    assert [(e.data["before"], e.data["after"]) for e in events] == [({"priority": "normal"}, {"priority": "high"})]


async def test_editing_needs_the_holder_a_participant_or_a_supervisor(stage):
    await stage.person("olha", online=True, max_dialogs=1)
    await stage.person("taras")
    await stage.tag("vip")
    held = await stage.opened("c1")
    for command in (
        AddTag(stage.key("vip")),
        SetPriority("low"),
        SetTopic(None),
        AddParticipant(stage.people["taras"]),
    ):
        assert await stage.refused("taras", held, command) == "not_yours"


async def test_an_unknown_topic_is_refused_and_the_same_one_changes_nothing(stage):
    await stage.topic("payment", "support")
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1", topic="payment")
    assert await stage.refused("olha", dialog, SetTopic("nonsense")) == "unknown_topic"
    assert (await stage.do("olha", dialog, SetTopic(stage.key("payment"))))["changed"] is False
    await stage.do("olha", dialog, SetTopic(None))
    assert (await stage.dialog(dialog)).topic_key is None


async def test_a_topic_of_an_inactive_team_leaves_the_dialog_where_it_waits(stage):
    await stage.team("closed-down", active=False)
    await stage.topic("old", "closed-down")
    await stage.person("taras")
    dialog = await stage.opened("c1")
    await stage.do("taras", dialog, SetTopic(stage.key("old")))
    assert (await stage.dialog(dialog)).team_key == stage.key("support")


async def test_a_participant_joins_and_acts_while_the_holder_stays(stage):
    await stage.team("sales")
    await stage.person("olha", online=True)
    iryna = await stage.person("iryna", "sales")
    dialog = await stage.opened("c1")
    assert await stage.refused("iryna", dialog, Say("hi")) == "not_found"
    assert (await stage.do("olha", dialog, AddParticipant(iryna)))["changed"]
    assert not (await stage.do("olha", dialog, AddParticipant(iryna)))["changed"]
    await stage.do("iryna", dialog, Say("hi"))
    assert await stage.holder(dialog) == "olha"
    assert (await stage.kinds(dialog)).count("dialog.participant_added") == 1
    assert await stage.load("iryna") == 0
    await stage.do("iryna", dialog, RemoveParticipant(iryna))
    assert await stage.refused("iryna", dialog, Say("still here?")) == "not_found"


async def test_only_active_people_join(stage):
    await stage.person("olha", online=True)
    taras = await stage.person("taras")
    dialog = await stage.opened("c1")
    await stage.sql("UPDATE users SET is_active = false WHERE id = :u", u=taras)
    assert await stage.refused("olha", dialog, AddParticipant(taras)) == "operator_unsuitable"
    assert await stage.refused("olha", dialog, AddParticipant(dialog)) == "operator_unsuitable"


async def test_no_event_carries_what_was_said(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1", text="my card is 4444")
    await stage.do("olha", dialog, Say("pin 1234"))
    await stage.do("olha", dialog, Close(note="hash 9999"))
    rows = await stage.sql("SELECT data::text AS data FROM events WHERE dialog_id = :d", d=dialog)
    assert not [r for r in rows if any(word in r.data for word in ("4444", "1234", "9999"))]
