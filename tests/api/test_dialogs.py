"""Reading dialogs: who is shown which (I8), what a row tells, filters, sorting, pages that stand still."""

from uuid import UUID

import pytest

from domain.commands import AddParticipant, AddTag, Close, SetTopic, Unassign


@pytest.fixture
async def seen(desk):
    """One dialog per way of being related to olha, and some she has nothing to do with."""
    await desk.topic("payment", "support")
    await desk.person("guest", "sales")
    dialogs = {"team": await desk.opened("c1"), "foreign": await desk.opened("c2", channel="shop")}
    for name in ("held", "participant", "watched", "authored", "offered", "late_offer"):
        dialogs[name] = await desk.opened(f"c-{name}", channel="shop")
    await desk.online("taras", "olha")
    await desk.sql("UPDATE dialogs SET author_id = :o WHERE id = :d", o=desk.id_of("olha"), d=dialogs["authored"])
    await desk.do("taras", dialogs["participant"], AddParticipant(desk.id_of("olha")))
    await desk.sql(
        "INSERT INTO participants (dialog_id, user_id, role) VALUES (:d, :o, 'watcher')",
        d=dialogs["watched"], o=desk.id_of("olha"),
    )  # fmt: skip
    await desk.sql("DELETE FROM reservations WHERE dialog_id = :d", d=dialogs["held"])
    await desk.sql(
        "UPDATE dialogs SET place = 'owned', status = 'open', operator_id = :o, last_operator_id = :o WHERE id = :d",
        o=desk.id_of("olha"), d=dialogs["held"],
    )  # fmt: skip
    await desk.offer("taras", dialogs["offered"], "olha")
    await desk.pass_deadline(await desk.offer("taras", dialogs["late_offer"], "olha"))
    return dialogs


async def test_a_list_and_every_item_show_only_what_one_is_related_to(desk, seen):
    mine = {"team", "held", "participant", "watched", "authored", "offered"}
    listed = await desk.listed("olha")
    assert {name for name, i in seen.items() if i in listed} == mine
    for name, dialog in seen.items():
        for part in ("", "/messages", "/timeline", "/decisions"):
            await desk.get("olha", f"/dialogs/{dialog}{part}", 200 if name in mine else 404)


async def test_every_role_sees_its_own_share(desk, seen):
    everything, support = set(seen.values()), {seen["team"]}
    assert set(await desk.listed("light")) == set(await desk.listed("lead")) == support
    assert set(await desk.listed("guest")) == everything - support
    for who in ("chief", "engineer", "boss"):
        assert everything <= set(await desk.listed(who, limit=200))
    await desk.get("wirer", "/dialogs", 403)
    await desk.get("wirer", f"/dialogs/{seen['team']}", 403)


async def test_without_the_right_to_read_texts_nothing_said_is_told(desk):
    dialog = await desk.opened("c1", text="a secret word")
    await desk.say("lead", dialog, "another secret", "note")
    for part in ("", "/messages", "/timeline", "/decisions"):
        answer = await (await desk.client("engineer")).get(f"/dialogs/{dialog}{part}")
        assert answer.status_code == 200
        assert "secret" not in answer.text
        assert "secret" in (await (await desk.client("light")).get(f"/dialogs/{dialog}{part}")).text or part in (
            "/decisions",
        )
    assert dialog in await desk.listed("light", q="secret")
    assert dialog not in await desk.listed("engineer", q="secret", limit=200)
    listed = await desk.get("engineer", "/dialogs", team=desk.key("support"))
    assert listed["items"][0]["last_message"]["excerpt"] is None


async def test_a_row_tells_what_a_panel_needs(desk):
    await desk.topic("payment", "support")
    await desk.tag("vip")
    dialog = await desk.opened("c1", text="Where is it?", name="Марія", topic="payment")
    await desk.online("olha")
    await desk.do("olha", dialog, AddTag(desk.key("vip")))
    [row] = (await desk.get("olha", "/dialogs"))["items"]
    assert (row["id"], row["kind"], row["status"], row["place"]) == (str(dialog), "chat", "open", "owned")
    assert row["channel"] == {"key": desk.channel, "kind": "generic", "name": "demo"}
    assert row["contact"]["name"] == "Марія"
    assert (row["topic"], row["team"], row["tags"]) == (desk.key("payment"), desk.key("support"), [desk.key("vip")])
    assert (row["operator_id"], row["operator_name"]) == (str(desk.id_of("olha")), "Olha")
    assert (row["waiting_since"], row["cycle"], row["offer"], row["last_message_seq"]) == (None, 1, None, 1)
    assert row["awaiting_reply_since"]
    assert row["last_message"]["excerpt"] == "Where is it?"
    whole = await desk.get("olha", f"/dialogs/{dialog}")
    assert (whole["participants"], whole["watchers"], whole["contact"]["banned"]) == ([], [], False)


async def test_a_reply_ends_the_awaiting_and_a_note_does_not(desk):
    dialog = await desk.opened("c1")
    await desk.online("olha")
    await desk.say("olha", dialog, "a note", "note")
    assert await desk.listed("olha", awaiting_reply="true") == [dialog]
    await desk.say("olha", dialog, "hello")
    assert await desk.listed("olha", awaiting_reply="true") == []
    await desk.write("c1", "and?")
    assert await desk.listed("olha", awaiting_reply="true") == [dialog]


