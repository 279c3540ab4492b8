"""The live stream: nothing lost, nothing twice, nothing for the wrong eyes (B11, I8, DECISIONS 4)."""

import asyncio
import contextlib
import random
import time
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from sqlalchemy import text

from api import events
from domain.commands import AddParticipant, AddTag, Close, RemoveParticipant, Transfer
from domain.presence import Presence
from tests.api.streams import Ear, ear, listening

WRITERS, EACH = 16, 40


@pytest.fixture
async def live(desk):
    async with listening(desk.app) as (address, server):
        yield address, server


async def newest(desk) -> int:
    [row] = await desk.sql("SELECT number_events() AS n")
    return int(row.n)


async def test_a_stream_without_a_number_begins_now_and_tells_what_happens(desk, live):
    address, _ = live
    await desk.opened("before")
    await newest(desk)
    async with ear(address, await desk.token("lead")) as hears:
        await asyncio.sleep(0.3)
        dialog = await desk.opened("c1", text="a secret word")
        heard = await hears.until("dialog.queued")
        assert {e["dialog_id"] for e in heard} == {str(dialog)}
        assert [e["event"] for e in heard] == [e["kind"] for e in heard]
        assert {"dialog.opened", "message.received", "dialog.queued"} <= {e["kind"] for e in heard}
        assert [e["seq"] for e in heard] == [e["id"] for e in heard] == sorted(e["seq"] for e in heard)
        assert heard[0]["actor"]["kind"] == "client"
        assert "secret" not in str(heard)


async def test_a_message_is_on_the_stream_at_once(desk, live):
    address, _ = live
    await desk.opened("c1")
    took = []
    async with ear(address, await desk.token("lead")) as hears:
        await asyncio.sleep(0.3)
        for n in range(10):
            began = time.perf_counter()
            await desk.write("c1", f"m{n}")
            await hears.until("message.received")
            took.append(time.perf_counter() - began)
    assert sorted(took)[5] < 0.25


async def test_coming_back_with_a_number_tells_what_was_missed_then_goes_on(desk, live):
    address, _ = live
    start = await newest(desk)
    dialog = await desk.opened("c1")
    await newest(desk)
    async with ear(address, await desk.token("lead"), after=start) as hears:
        missed = await hears.until("dialog.queued")
        assert missed[0]["seq"] > start
        await desk.write("c1", "more")
        assert (await hears.next())["kind"] == "message.received"
        last = hears.last
    await desk.do("lead", dialog, Close())
    headers = {"Last-Event-ID": str(last)}
    async with ear(address, await desk.token("lead"), after=start, **headers) as hears:
        assert (await hears.next())["kind"] == "dialog.closed"


@pytest.mark.parametrize("number", [10**12, 2**63 - 1])
async def test_a_number_nobody_gave_asks_for_reading_afresh(desk, live, number):
    address, _ = live
    async with ear(address, await desk.token("lead"), after=number) as hears:
        heard = await hears.next()
        assert (heard["event"], heard["seq"]) == ("resync", await newest(desk))
        await desk.opened("c1")
        assert (await hears.next())["kind"].startswith(("dialog.", "message."))


async def test_a_number_older_than_a_week_asks_for_reading_afresh(desk, live):
    address, _ = live
    start = await newest(desk)
    await desk.opened("c1")
    await newest(desk)
    await desk.sql("UPDATE events SET at = at - interval '8 days' WHERE seq = :s", s=start + 1)
    async with ear(address, await desk.token("lead"), after=start) as hears:
        assert (await hears.next())["event"] == "resync"


@pytest.mark.parametrize(("query", "header"), [("after=-1", ""), ("after=x", ""), (f"after={2**63}", ""), ("", "abc")])
async def test_a_number_that_is_none_is_refused(desk, live, query, header):
    address, _ = live
    sent = {"Authorization": f"Bearer {await desk.token('lead')}"} | ({"Last-Event-ID": header} if header else {})
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{address}/events?{query}", headers=sent)).status_code == 422
        assert (await client.get(f"{address}/events")).status_code == 401


