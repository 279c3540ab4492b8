"""Tickets: opened for clients and made of chats, their numbers and texts, and their change log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from domain.commands import AddTag, Close, Convert, Describe, Reopen, SetFields, SetPriority, SetStatus, SetTopic
from domain.errors import BannedError, DomainError, InvalidError, NotFoundError
from domain.tickets import read_spoken
from store.ids import new_id
from store.tickets import Client
from tests.store.stage import Stage
from tests.store.ticketing import field, log, of_topic, opens, told


async def test_a_ticket_is_opened_by_somebody_for_a_client_and_distributed_as_a_chat_would_be(stage: Stage):
    await stage.person("olha", online=True)
    await stage.person("boss", role="supervisor")
    taras = await stage.person("taras")
    answer = await opens(stage, "boss", description="It is late.", ticket_type="complaint", watchers=(taras,))
    row = await stage.dialog(UUID(answer["ticket_id"]))
    assert (row.kind, row.ticket_number, row.author_id, row.ticket_type, row.channel_key, row.thread) == (
        "ticket", answer["number"], stage.people["boss"], "complaint", stage.channel, "",
    )  # fmt: skip
    assert (row.place, await stage.holder(row.id), await stage.load("olha")) == ("owned", "olha", 1)
    assert read_spoken(answer["spoken"]) == answer["number"]
    kinds = await stage.kinds(row.id)
    assert kinds[:3] == ["dialog.opened", "ticket.created", "dialog.watcher_added"]
    assert await stage.reactions(f"dialog:{row.id}") == ["dialog_opened"]
    shown = await told(stage, "boss", row.id)
    assert (shown["author"]["name"], shown["subject"], shown["description"]) == ("Boss", "A parcel", "It is late.")
    assert (shown["spoken"], [w["id"] for w in shown["watchers"]]) == (answer["spoken"], [str(taras)])
    again = await stage.write("c")
    assert again.dialog_id == row.id


async def test_a_ticket_goes_to_the_one_named_who_may_be_offline_but_needs_room(stage: Stage):
    await stage.person("olha", online=True)
    taras = await stage.person("taras")
    given = await opens(stage, "olha", assignee=str(taras))
    assert (given["operator_id"], given["place"]) == (str(taras), "owned")
    full = await stage.person("full", max_dialogs=0)
    with pytest.raises(DomainError, match="no room"):
        await opens(stage, "olha", assignee=str(full))
    await stage.team("sales")
    await stage.person("iryna", "sales", online=True)
    sold = await opens(stage, "olha", assignee=f"team:{stage.key('sales')}")
    assert (sold["team"], sold["operator_id"]) == (stage.key("sales"), str(stage.people["iryna"]))
    with pytest.raises(InvalidError, match="Two teams"):
        await opens(stage, "olha", assignee=f"team:{stage.key('sales')}", team=stage.key("support"))
    with pytest.raises(InvalidError, match="no active team"):
        await opens(stage, "olha", team="nothing")
    with pytest.raises(DomainError):
        await opens(stage, "olha", assignee=str(new_id()))


async def test_a_known_contact_is_reached_where_it_wrote_last(stage: Stage):
    await stage.person("olha", online=True)
    await stage.person("stranger", "-")
    dialog = await stage.opened("c")
    contact = (await stage.dialog(dialog)).contact_id
    answer = await opens(stage, "olha", client=Client(contact))
    row = await stage.dialog(UUID(answer["ticket_id"]))
    assert (row.contact_id, row.channel_key, row.status) == (contact, stage.channel, "open")
    other = await stage.add_channel("shop", "support")
    with pytest.raises(InvalidError) as refused:
        await opens(stage, "olha", client=Client(contact, other))
    assert refused.value.extra == {"field": "channel"}
    for client in (Client(contact), Client(new_id())):
        with pytest.raises(NotFoundError):
            await opens(stage, "stranger", client=client)
    await stage.ban(dialog)
    for client in (Client(contact), Client(None, stage.channel, "c")):
        with pytest.raises(BannedError):
            await opens(stage, "olha", client=client)


async def test_what_is_wrong_with_a_new_ticket_is_named_and_leaves_nothing(stage: Stage):
    await stage.person("olha", online=True)
    before = await stage.row("SELECT count(*) AS n FROM dialogs")
    for field_, given in {
        "subject": {"subject": "  "}, "priority": {"priority": "urgent"}, "topic": {"topic": "nothing"},
        "fields.a": {"fields": {"a": 1}}, "watchers": {"watchers": (new_id(),)},
        "description": {"description": "x\x00"}, "from.channel": {"client": Client(None, "nothing", "c")},
    }.items():  # fmt: skip
        with pytest.raises(DomainError) as refused:
            await opens(stage, "olha", **given)
        assert refused.value.extra["field"] == field_
    assert (await stage.row("SELECT count(*) AS n FROM dialogs")).n == before.n


async def test_numbers_of_tickets_opened_at_once_differ_and_no_client_is_made_twice(stage: Stage):
    await stage.person("olha", online=True, max_dialogs=100)
    chats = [await stage.opened(f"chat {n}") for n in range(5)]
    convert = [stage.do("olha", chat, Convert()) for chat in chats]
    made = await asyncio.gather(*(opens(stage, "olha", f"new {n % 3}") for n in range(15)), *convert)
    assert len({m["number"] for m in made}) == 20
    found = await stage.row(
        "SELECT count(*) AS n FROM identities WHERE channel_key = :c AND address LIKE 'new %'", c=stage.channel
    )
    assert found.n == 3


async def test_conversion_keeps_the_chat_and_says_which_of_its_fields_fit_nothing(stage: Stage):
    await stage.person("olha", online=True)
    topic = await stage.topic("payment", "support")
    amount, due = await field(stage, "amount", "number"), await field(stage, "due", "date")
    await of_topic(stage, topic, amount=False, due=True)
    dialog = await stage.opened("c", topic="payment")
    before = await stage.dialog(dialog)
    await stage.do("olha", dialog, SetFields({amount: "5", due: "soon", "city": "Львів"}))
    assert await stage.refused("olha", dialog, Convert(fields={due: "soon"})) == "invalid"
    assert await stage.refused("olha", dialog, Convert(fields={"city": "Київ"})) == "invalid"
    assert await stage.refused("olha", dialog, Convert(priority="urgent")) == "invalid"
    assert (await stage.dialog(dialog)).ticket_number is None
    said = {"subject": " A parcel ", "description": "Late"}
    answer = await stage.do("olha", dialog, Convert(priority="high", fields={amount: 7}, **said))
    assert answer["left"] == sorted(["city", due])
    row = await stage.dialog(dialog)
    for name in ("id", "number", "contact_id", "channel_key", "topic_key", "tags", "thread", "identity_id", "cycle"):
        assert getattr(row, name) == getattr(before, name)
    assert (row.ticket_number, row.author_id, row.subject, row.priority) == (
        answer["number"], stage.people["olha"], "A parcel", "high",
    )  # fmt: skip
    assert await stage.refused("olha", dialog, Convert()) == "wrong_status"
    kinds = await stage.kinds(dialog)
    assert kinds[kinds.index("dialog.converted") :][:5] == [
        "dialog.converted", "ticket.created", "dialog.priority_changed", "ticket.updated", "ticket.updated",
    ]  # fmt: skip


async def test_the_author_never_changes(stage: Stage):
    await stage.person("olha", online=True)
    await stage.person("boss", role="supervisor")
    dialog = UUID((await opens(stage, "boss"))["ticket_id"])
    for command in (Describe({"subject": "Other"}), SetStatus("resolved"), Reopen(), Close(), Reopen()):
        await stage.do("olha", dialog, command)
    assert (await stage.dialog(dialog)).author_id == stage.people["boss"]


async def test_what_a_ticket_says_of_itself_changes_and_a_chat_says_nothing(stage: Stage):
    await stage.person("olha", online=True)
    chat = await stage.opened("c")
    assert await stage.refused("olha", chat, Describe({"subject": "A"})) == "wrong_status"
    dialog = UUID((await opens(stage, "olha", "d"))["ticket_id"])
    await stage.person("taras")
    assert await stage.refused("taras", dialog, Describe({"subject": "A"})) == "not_yours"
    assert (await stage.do("olha", dialog, Describe({"subject": "B", "description": "C"})))["changed"] is True
    assert (await stage.do("olha", dialog, Describe({"subject": " B"})))["changed"] is False
    told_ = await stage.do("olha", dialog, Describe({"subject": None}))
    assert told_ == {"subject": None, "description": "C", "changed": True}
    for wrong in ({"subject": "x" * 301}, {"description": "\x00"}, {"title": "x"}):
        assert await stage.refused("olha", dialog, Describe(wrong)) == "invalid"


async def test_the_change_log_tells_every_field_who_and_when_newest_first_page_by_page(stage: Stage):
    await stage.person("olha", online=True)
    await stage.person("engineer", "-", role="ops")
    topic = await stage.topic("payment", "support")
    amount = await field(stage, "amount", "number")
    await of_topic(stage, topic, amount=False)
    tag = await stage.tag("vip")
    dialog = await stage.opened("c")
    story = (
        Convert(), SetTopic(topic), SetFields({amount: 5}), SetFields({amount: 6}), SetPriority("high"), AddTag(tag),
        Describe({"subject": "B"}), SetStatus("resolved"),
    )  # fmt: skip
    for command in story:
        await stage.do("olha", dialog, command)
    page = await log(stage, "olha", dialog)
    assert [(c["field"], c["old"], c["new"]) for c in page.items][:9] == [
        ("status", "in_progress", "resolved"), ("subject", None, "B"), ("tags", None, tag),
        ("priority", "normal", "high"), (f"fields.{amount}", 5, 6), (f"fields.{amount}", None, 5),
        ("topic", None, topic), ("number", None, (await stage.dialog(dialog)).ticket_number),
        ("kind", "chat", "ticket"),
    ]  # fmt: skip
    assert {c["actor"]["name"] for c in page.items[:9]} == {"Olha"}
    assert page.items[4]["title"] == "Amount"
    assignee = next(c for c in page.items if c["field"] == "assignee")
    assert (assignee["old"], assignee["new_name"]) == (None, "Olha")
    pages, after = [], None
    while True:
        part = await log(stage, "olha", dialog, limit=2, before_id=after)
        pages += part.items
        if part.next is None:
            break
        after = int(part.next)
    assert pages == page.items
    hidden = (await log(stage, "engineer", dialog)).items
    assert [(c["old"], c["new"], c["hidden"]) for c in hidden if c["field"].startswith(("fields.", "subject"))] == [
        (None, None, True)
    ] * 3
    shown = await told(stage, "engineer", dialog)
    assert (shown["subject"], shown["fields"], shown["topic_fields"][0]["value"]) == (None, {}, None)


async def test_opening_and_converting_cost_little_more_than_opening_a_chat(stage: Stage, engine):
    await stage.person("olha", online=True, max_dialogs=100)
    topic = await stage.topic("payment", "support")
    await stage.opened("warm", topic="payment")
    said: list[str] = []

    def note(conn, cursor, statement, parameters, context, executemany):
        said.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    costs = []
    try:
        chat = await stage.opened("chat", topic="payment")
        costs.append(len(said))
        said.clear()
        await opens(stage, "olha", "ticket", topic=topic, priority="high")
        costs.append(len(said))
        said.clear()
        await stage.do("olha", chat, Convert(priority="high", subject="A parcel"))
        costs.append(len(said))
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
    print("statements: chat, ticket, conversion", costs)
    assert max(costs[1:]) <= 2.5 * costs[0], costs


async def test_the_log_never_loses_sight_of_the_assignee_nor_of_the_wait(stage: Stage):
    olha = str(await stage.person("olha", online=True))
    dialog = UUID((await opens(stage, "olha", assignee=olha))["ticket_id"])
    until = datetime.now(UTC) + timedelta(days=1)
    await stage.do("olha", dialog, SetStatus("pending", until))
    await stage.do("olha", dialog, Reopen())
    await stage.do("olha", dialog, SetStatus("resolved"))
    await stage.offline("olha")
    await stage.do("olha", dialog, Reopen())
    await stage.online("olha")
    assert await stage.holder(dialog) == "olha"
    await stage.do("olha", dialog, Close())
    lines = [(c["field"], c["old"], c["new"]) for c in reversed((await log(stage, "olha", dialog)).items)]
    assert [line for line in lines if line[0] in ("assignee", "pending_until")] == [
        ("assignee", None, olha),
        ("pending_until", None, until.isoformat()), ("pending_until", until.isoformat(), None),
        ("assignee", olha, None), ("assignee", None, olha), ("assignee", olha, None),
    ]  # fmt: skip
