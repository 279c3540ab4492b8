"""Several tickets become one (P46): what goes over, what is refused, and what happens at the same time."""

from __future__ import annotations

import asyncio

import pytest

from domain.commands import AddTag, Close, Convert, Merge, Reopen, Say, SetStatus, Watch
from store.threads import list_messages
from store.viewers import get_viewer
from tests.store.actors import Run
from tests.store.stage import Stage
from tests.store.ticketing import contact_of, facts, new_ticket, notices, texts


@pytest.fixture
async def three(stage: Stage):
    """Olha holds three tickets of one client, each with a note."""
    await stage.person("boss", role="supervisor")
    await stage.person("olha", online=True, max_dialogs=10)
    contact = await contact_of(stage, "c1")
    tickets = [await new_ticket(stage, "olha", contact, subject=f"No {i}") for i in range(3)]
    for i, ticket in enumerate(tickets):
        await stage.do("olha", ticket, Say(f"note {i}", "note"))
    return tickets


async def test_messages_move_in_their_order_and_the_others_close_with_a_link(stage: Stage, three):
    into, second, third = three
    await stage.tag("vip")
    await stage.do("olha", second, AddTag(stage.key("vip")))
    await stage.person("guest", "-")
    await stage.do("boss", third, Watch(stage.id_of("guest")))
    await stage.do("olha", third, Say("again", "note"))
    told = await stage.do("olha", into, Merge((third, second)))
    assert [(m["dialog_id"], m["messages"], m["first_seq"]) for m in told["merged"]] == [
        (str(second), 1, 2), (str(third), 2, 3),
    ]  # fmt: skip
    assert await texts(stage, into) == [(1, "note 0"), (2, "note 1"), (3, "note 2"), (4, "again")]
    async with stage.sessions() as session:
        page = await list_messages(session, await get_viewer(session, stage.id_of("olha")), into)
    assert {m["seq"]: m["moved_from"] for m in page.items} == {1: None, 2: second, 3: third, 4: third}
    row = await stage.dialog(into)
    assert (row.last_message_seq, row.tags, row.status) == (4, [stage.key("vip")], "open")
    for gone in (second, third):
        row = await stage.dialog(gone)
        assert (row.status, row.merged_into, row.place) == ("closed", into, None)
        [closed] = await facts(stage, gone, "ticket.closed")
        assert (closed.data["cause"], closed.data["silent"]) == ("merged", True)
        [merged] = await facts(stage, gone, "dialog.merged")
        assert merged.data["into"] == str(into)
    assert [f.data["from"] for f in await facts(stage, into, "dialog.merged")] == [str(second), str(third)]
    people = await stage.sql("SELECT user_id FROM participants WHERE dialog_id = :d AND role = 'watcher'", d=into)
    assert [p.user_id for p in people] == [stage.id_of("guest")]
    assert any("Приєднано тікет" in n.text or "Об'єднано з тікетом" in n.text for n in await notices(stage, "guest"))
    assert await stage.load("olha") == 1
    await stage.do("olha", into, Say("and on", "note"))
    assert (await texts(stage, into))[-1] == (5, "and on")
    await stage.require_promises()


async def test_a_clients_next_message_goes_to_the_ticket_that_stays(stage: Stage, three):
    into, second, third = three
    await stage.do("olha", into, Merge((second, third)))
    receipt = await stage.write("c1", "one more thing")
    assert receipt.dialog_id == into
    assert (await stage.dialog(into)).last_message_seq == 4


async def test_an_unanswered_message_is_still_unanswered_after_the_merging(stage: Stage, three):
    into, _, third = three
    assert (await stage.write("c1", "where is it?")).dialog_id == third
    since = (await stage.dialog(third)).awaiting_reply_since
    await stage.do("olha", into, Merge((third,)))
    assert (await stage.dialog(into)).awaiting_reply_since == since
    assert (await stage.dialog(third)).awaiting_reply_since is None


async def test_what_is_no_open_ticket_of_this_client_is_not_merged(stage: Stage, three):
    into, second, third = three
    chat = await stage.opened("c2")
    assert await stage.refused("olha", into, Merge((chat,))) == "wrong_status"
    assert await stage.refused("olha", chat, Merge((into,))) == "wrong_status"
    assert await stage.refused("olha", into, Merge((into,))) == "invalid"
    assert await stage.refused("olha", into, Merge(())) == "invalid"
    assert await stage.refused("olha", into, Merge((stage.id_of("olha"),))) == "not_found"
    foreign = await new_ticket(stage, "olha", (await stage.dialog(chat)).contact_id)
    assert await stage.refused("olha", into, Merge((foreign,))) == "invalid"
    await stage.do("olha", into, Merge((foreign,), different_contacts=True))
    assert await stage.refused("olha", second, Merge((foreign,))) == "wrong_status"
    assert await stage.refused("boss", foreign, Reopen()) == "wrong_status"
    await stage.do("olha", third, Close())
    assert await stage.refused("olha", third, Merge((second,))) == "dialog_closed"
    await stage.do("olha", into, Merge((third,)))
    assert (await stage.dialog(third)).merged_into == into