async def test_who_hears_of_a_dialog_are_those_who_may_read_it(desk, live):
    address, _ = live
    await desk.person("pal", "sales")
    async with contextlib.AsyncExitStack() as stack:
        ears: dict[str, Ear] = {}
        for who in ("olha", "taras", "light", "lead", "chief", "engineer", "boss", "wirer", "pal"):
            ears[who] = await stack.enter_async_context(ear(address, await desk.token(who)))
        await asyncio.sleep(0.5)
        dialog = await desk.opened("c1")
        for who in ("olha", "light", "lead", "chief", "engineer", "boss"):
            assert (await ears[who].until("dialog.queued"))[-1]["dialog_id"] == str(dialog), who
        for who in ("taras", "wirer", "pal"):
            assert await ears[who].is_silent(), who
        await desk.do("lead", dialog, AddParticipant(desk.id_of("pal")))
        assert (await ears["pal"].next())["kind"] == "dialog.participant_added"
        await desk.write("c1", "more")
        assert (await ears["pal"].next())["kind"] == "message.received"
        await desk.do("lead", dialog, RemoveParticipant(desk.id_of("pal")))
        assert (await ears["pal"].next())["kind"] == "dialog.participant_removed"
        await desk.write("c1", "and more")
        assert await ears["pal"].is_silent()
        await desk.do("lead", dialog, Transfer(to_team=desk.key("sales")))
        assert (await ears["taras"].until("dialog.team_changed"))[-1]["dialog_id"] == str(dialog)
        moved = await ears["olha"].until("dialog.team_changed")
        assert moved[-1]["data"]["after"]["team"] == desk.key("sales")
        await desk.write("c1", "still more")
        assert await ears["olha"].is_silent()


async def test_whom_an_offer_was_made_to_hears_how_it_ended(desk, live):
    address, _ = live
    await desk.person("giver", "sales", online=True)
    dialog = await desk.opened("c1", channel="shop")
    await desk.online("olha")
    async with ear(address, await desk.token("olha")) as hears:
        await asyncio.sleep(0.3)
        transfer = await desk.offer("giver", dialog, "olha")
        assert (await hears.until("transfer.offered"))[-1]["data"]["transfer_id"] == str(transfer)
        await desk.pass_deadline(transfer)
        await desk.settle(transfer)
        assert (await hears.until("transfer.expired"))[-1]["data"]["transfer_id"] == str(transfer)
        await desk.write("c1", "more", channel="shop")
        assert await hears.is_silent()


async def test_presence_is_heard_within_the_team_and_settings_by_auditors(desk, live):
    address, _ = live
    async with contextlib.AsyncExitStack() as stack:
        ears = {
            who: await stack.enter_async_context(ear(address, await desk.token(who)))
            for who in ("light", "taras", "chief", "wirer", "lead")
        }
        await asyncio.sleep(0.5)
        await desk.online("olha")
        assert (await ears["light"].next())["kind"] == "operator.online"
        assert (await ears["chief"].next())["operator_id"] == str(desk.id_of("olha"))
        assert (await ears["lead"].next())["kind"] == "operator.online"
        await desk.tag("vip")
        await desk.sql(
            "INSERT INTO events (kind, at, actor_kind, actor_id) VALUES ('settings.changed', now(), 'user', :a)",
            a=desk.id_of("boss"),
        )
        for who in ("chief", "lead"):
            assert (await ears[who].next())["kind"] == "settings.changed"
        for who in ("light", "taras", "wirer"):
            assert await ears[who].is_silent(for_=0.2)


async def test_rights_that_change_count_from_the_next_event_on(desk, live):
    address, _ = live
    async with ear(address, await desk.token("olha")) as hears:
        await asyncio.sleep(0.3)
        await desk.sql("DELETE FROM team_members WHERE user_id = :o", o=desk.id_of("olha"))
        await desk.sql("INSERT INTO events (kind, at, actor_kind) VALUES ('settings.changed', now(), 'system')")
        await desk.opened("c1")
        assert await hears.is_silent()


@pytest.mark.parametrize("end", ["UPDATE users SET is_active = false WHERE id = :u",
                                 "UPDATE tokens SET revoked_at = now() WHERE user_id = :u"])  # fmt: skip
async def test_whoever_may_no_longer_come_in_is_cut_off(desk, live, end):
    address, _ = live
    async with ear(address, await desk.token("olha")) as hears:
        await asyncio.sleep(0.3)
        await desk.sql(end, u=desk.id_of("olha"))
        await desk.sql("INSERT INTO events (kind, at, actor_kind) VALUES ('settings.changed', now(), 'system')")
        assert await hears.has_ended()


async def test_signs_of_life_renew_presence_and_find_out_who_left(desk, live, monkeypatch):
    monkeypatch.setattr(events, "BEAT", 0.2)
    monkeypatch.setattr("api.viewers._RENEW_EVERY", 0.0)
    address, _ = live
    await desk.status("olha", Presence.ONLINE, lease=3)
    async with ear(address, await desk.token("olha")) as hears:
        await hears.is_silent(for_=0.8)
        row = await desk.row("SELECT lease_until FROM presence_leases WHERE operator_id = :o", o=desk.id_of("olha"))
        assert (row.lease_until - datetime.now(UTC)).total_seconds() > 30
        await desk.sql("UPDATE users SET is_active = false WHERE id = :u", u=desk.id_of("olha"))
        assert await hears.has_ended()