async def test_an_offer_past_its_deadline_is_shown_as_expired_before_anybody_carried_that_out(desk):
    await desk.person("second", online=True)
    dialog = await desk.opened("c1")
    await desk.online("olha")
    assert await desk.holder(dialog) == "second"
    transfer = await desk.offer("second", dialog, "olha")
    [incoming] = (await desk.get("olha", "/transfers", to="me", state="pending"))["items"]
    assert (incoming["transfer_id"], incoming["state"]) == (str(transfer), "pending")
    assert incoming["seconds_left"] > 100
    await desk.pass_deadline(transfer)
    assert (await desk.get("olha", "/transfers", to="me", state="pending"))["items"] == []
    [expired] = (await desk.get("olha", "/transfers", to="me", state="expired"))["items"]
    assert expired["ended_at"] == expired["deadline"]
    assert (await desk.get("olha", f"/transfers/{transfer}"))["state"] == "expired"
    assert (await desk.get("olha", f"/dialogs/{dialog}"))["offer"]["state"] == "expired"
    [row] = (await desk.get("olha", "/dialogs"))["items"]
    assert (row["offer"]["state"], row["offer"]["seconds_left"]) == ("expired", 0)
    await desk.get("taras", f"/transfers/{transfer}", 404)


async def test_filters_take_statuses_places_and_alternatives(desk):
    await desk.topic("payment", "support")
    queued = await desk.opened("c1", topic="payment")
    await desk.online("olha")
    await desk.do("olha", queued, Unassign())
    owned, closed = await desk.opened("c2"), await desk.opened("c3")
    await desk.do("olha", owned, SetTopic(None))
    await desk.do("olha", closed, Close())
    ask = lambda **given: desk.listed("olha", **given)  # noqa: E731
    assert await ask(status="queued") == [queued]
    assert await ask(status="owned") == [owned]
    assert await ask(status=["queued", "closed"]) == [closed, queued]
    assert await ask(topic=desk.key("payment")) == [queued]
    assert await ask(topic="none") == [closed, owned]
    assert await ask(operator="me") == [closed, owned]
    assert await ask(operator="me", status="closed") == [closed]
    assert await ask(operator="none") == [queued]
    assert await ask(sort="oldest") == [queued, owned, closed]
    assert await ask(q=str((await desk.dialog(owned)).number)) == [owned]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"status": "opened"}, "status"), ({"operator": "olha"}, "operator"), ({"from_": "soon"}, "from"),
        ({"q": "\ud7ff" * 201}, None), ({"after": "xyz"}, "after"), ({"after": "W10"}, "after"), ({"limit": 0}, None),
        ({"limit": 201}, None), ({"limit": 10**30}, None), ({"colour": "red"}, None), ({"sort": "up"}, None),
        ({"tag": "a\x00"}, None), ({"rating": "9" * 30}, "rating"), ({"q": "9" * 150}, 200), ({"topic": ""}, "topic"),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_refused_by_name(desk, given, field):
    answer = await desk.get("olha", "/dialogs", 200 if field == 200 else 422, **given)
    if isinstance(field, str):
        assert answer["field"] == field


@pytest.mark.parametrize("sort", ["newest", "oldest", "waiting", "last_message"])
async def test_pages_join_without_gap_or_repetition_while_dialogs_arrive(desk, sort):
    await desk.online("olha")
    before = [await desk.opened(f"c{i}") for i in range(12)]
    for dialog in before[::3]:
        await desk.sql("UPDATE dialogs SET awaiting_reply_since = NULL WHERE id = :d", d=dialog)
    whole = await desk.listed("lead", sort=sort)
    assert len(whole) == 12
    seen, after, pages = [], None, 0
    while True:
        page = await desk.get("lead", "/dialogs", sort=sort, limit=5, **({"after": after} if after else {}))
        seen += [UUID(r["id"]) for r in page["items"]]
        pages += 1
        last, after = page, page["next"]
        if after is None:
            break
        await desk.opened(f"late{pages}-{sort}")
    assert [d for d in seen if d in before] == whole
    assert len(seen) == len(set(seen))
    back = await desk.get("lead", "/dialogs", sort=sort, limit=200, before=last["previous"])
    there = [UUID(r["id"]) for r in back["items"]]
    assert [d for d in there if d in before] == [d for d in whole if d in there]
    assert {*there, *(UUID(r["id"]) for r in last["items"])} >= set(before)
    other = "oldest" if sort == "newest" else "newest"
    await desk.get("lead", "/dialogs", 422, sort=other, after=last["previous"])


async def test_waiting_puts_the_longest_unanswered_first_and_the_answered_last(desk):
    await desk.online("olha")
    first, second, answered = [await desk.opened(f"c{i}") for i in range(3)]
    await desk.sql("UPDATE dialogs SET awaiting_reply_since = now() - interval '1 h' WHERE id = :d", d=second)
    await desk.say("olha", answered, "hello")
    assert await desk.listed("olha", sort="waiting") == [second, first, answered]


async def test_every_reading_names_the_newest_event_it_knows(desk):
    dialog = await desk.opened("c1")
    await desk.sql("SELECT number_events()")
    [newest] = await desk.sql("SELECT max(seq) FROM events")
    client = await desk.client("lead")
    for path in ("/dialogs", f"/dialogs/{dialog}", f"/dialogs/{dialog}/messages", f"/dialogs/{dialog}/timeline",
                 f"/dialogs/{dialog}/decisions", "/transfers", "/queue", "/operators", "/events/log"):  # fmt: skip
        assert (await client.get(path)).headers["X-Events-Seq"] == str(newest[0]), path