async def test_nothing_merges_while_a_reply_is_on_its_way(stage: Stage, three):
    into, second, _ = three
    await stage.do("olha", second, Say("hold on"))
    assert await stage.refused("olha", into, Merge((second,))) == "conflict"
    await stage.sql("UPDATE messages SET delivery = 'sent', sent_at = now() WHERE dialog_id = :d AND "
                    "delivery IS NOT NULL", d=second)  # fmt: skip
    await stage.do("olha", into, Merge((second,)))


async def test_only_who_may_act_on_all_of_them_merges(stage: Stage, three):
    into, second, _ = three
    await stage.person("taras", online=True)
    await stage.team("sales")
    await stage.person("iryna", "sales")
    assert await stage.refused("taras", into, Merge((second,))) == "not_yours"
    assert await stage.refused("iryna", into, Merge((second,))) == "not_found"
    contact = (await stage.dialog(into)).contact_id
    theirs = await new_ticket(stage, "boss", contact, assignee=str(stage.id_of("taras")))
    assert await stage.refused("olha", into, Merge((theirs,))) == "not_yours"
    await stage.do("boss", into, Merge((theirs,)))
    assert await stage.load("taras") == 0


async def test_a_repeated_key_merges_once(stage: Stage, three):
    into, second, _ = three
    first = await stage.do("olha", into, Merge((second,)), key="k")
    assert await stage.do("olha", into, Merge((second,)), key="k") == first


async def test_a_run_merges_what_is_at_hand_into_another(stage: Stage, three):
    into, second, third = three
    done = await Run(stage, "boss").act(third, "merge_tickets", into=str(into), tickets=[str(second)])
    assert (done.result["into"], done.result["messages"]) == (str(into), 2)
    assert await texts(stage, into) == [(1, "note 0"), (2, "note 1"), (3, "note 2")]
    assert await Run(stage, "boss").refused(into, "merge_tickets") == "invalid"
    assert await Run(stage, "boss").refused(into, "merge_tickets", tickets=[str(third)]) == "invalid:wrong_status"


async def test_a_message_arriving_meanwhile_is_lost_nowhere(stage: Stage, three):
    into, second, third = three
    arriving = [stage.write("c1", f"m{i}") for i in range(8)]
    outcomes = await asyncio.gather(stage.ask("olha", into, Merge((second, third))), *arriving)
    assert outcomes[0].refusal is None
    found = await stage.sql(
        "SELECT dialog_id, text FROM messages m JOIN dialogs d ON d.id = m.dialog_id"
        " WHERE m.direction = 'in' AND d.channel_key = :c AND m.text LIKE 'm_'", c=stage.channel,
    )  # fmt: skip
    assert sorted(f.text for f in found) == [f"m{i}" for i in range(8)]
    assert {f.dialog_id for f in found} == {into}
    seqs = [seq for seq, _ in await texts(stage, into)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert (await stage.dialog(into)).last_message_seq == len(seqs) == 11
    await stage.require_promises()


async def test_merging_crosswise_leaves_one_of_them(stage: Stage, three):
    for _ in range(4):
        contact = (await stage.dialog(three[0])).contact_id
        one, two = [await new_ticket(stage, "olha", contact) for _ in range(2)]
        for ticket in (one, two):
            await stage.do("olha", ticket, Say("here", "note"))
        outcomes = await asyncio.gather(stage.ask("boss", one, Merge((two,))), stage.ask("olha", two, Merge((one,))))
        refusals = sorted(str(o.refusal) for o in outcomes)
        assert refusals in (["None", "dialog_closed"], ["None", "wrong_status"])
        rows = [await stage.dialog(t) for t in (one, two)]
        assert sorted(r.status for r in rows) == ["closed", "open"]
        stays = next(r.id for r in rows if r.status == "open")
        assert await texts(stage, stays) == [(1, "here"), (2, "here")]
        await stage.do("boss", stays, Close())
    await stage.require_promises()


async def test_a_converted_chat_merges_with_its_files_and_its_wait(stage: Stage, three):
    into, *_ = three
    contact = (await stage.dialog(into)).contact_id
    chat = await stage.opened("c9")
    await stage.sql("UPDATE dialogs SET contact_id = :c WHERE id = :d", c=contact, d=chat)
    await stage.do("olha", chat, Convert())
    await stage.sql(
        "INSERT INTO attachments (id, dialog_id, name, media_type, size, content)"
        " VALUES (gen_random_uuid(), :d, 'a.txt', 'text/plain', 1, 'a')", d=chat,
    )  # fmt: skip
    await stage.do("olha", chat, SetStatus("resolved"))
    await stage.do("olha", into, Merge((chat,)))
    [file] = await stage.sql("SELECT dialog_id FROM attachments WHERE dialog_id IN (:a, :b)", a=into, b=chat)
    assert file.dialog_id == into
