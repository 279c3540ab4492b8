"""The audit: who, when, from where, before and after; filtered, paged, as CSV (B10)."""

import csv
import io

import pytest

from domain.commands import AddTag, Close


async def kinds(desk, who="lead", **params):
    return [e["kind"] for e in (await desk.get(who, "/events/log", **params))["items"]]


@pytest.fixture
async def story(desk):
    await desk.tag("vip")
    dialog = await desk.opened("c1")
    await desk.opened("c2", channel="shop")
    await desk.online("olha")
    await desk.do("olha", dialog, AddTag(desk.key("vip")))
    await desk.do("olha", dialog, Close())
    return dialog


async def test_an_entry_tells_who_when_and_what_changed(desk, story):
    [closed] = (await desk.get("lead", "/events/log", dialog=str(story), kind="dialog.closed"))["items"]
    assert closed["actor"] == {"kind": "user", "id": str(desk.id_of("olha")), "name": "Olha", "address": None}
    before, after = closed["data"]["before"], closed["data"]["after"]
    assert before == {"status": "open", "place": "owned", "operator": str(desk.id_of("olha"))}
    assert after == {"status": "closed", "operator": None}


async def test_entries_are_filtered(desk, story):
    assert await kinds(desk, kind=["dialog.tagged", "dialog.closed"]) == ["dialog.closed", "dialog.tagged"]
    assert set(await kinds(desk, kind="message.*")) == {"message.received"}
    assert set(await kinds(desk, actor=str(desk.id_of("olha")))) >= {"dialog.closed", "dialog.tagged"}
    assert "message.received" not in await kinds(desk, actor=str(desk.id_of("olha")))
    assert await kinds(desk, from_="2090-01-01") == await kinds(desk, to="2001-01-01") == []
    assert await kinds(desk, dialog=str(story), from_="2020-01-01", to="2090-01-01")


async def test_entries_are_paged_newest_first(desk, story):
    whole = (await desk.get("lead", "/events/log", limit=200, dialog=str(story)))["items"]
    page = await desk.get("lead", "/events/log", limit=3, dialog=str(story))
    seen = page["items"]
    while page["next"]:
        page = await desk.get("lead", "/events/log", limit=3, dialog=str(story), after=page["next"])
        seen += page["items"]
    assert seen == whole
    assert [e["id"] for e in whole] == sorted((e["id"] for e in whole), reverse=True)


async def test_a_leader_of_teams_sees_their_events_only(desk, story):
    assert {e["team"] for e in (await desk.get("lead", "/events/log", limit=200))["items"]} <= {
        desk.key("support"), None,
    }  # fmt: skip
    assert desk.key("sales") in {e["team"] for e in (await desk.get("chief", "/events/log", limit=200))["items"]}
    for who in ("olha", "light", "wirer"):
        await desk.get(who, "/events/log", 403)


async def test_the_export_is_whole_and_harmless_to_spreadsheets(desk, story):
    await desk.sql(
        "INSERT INTO events (kind, at, actor_kind, team_key, address) VALUES ('dialog.tagged', now(), 'user', :t, :a)",
        t=desk.key("support"), a="=HYPERLINK(1)",
    )  # fmt: skip
    answer = await (await desk.client("lead")).get("/events/log", params={"format": "csv", "limit": 1})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len((await desk.get("lead", "/events/log", limit=200))["items"])
    assert rows[0]["address"] == "'=HYPERLINK(1)"
    closed = next(r for r in rows if r["kind"] == "dialog.closed")
    assert (closed["actor"], closed["after"]) == ("Olha", '{"operator": null, "status": "closed"}')


@pytest.mark.parametrize(
    "given", [{"kind": "x"}, {"actor": "me"}, {"after": 0}, {"after": 2**63}, {"from_": "x"}, {"limit": 0}, {"a": 1}]
)
async def test_what_cannot_be_asked_is_refused(desk, given):
    await desk.get("lead", "/events/log", 422, **given)
