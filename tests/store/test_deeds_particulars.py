"""Actions that mark, tell, convert and merge: what they do, what they refuse, how they are taken back."""

from __future__ import annotations

import pytest

from domain.commands import Close, Convert
from domain.walks.ports import StepError
from store.deeds.doing import do
from tests.store.actors import Run, deed
from tests.store.stage import Stage


async def test_tags_of_dialogs_and_contacts_made_up_on_the_way(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    run = Run(stage)
    tag = stage.key("mailing-7")
    assert (await run.act(dialog, "add_tag", tag=tag)).result == {"changed": True}
    assert (await run.act(dialog, "add_tag", tag=tag)).result == {"changed": False}
    assert run.kept.pop().undo is None
    assert await run.take_back(dialog) == "undone"
    assert (await stage.dialog(dialog)).tags == []
    done = await run.act(dialog, "add_tag", tag=tag, scope="contact")
    assert done.snapshot.contact["tags"] == [tag]
    assert (await run.act(dialog, "remove_tag", tag=tag, scope="contact")).result == {"changed": True}
    assert await run.take_back(dialog) == "undone"
    assert await run.refused(dialog, "add_tag", tag="nul\x00") == "invalid"


async def test_a_contact_without_a_dialog_is_marked_too(stage: Stage):
    dialog = await stage.opened("c")
    contact = (await stage.dialog(dialog)).contact_id
    run = Run(stage)
    done = await run.act(None, "add_tag", contact=contact, tag=stage.key("x"), scope="contact")
    assert done.snapshot.contact["tags"] == [stage.key("x")]
    assert done.snapshot.dialog is None
    assert await run.refused(None, "add_tag", contact=contact, tag=stage.key("x")) == "invalid"
    assert await run.refused(None, "set_field", field="a", value=1, scope="contact") == "invalid"


async def test_topic_priority_and_status_with_their_previous_values(stage: Stage):
    await stage.person("olha", online=True)
    topic = await stage.topic("payment", "support")
    dialog = await stage.opened("c")
    run = Run(stage)
    assert (await run.act(dialog, "set_topic", topic=topic)).result["previous"] is None
    assert await run.take_back(dialog) == "undone"
    assert (await stage.dialog(dialog)).topic_key is None
    assert await run.refused(dialog, "set_topic", topic="nothing") == "not_found:unknown_topic"
    assert (await run.act(dialog, "set_priority", priority="critical")).result["previous"] == "normal"
    await Run(stage).act(dialog, "set_priority", priority="low")
    assert await run.take_back(dialog) == "changed_since"
    assert await run.refused(dialog, "set_status", status="pending") == "invalid:wrong_status"


async def test_a_tickets_status_goes_on_and_back_with_its_slot(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    run = Run(stage)
    await run.act(dialog, "convert_to_ticket", type="question")
    assert await stage.load("olha") == 1
    assert (await run.act(dialog, "set_status", status="pending")).result["previous"] == "in_progress"
    assert await stage.load("olha") == 0
    assert await run.take_back(dialog) == "undone"
    assert await stage.load("olha") == 1
    await run.act(dialog, "set_status", status="resolved")
    await run.act(dialog, "reopen")
    assert await run.take_back(dialog) == "undone"
    assert ((await stage.dialog(dialog)).status, await stage.load("olha")) == ("resolved", 0)


async def test_a_waiting_dialog_follows_its_topic_to_another_team_and_back(stage: Stage):
    await stage.team("sales")
    topic = await stage.topic("offers", "sales")
    dialog = await stage.opened("c")
    run = Run(stage)
    assert (await run.act(dialog, "set_topic", topic=topic)).result["team"] == stage.key("sales")
    assert await run.take_back(dialog) == "undone"
    assert (await stage.dialog(dialog)).team_key == stage.key("support")


async def test_fields_of_dialogs_and_contacts(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    run = Run(stage)
    done = await run.act(dialog, "set_field", field="order", value={"id": 5})
    assert done.result["previous"] is None
    assert done.snapshot.dialog["fields"] == {"order": {"id": 5}}
    assert (await run.act(dialog, "set_field", field="order", value={"id": 5})).result["changed"] is False
    run.kept.pop()
    assert await run.take_back(dialog) == "undone"
    assert (await stage.dialog(dialog)).fields == {}
    done = await run.act(dialog, "set_field", field="segment", value="gold", scope="contact")
    assert done.snapshot.contact["fields"] == {"segment": "gold"}
    assert await run.take_back(dialog) == "undone"
    event = await stage.row(
        "SELECT data FROM events WHERE dialog_id = :d AND kind = 'dialog.changed' LIMIT 1", d=dialog
    )
    assert event.data == {"fields": ["order"]}
    assert await run.refused(dialog, "set_field", field="Not a name", value=1) == "invalid"
    assert await run.refused(dialog, "set_field", field="order") == "invalid"


async def test_a_note_is_the_runs_and_its_words_can_be_taken_back(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    taras = await stage.person("taras")
    run = Run(stage)
    done = await run.act(dialog, "add_note", text="Look here", pin=True, mention=[str(taras)])
    note = await stage.row("SELECT * FROM messages WHERE id = CAST(:m AS uuid)", m=done.result["note_id"])
    assert (note.direction, note.author_kind, note.run_id, note.is_pinned) == ("note", "process", run.id, True)
    told = await stage.sql("SELECT text, dialog_id FROM notices WHERE user_id = :u", u=taras)
    assert [(t.text, t.dialog_id) for t in told] == [("Look here", dialog)]
    assert await run.take_back(dialog) == "undone"
    assert (await stage.row("SELECT text FROM messages WHERE id = :m", m=note.id)).text == ""
    assert await run.refused(dialog, "add_note", text="") == "invalid"
    assert await run.refused(dialog, "add_note", text="\x00") == "invalid"


async def test_people_are_told_once_under_one_key(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.team("vip")
    boss = await stage.person("boss", "vip", role="supervisor")
    run = Run(stage)
    asked = deed("notify", {"to": f"team:{stage.key('vip')}", "text": "Come", "link": "/x", "sound": "urgent"})

    async def story(scenery):
        await do(scenery, asked)
        return await do(scenery, asked)

    assert (await run.within(dialog, story)).result == {"count": 1}
    rows = await stage.sql("SELECT text, sound, run_id FROM notices WHERE user_id = :u", u=boss)
    assert [(r.text, r.sound, r.run_id) for r in rows] == [("Come", "urgent", run.id)]
    assert (await run.act(None, "notify", to="role:nobody", text="Hi")).result == {"count": 0}
    assert (await run.act(None, "notify", to=str(boss), text="Hi")).result == {"count": 1}
    assert await run.refused(None, "notify", to="everybody", text="Hi") == "invalid"
    assert await run.take_back(None) == "cannot_be_undone"


async def test_watchers_and_participants_come_and_go(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.team("vip")
    one, two = await stage.person("one", "vip"), await stage.person("two", "vip")
    run = Run(stage)
    done = await run.act(dialog, "add_watcher", operator=f"team:{stage.key('vip')}")
    assert done.result == {"changed": True, "count": 2}
    assert (await run.act(dialog, "add_watcher", operator=str(one))).result["changed"] is False
    run.kept.pop()
    assert await run.take_back(dialog) == "undone"
    await run.act(dialog, "add_watcher", operator=str(two))
    assert (await run.act(dialog, "remove_watcher", operator=str(two))).result["changed"] is True
    assert await run.take_back(dialog) == "undone"
    await run.act(dialog, "add_participant", operator=str(one))
    people = await stage.sql("SELECT user_id, role FROM participants WHERE dialog_id = :d ORDER BY role", d=dialog)
    assert [(p.user_id, p.role) for p in people] == [(one, "participant"), (two, "watcher")]
    assert await run.take_back(dialog) == "undone"
    assert await run.refused(dialog, "add_watcher", operator=str(run.id)) == "not_found"


async def test_an_operators_status_is_forced_and_restored(stage: Stage):
    await stage.person("boss", role="supervisor")
    olha = await stage.person("olha", online=True)
    run = Run(stage, "boss")
    done = await run.act(None, "set_operator_status", operator=str(olha), status="offline", reason="Run 7")
    assert done.result == {"previous": "online", "changed": True}
    assert (await stage.row("SELECT status FROM operators WHERE user_id = :o", o=olha)).status == "offline"
    assert await run.take_back(None) == "undone"
    assert (await stage.row("SELECT status FROM operators WHERE user_id = :o", o=olha)).status == "online"
    await stage.team("sales")
    iryna = await stage.person("iryna", "sales")
    assert await run.refused(None, "set_operator_status", operator=str(iryna), status="away") == "forbidden"
    assert (
        await Run(stage, "olha").refused(None, "set_operator_status", operator=str(olha), status="away") == "forbidden"
    )
    assert await Run(stage).refused(None, "set_operator_status", operator=str(run.id), status="away") == "not_found"


async def test_own_events_carry_their_data_flat_and_nobody_elses_names(stage: Stage):
    dialog = await stage.opened("c")
    run = Run(stage)
    await run.act(dialog, "emit", event="custom.paid", data={"amount": 5, "team": "mine"})
    event = await stage.row("SELECT * FROM events WHERE kind = 'custom.paid' AND dialog_id = :d", d=dialog)
    assert (event.data, event.run_id, event.team_key) == ({"amount": 5}, run.id, stage.key("support"))
    assert await run.refused(dialog, "emit", event="dialog.closed") == "invalid"


async def test_a_chat_becomes_a_ticket_of_its_holder(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    assert await Run(stage).refused(dialog, "convert_to_ticket", fields={"a": 1}) == "invalid"
    done = await Run(stage).act(dialog, "convert_to_ticket", type="complaint", priority="high", subject="A parcel")
    row = await stage.dialog(dialog)
    holder = str(stage.people["olha"])
    assert done.result == {"ticket_id": str(dialog), "number": row.ticket_number, "operator_id": holder}
    assert (row.kind, row.status, row.ticket_type, row.priority, row.subject, row.author_id) == (
        "ticket", "in_progress", "complaint", "high", "A parcel", None,
    )  # fmt: skip
    assert {"dialog.converted", "ticket.created"} <= set(await stage.kinds(dialog))
    assert await Run(stage).refused(dialog, "convert_to_ticket") == "invalid:wrong_status"


async def test_a_closed_chat_becomes_an_open_ticket_of_a_supervisor(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.do("olha", dialog, Close())
    await stage.person("boss", role="supervisor")
    await Run(stage).act(dialog, "convert_to_ticket", assignee="role:supervisor")
    row = await stage.dialog(dialog)
    assert (row.kind, row.status, row.closed_at, await stage.holder(dialog)) == ("ticket", "open", None, "boss")


async def test_a_ticket_for_nobody_waits_and_one_for_a_team_goes_there(stage: Stage):
    first, second = await stage.opened("a"), await stage.opened("b")
    await stage.team("sales")
    await stage.person("iryna", "sales", online=True)
    run = Run(stage)
    assert await run.refused(first, "convert_to_ticket", assignee="role:nobody") == "invalid"
    await run.act(first, "convert_to_ticket", assignee="role:integrator")
    assert await stage.place(first) == "queued"
    await run.act(second, "convert_to_ticket", assignee=f"team:{stage.key('sales')}")
    assert await stage.holder(second) == "iryna"
    full = await stage.person("full", max_dialogs=0)
    third = await stage.opened("c")
    assert await run.refused(third, "convert_to_ticket", assignee=str(full)) == "conflict:at_capacity"
    assert (await stage.dialog(third)).kind == "chat"


async def test_people_convert_by_command(stage: Stage):
    await stage.person("olha", online=True)
    await stage.person("taras")
    dialog = await stage.opened("c")
    assert await stage.refused("taras", dialog, Convert()) == "not_yours"
    answer = await stage.do("olha", dialog, Convert("question", priority="low"))
    assert answer["ticket_id"] == str(dialog)


async def test_contacts_merge_and_part_while_untouched(stage: Stage):
    await stage.person("boss", role="supervisor")
    first, second = await stage.opened("a"), await stage.opened("b")
    into, gone = (await stage.dialog(first)).contact_id, (await stage.dialog(second)).contact_id
    run = Run(stage)
    done = await run.act(None, "merge_contacts", into=str(into), **{"from": str(gone)})
    assert (done.result["dialogs"], done.result["identities"]) == (1, 1)
    assert (await stage.dialog(second)).contact_id == into
    assert await run.take_back(None) == "undone"
    assert (await stage.dialog(second)).contact_id == gone
    await run.act(None, "merge_contacts", into=str(into), **{"from": str(gone)})
    await Run(stage).act(first, "add_tag", tag=stage.key("new"), scope="contact")
    assert await run.take_back(None) == "changed_since"
    assert await run.refused(None, "merge_contacts", into=str(into), **{"from": str(into)}) == "conflict"
    assert await run.refused(None, "merge_contacts", into=str(into), **{"from": str(run.id)}) == "not_found"


async def test_what_can_be_looked_up(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c", name="Олена Петренко")
    run = Run(stage)
    done = await run.act(dialog, "get_dialog", messages=5)
    assert [m["text"] for m in done.result["messages"]] == ["hello"]
    assert (done.snapshot.contact["first_name"], done.snapshot.contact["last_name"]) == ("Олена", "Петренко")
    assert (done.result["last_message_from"], done.result["window_open"]) == ("client", True)
    found = await run.act(None, "find_dialogs", team=stage.key("support"), status="open")
    assert [i["id"] for i in found.result["items"]] == [str(dialog)]
    where = {"field": "dialog.operator_id", "op": "eq", "value": str(stage.people["olha"])}
    assert (await run.act(None, "find_dialogs", where=where)).result["count"] == 1
    assert await run.refused(None, "find_dialogs", where={"field": "x"}) == "invalid"
    await stage.person("light", role="light_agent")
    people = await run.act(None, "find_operators", team=stage.key("support"), status="online")
    assert [(i["name"], i["load"]) for i in people.result["items"]] == [("Olha", 1)]
    assert (await run.act(None, "find_operators", team=stage.key("support"), room=True)).result["count"] == 1


async def test_who_may_not_read_texts_gets_none(stage: Stage):
    dialog = await stage.opened("c")
    await stage.person("ops", "-", role="ops")
    run = Run(stage, "ops")
    assert (await run.act(dialog, "get_dialog")).result["id"] == str(dialog)
    assert await run.refused(dialog, "get_dialog", messages=1) == "forbidden"


async def test_unknown_actions_and_parameters_are_refused_by_name(stage: Stage):
    dialog = await stage.opened("c")
    run = Run(stage)
    assert await run.refused(dialog, "explode") == "invalid"
    assert await run.refused(dialog, "send_message", text="Hi") == "invalid"
    with pytest.raises(StepError, match="priorty"):
        await run.act(dialog, "set_priority", priority="low", priorty="high")
    with pytest.raises(StepError, match="needs a dialog"):
        await run.act(None, "add_note", text="Hi")
    missing = await run.refused(run.id, "add_note", text="Hi")
    assert missing == "not_found"


async def test_an_operators_own_macro_acts_on_what_they_hold(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.person("taras")
    assert await Run(stage, "taras").refused(dialog, "set_priority", priority="low") == "forbidden:not_yours"
    done = await Run(stage, "olha").act(dialog, "set_priority", priority="low")
    assert done.result["changed"]
