"""Watchers, assignees and what they are told; pending until; hand-over (P39, P47, P161-P164)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.commands import (
    AddTag,
    Assign,
    Close,
    Convert,
    Describe,
    Reopen,
    Say,
    SetPriority,
    SetStatus,
    SetTopic,
    Take,
    Transfer,
    Unassign,
    Unwatch,
    Watch,
)
from store.dialogs import lock_scene
from store.messages import add_note
from store.people import find_people, participants_of
from store.transactions import transact
from store.viewers import get_viewer
from store.watching import tell_watchers
from tests.store.actors import Run
from tests.store.stage import Stage
from tests.store.ticketing import contact_of, facts, new_ticket, notices


@pytest.fixture
async def ticket(stage: Stage):
    """Olha's, open; boss leads, eve of the team watches."""
    await stage.person("boss", role="supervisor")
    await stage.person("olha", online=True)
    await stage.person("eve")
    contact = await contact_of(stage, "c1")
    dialog = await new_ticket(stage, "boss", contact, assignee=str(stage.id_of("olha")))
    await stage.do("eve", dialog, Watch(stage.id_of("eve")))
    return dialog


async def lines(stage: Stage, who: str) -> list[str]:
    return [n.text for n in await notices(stage, who)]


async def test_every_change_tells_every_watcher_but_its_doer(stage: Stage, ticket):
    await stage.tag("vip")
    await stage.do("boss", ticket, Watch(stage.id_of("boss")))
    told = len(await notices(stage, "boss"))
    await stage.do("olha", ticket, AddTag(stage.key("vip")))
    await stage.do("olha", ticket, SetStatus("in_progress"))
    await stage.do("olha", ticket, Say("a secret", "note"))
    await stage.write("c1", "another secret")
    await stage.do("boss", ticket, Close())
    said = await lines(stage, "eve")
    number = (await stage.dialog(ticket)).ticket_number
    assert said[-5:] == [
        "Додано тег: vip — Olha", "Статус: відкритий → у роботі — Olha", "Нотатка — Olha",
        "Написав клієнт", "Закрито — Boss",
    ]  # fmt: skip
    assert {n.title for n in await notices(stage, "eve")} == {f"Тікет {number // 1000}-{number % 1000:03}"}
    assert not any("secret" in line for line in said)
    assert len(await notices(stage, "boss")) - told == 4
    assert not any("Закрито" in line for line in await lines(stage, "boss"))
    await stage.sql("UPDATE users SET locale = 'en' WHERE id = :u", u=stage.id_of("eve"))
    await stage.do("boss", ticket, Reopen())
    assert (await lines(stage, "eve"))[-1].startswith("Reopened — Boss")


async def test_what_has_a_name_is_called_by_it(stage: Stage, ticket):
    await stage.topic("parcels")
    await stage.do("olha", ticket, SetPriority("critical"))
    await stage.do("olha", ticket, SetTopic(stage.key("parcels")))
    await stage.do("olha", ticket, Describe({"subject": "Another", "description": "More"}))
    assert (await lines(stage, "eve"))[-3:] == [
        "Пріоритет: Середній → Критичний — Olha", "Тематика: немає → parcels — Olha", "Змінено поля: опис, тема — Olha",
    ]  # fmt: skip
    await stage.sql("UPDATE users SET locale = 'en' WHERE id = :u", u=stage.id_of("eve"))
    await stage.do("olha", ticket, SetPriority("high"))
    assert (await lines(stage, "eve"))[-1] == "Priority: Critical → High — Olha"


async def test_who_watches_from_the_opening_is_told_so_once(stage: Stage, ticket):
    row = await stage.dialog(ticket)
    told = len(await notices(stage, "eve"))
    people = tuple(stage.id_of(name) for name in ("boss", "eve"))
    await new_ticket(stage, "boss", row.contact_id, assignee=str(stage.id_of("olha")), watchers=people)
    assert (await lines(stage, "eve"))[told:] == ["Вас додано до спостерігачів."]
    assert await lines(stage, "boss") == []
    assert (await lines(stage, "olha"))[-1] == "Вас призначено відповідальним."


async def test_each_transaction_tells_once_and_one_event_names_those_told(stage: Stage, ticket):
    before = len(await notices(stage, "eve"))
    await stage.do("boss", ticket, Unassign())
    assert len(await notices(stage, "eve")) == before + 1
    [event] = await stage.sql(
        "SELECT data FROM events WHERE kind = 'notice.sent' AND data ->> 'to' = 'watchers' ORDER BY id DESC LIMIT 1"
    )
    assert event.data["people"] == [str(stage.id_of("eve"))]
    assert event.data["dialogs"] == [str(ticket)]


async def test_a_new_assignee_is_told_and_so_are_the_watchers(stage: Stage, ticket):
    await stage.person("taras")
    await stage.do("boss", ticket, Assign(stage.id_of("taras")))
    assert await lines(stage, "taras") == ["Вас призначено відповідальним."]
    assert (await lines(stage, "eve"))[-1] == "Відповідальний: Olha → Taras — Boss"
    last = (await facts(stage, ticket, "ticket.reassigned"))[-1]
    olha, taras = str(stage.id_of("olha")), str(stage.id_of("taras"))
    assert (last.data["before"], last.data["after"]) == ({"operator": olha}, {"operator": taras})