async def test_streams_end_when_the_process_is_told_to_stop(desk):
    async with contextlib.AsyncExitStack() as stack:
        address, server = await stack.enter_async_context(listening(desk.app))
        hears = await stack.enter_async_context(ear(address, await desk.token("lead")))
        await asyncio.sleep(0.3)
        began = time.perf_counter()
        events.tail_of(desk.app.state.house).close()
        server.should_exit = True
        assert await hears.has_ended()
        assert time.perf_counter() - began < 1


async def test_the_stream_goes_on_when_its_listener_is_cut_off(desk, live):
    address, _ = live
    async with ear(address, await desk.token("lead")) as hears:
        await asyncio.sleep(0.3)
        await desk.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname ="
            " current_database()"
        )
        await desk.opened("c1")
        assert (await hears.next())["kind"] in ("dialog.opened", "message.received", "dialog.queued")
        await asyncio.sleep(2.5)
        began = time.perf_counter()
        await desk.opened("c2")
        await hears.until("dialog.queued")
        await hears.until("dialog.queued")
        assert time.perf_counter() - began < 1


async def test_a_stream_that_falls_behind_is_ended_and_resumes(desk, live, monkeypatch):
    monkeypatch.setattr("api.tails.MOST_BEHIND", 3)
    address, _ = live
    start = await newest(desk)
    async with ear(address, await desk.token("lead"), after=start) as hears:
        await asyncio.sleep(0.3)
        async with desk.sessions.begin() as session:
            for _ in range(5):
                await session.execute(
                    text("INSERT INTO events (kind, at, actor_kind) VALUES ('settings.changed', now(), 'system')")
                )
        assert await hears.has_ended()
    async with ear(address, await desk.token("lead"), after=start) as hears:
        assert [(await hears.next())["seq"] for _ in range(5)] == list(range(start + 1, start + 6))


async def test_sixteen_writers_and_a_reader_that_keeps_coming_back(desk, live, database):
    """Rows commit out of the order of their ids; a reader that is cut off at random hears each once, in order."""
    address, _ = live
    url = database.replace("+psycopg", "")
    start = await newest(desk)
    rng = random.Random(3)

    async def write(writer: int) -> None:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            for n in range(EACH):
                for part in range(2):
                    await connection.execute(
                        "INSERT INTO events (kind, at, actor_kind, data) VALUES ('settings.changed', now(), 'system',"
                        " jsonb_build_object('mark', %s::text))",
                        (f"{writer}-{n}-{part}",),
                    )
                    await asyncio.sleep(rng.random() * 0.02)
                if rng.random() < 0.1:
                    await connection.rollback()
                else:
                    await connection.commit()
                    committed.append(f"{writer}-{n}")

    committed: list[str] = []
    writing = asyncio.gather(*(write(w) for w in range(WRITERS)))
    heard: list[dict] = []
    last, comings = start, 0
    while not writing.done() or len(heard) < 2 * len(committed):
        comings += 1
        async with ear(address, await desk.token("boss"), after=last) as hears:
            for _ in range(rng.randrange(1, 120)):
                try:
                    heard.append(await hears.next(within=2))
                except TimeoutError:
                    assert writing.done() or len(heard) < 2 * len(committed)
                    break
                last = heard[-1]["seq"]
                if writing.done() and len(heard) == 2 * len(committed):
                    break
    await writing
    seqs = [e["seq"] for e in heard]
    assert seqs == list(range(start + 1, start + 1 + len(seqs)))
    assert sorted(e["data"]["mark"] for e in heard) == sorted(f"{c}-{p}" for c in committed for p in range(2))
    assert comings > 5
    [row] = await desk.sql("SELECT count(*) AS n FROM events a JOIN events b ON b.id > a.id AND b.seq < a.seq")
    assert row.n > 0, "the commits came in order: nothing was tried"


async def test_a_tag_tells_nobody_more_than_its_key(desk, live):
    address, _ = live
    await desk.tag("vip")
    dialog = await desk.opened("c1")
    await desk.online("olha")
    async with ear(address, await desk.token("lead")) as hears:
        await asyncio.sleep(0.3)
        await desk.do("olha", dialog, AddTag(desk.key("vip")))
        assert (await hears.next())["data"] == {"tag": desk.key("vip")}