async def test_every_change_of_hands_and_status_is_a_fact(stage: Stage, ticket):
    await stage.change_team("support", auto=False)
    await stage.do("olha", ticket, SetStatus("in_progress"))
    await stage.do("boss", ticket, Unassign())
    await stage.do("olha", ticket, Take())
    await stage.do("olha", ticket, SetStatus("pending"))
    await stage.do("olha", ticket, Reopen())
    changes = await facts(stage, ticket, "ticket.status_changed")
    assert [(c.data["before"]["status"], c.data["after"]["status"]) for c in changes] == [
        ("open", "in_progress"), ("in_progress", "open"), ("open", "pending"),
    ]  # fmt: skip
    hands = [(f.data["before"]["operator"], f.data["after"]["operator"])
             for f in await facts(stage, ticket, "ticket.reassigned")]  # fmt: skip
    olha = str(stage.id_of("olha"))
    assert hands == [(None, olha), (olha, None), (None, olha)]
    [reopened] = await facts(stage, ticket, "ticket.reopened")
    assert reopened.data["before"]["status"] == "pending"


async def test_a_drain_tells_of_its_assignee(stage: Stage):
    await stage.person("boss", role="supervisor")
    dialog = await new_ticket(stage, "boss", await contact_of(stage, "c1"))
    assert await stage.place(dialog) == "queued"
    await stage.person("olha", online=True)
    assert await stage.holder(dialog) == "olha"
    [fact] = await facts(stage, dialog, "ticket.reassigned")
    assert fact.data["after"] == {"operator": str(stage.id_of("olha"))}
    assert await lines(stage, "olha") == ["Вас призначено відповідальним."]


async def test_the_eye_is_idempotent_and_needs_no_more_than_reading(stage: Stage, ticket):
    await stage.person("light", role="light_agent")
    me = stage.id_of("light")
    assert (await stage.do("light", ticket, Watch(me)))["changed"] is True
    assert (await stage.do("light", ticket, Watch(me)))["changed"] is False
    assert (await stage.do("light", ticket, Unwatch(me)))["changed"] is True
    assert (await stage.do("light", ticket, Unwatch(me)))["changed"] is False
    assert (await stage.kinds(ticket)).count("dialog.watcher_added") == 2
    assert await stage.load("light") == 0


async def test_whoever_is_made_to_watch_is_told_and_may_read_from_then_on(stage: Stage, ticket):
    await stage.team("sales")
    await stage.person("iryna", "sales", role="light_agent")
    await stage.person("wirer", "-", role="integrator")
    iryna = stage.id_of("iryna")
    assert await stage.refused("iryna", ticket, Watch(iryna)) == "not_found"
    await stage.do("eve", ticket, Watch(iryna))
    assert await lines(stage, "iryna") == ["Вас додано до спостерігачів."]
    assert (await stage.do("iryna", ticket, Unwatch(iryna)))["changed"] is True
    assert await stage.refused("iryna", ticket, Watch(iryna)) == "not_found"
    assert await stage.refused("eve", ticket, Watch(stage.id_of("wirer"))) == "operator_unsuitable"
    await stage.do("boss", ticket, Watch(iryna))
    assert await stage.refused("iryna", ticket, Watch(stage.id_of("wirer"))) == "operator_unsuitable"
    await stage.person("petro", "sales")
    assert await stage.refused("iryna", ticket, Watch(stage.id_of("petro"))) == "not_yours"


async def test_a_chat_tells_nobody_who_watches_it(stage: Stage):
    await stage.person("olha", online=True)
    await stage.person("eve")
    dialog = await stage.opened("c1")
    await stage.do("eve", dialog, Watch(stage.id_of("eve")))
    await stage.do("olha", dialog, Say("x", "note"))
    assert await notices(stage, "eve") == []
    await stage.do("olha", dialog, Convert())
    assert (await lines(stage, "eve"))[-1].startswith("Стало тікетом — Olha")


async def test_a_pending_ticket_waits_until_a_moment_and_any_other_status_forgets_it(stage: Stage, ticket):
    soon, later = (datetime.now(UTC) + timedelta(days=n) for n in (1, 2))
    for wrong in (datetime.now(UTC) - timedelta(seconds=1), datetime.now(UTC) + timedelta(days=367), soon.replace(
        tzinfo=None
    )):  # fmt: skip
        assert await stage.refused("olha", ticket, SetStatus("pending", wrong)) == "invalid"
    assert await stage.refused("olha", ticket, SetStatus("resolved", soon)) == "invalid"
    told = await stage.do("olha", ticket, SetStatus("pending", soon))
    assert (told["status"], told["pending_until"], told["changed"]) == ("pending", soon.isoformat(), True)
    assert "clocks_changed" in await stage.reactions(f"sla:{ticket}")
    assert (await stage.do("olha", ticket, SetStatus("pending", soon)))["changed"] is False
    assert (await stage.do("olha", ticket, SetStatus("pending", later)))["changed"] is True
    assert (await stage.dialog(ticket)).pending_until == later
    [update] = await facts(stage, ticket, "ticket.updated")
    assert set(update.data["after"]) == {"pending_until"}
    rung = len(await stage.reactions(f"sla:{ticket}"))
    await stage.do("olha", ticket, Reopen())
    assert (await stage.dialog(ticket)).pending_until is None
    assert len(await stage.reactions(f"sla:{ticket}")) == rung + 1
    await stage.do("olha", ticket, SetStatus("pending", soon))
    await stage.do("olha", ticket, Close())
    assert (await stage.dialog(ticket)).pending_until is None


async def test_a_run_sets_until_and_takes_it_back(stage: Stage, ticket):
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    run = Run(stage, "boss")
    assert await run.refused(ticket, "set_status", status="pending", until="tomorrow") == "invalid"
    assert (await run.act(ticket, "set_status", status="pending", until=until)).result["pending_until"] == until
    assert await run.take_back(ticket) == "undone"
    row = await stage.dialog(ticket)
    assert (row.status, row.pending_until) == ("open", None)


async def test_a_ticket_goes_to_another_team_and_topic_at_once(stage: Stage, ticket):
    await stage.team("sales")
    await stage.person("iryna", "sales", online=True)
    topic = await stage.topic("offers", "sales")
    command = Transfer(to_team=stage.key("sales"), topic=topic)
    assert await stage.refused("olha", ticket, Transfer(stage.id_of("eve"), topic=topic)) == "invalid"
    told = await stage.do("olha", ticket, command)
    row = await stage.dialog(ticket)
    assert (row.team_key, row.topic_key, await stage.holder(ticket)) == (stage.key("sales"), topic, "iryna")
    assert told["topic"] == topic
    kinds = await stage.kinds(ticket)
    assert {"dialog.topic_changed", "dialog.team_changed", "ticket.reassigned"} <= set(kinds)
    assert await lines(stage, "iryna") == ["Вас призначено відповідальним."]


async def test_a_waiting_ticket_handed_over_is_told_as_reassigned_too(stage: Stage):
    await stage.person("boss", role="supervisor")
    await stage.team("sales")
    dialog = await new_ticket(stage, "boss", await contact_of(stage, "c1"))
    await stage.do("boss", dialog, Transfer(to_team=stage.key("sales")))
    [fact] = await facts(stage, dialog, "ticket.reassigned")
    assert (fact.data["before"]["team"], fact.data["after"]["team"]) == (stage.key("support"), stage.key("sales"))


async def test_a_run_hands_over_with_a_topic_and_takes_both_back(stage: Stage, ticket):
    await stage.team("sales")
    topic = await stage.topic("offers", "sales")
    run = Run(stage, "boss")
    await run.act(ticket, "transfer_to_team", team=stage.key("sales"), topic=topic)
    assert (await stage.dialog(ticket)).topic_key == topic
    assert await run.take_back(ticket) == "undone"
    row = await stage.dialog(ticket)
    assert (row.team_key, row.topic_key, await stage.holder(ticket)) == (stage.key("support"), None, "olha")


async def test_participants_are_the_author_the_assignee_everybody_in_the_log_and_those_brought_in(stage, ticket):
    await stage.person("taras")
    await stage.do("boss", ticket, Assign(stage.id_of("taras")))
    await stage.do("eve", ticket, Say("I look on", "note"))
    async with stage.sessions() as session:
        viewer = await get_viewer(session, stage.id_of("boss"))
        people = {p["name"]: p["roles"] for p in await participants_of(session, viewer, ticket)}
    assert [*people][-2:] == ["Eve", "Taras"], "by when they came, not by what they did last"
    assert people == {
        "Boss": ["acted", "author"], "Olha": ["held"], "Eve": ["acted", "watcher"], "Taras": ["assignee", "held"],
    }  # fmt: skip


async def test_people_are_found_by_name_or_e_mail_and_nothing_is_a_pattern(stage: Stage):
    await stage.person("zoryana")
    await stage.person("gone")
    await stage.sql("UPDATE users SET is_active = false WHERE id = :u", u=stage.id_of("gone"))
    async with stage.sessions() as session:
        [found] = await find_people(session, "ORYAN", limit=5)
        assert (found["name"], found["teams"]) == ("Zoryana", [stage.key("support")])
        assert [p["id"] for p in await find_people(session, stage.key("zoryana"), limit=5)] == [found["id"]]
        for nobody in ("%", "_oryana", "\\", stage.key("gone")):
            assert await find_people(session, nobody, limit=5) == []


async def test_an_unwatched_change_asks_the_database_nothing_more(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1")
    asked: list[str] = []

    async def story(work) -> None:
        scene = await lock_scene(work, dialog)
        await add_note(work, scene, "x")
        original = work.session.execute

        async def counting(statement, *args, **kwargs):
            asked.append(str(statement))
            return await original(statement, *args, **kwargs)

        work.session.execute = counting
        await tell_watchers(work, work.facts)

    await transact(stage.sessions, story)
    assert [a for a in asked if "INTO events" not in a] == []
