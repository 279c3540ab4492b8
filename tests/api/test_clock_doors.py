"""Clocks over HTTP: each explained, passed deadlines told as passed; lists by deadline, and of what is overdue."""

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.commands import Close, Say
from tests.store.clocks.promises import NRT, TFR, TTC, age, calendar, clocks, look, promised, sla_events

OFFICE = {"zone": "Europe/Kyiv", "weekly": {day: ["08:00-12:00", "12:30-20:00"] for day in
          ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}, "exceptions": {}}  # fmt: skip


async def test_a_clock_tells_its_deadline_its_ledger_and_why_in_both_languages(desk):
    await desk.online("olha")
    dialog = await desk.opened("c1", topic=await promised(desk, TFR, TTC, NRT))
    told = await desk.get("olha", f"/dialogs/{dialog}/clocks")
    tfr, ttc = sorted(told["clocks"], key=lambda c: c["metric"])
    assert (tfr["metric"], tfr["state"], tfr["target"], tfr["kind"], tfr["name"]) == (
        "tfr", "running", 900, "sla", "First answer",
    )  # fmt: skip
    assert 890 < tfr["remaining"] <= 900
    assert not tfr["is_overdue"]
    assert told["due_at"] == tfr["due_at"] < ttc["due_at"]
    [line] = tfr["ledger"]
    assert (line["state"], line["cause"], line["to"]) == ("running", "dialog.opened", None)
    assert "the dialog was opened" in line["words"]
    assert line["seconds"] == sum(c["seconds"] for c in line["counted"])
    assert tfr["why"].startswith("First answer is due ")
    response = await (await desk.client("olha")).get(
        f"/dialogs/{dialog}/clocks", headers={"Accept-Language": "uk"}
    )  # fmt: skip
    assert response.headers["content-language"] == "uk"
    assert int(response.headers["x-events-seq"]) >= 0
    assert "діалог відкрито" in response.json()["clocks"][0]["why"]


async def test_a_passed_deadline_is_told_as_passed_though_nobody_has_looked(desk):
    await desk.online("olha")
    dialog = await desk.opened("c1", topic=await promised(desk, TFR))
    await age(desk, dialog, 1000)
    told = await desk.get("olha", f"/dialogs/{dialog}/clocks")
    [clock] = told["clocks"]
    assert (clock["is_overdue"], clock["warned"], told["is_overdue"]) == (True, [50, 80], True)
    assert clock["breached_at"] == clock["due_at"] == told["due_at"]
    assert clock["remaining"] < -99
    assert not await sla_events(desk, dialog), "looking carries nothing out"
    row = await desk.get("olha", f"/dialogs/{dialog}")
    assert (row["is_overdue"], datetime.fromisoformat(row["due_at"])) == (True, (await clocks(desk, dialog))[0].due_at)
    assert await desk.listed("olha", overdue="true") == [dialog]
    assert await desk.listed("olha", folder="overdue") == [dialog]
    await desk.do("olha", dialog, Say("sorry"))
    assert await desk.listed("olha", folder="overdue") == []
    [clock] = (await desk.get("olha", f"/dialogs/{dialog}/clocks"))["clocks"]
    assert (clock["state"], clock["result"], clock["remaining"], clock["is_overdue"]) == (
        "ended", "breached", None, False,
    )  # fmt: skip


async def test_the_ledger_of_long_clocks_is_summed_by_day(desk):
    await desk.online("olha")
    key = await calendar(desk, "office", **OFFICE)
    dialog = await desk.opened("c1", topic=await promised(desk, TTC, calendar=key))
    await age(desk, dialog, 3600 * 24 * 250)
    [clock] = (await desk.get("olha", f"/dialogs/{dialog}/clocks"))["clocks"]
    [line] = clock["ledger"]
    assert clock["counted_by"] == "day"
    assert len(line["counted"]) <= 252
    assert abs(sum(c["seconds"] for c in line["counted"]) - line["seconds"]) < 1e-3


async def test_moments_without_a_calendar_are_told_in_the_zone_of_the_house(desk):
    dialog = await desk.opened("c1", topic=await promised(desk, TFR))
    [clock] = (await desk.get("olha", f"/dialogs/{dialog}/clocks"))["clocks"]
    due = datetime.fromisoformat(clock["due_at"]).astimezone(ZoneInfo("Europe/Kyiv"))
    assert clock["zone"] == "Europe/Kyiv"
    assert f"{due:%H:%M}" in clock["why"].partition(". ")[0]


async def test_who_may_not_read_the_dialog_is_not_told_of_its_clocks(desk):
    dialog = await desk.opened("c1", topic=await promised(desk, TFR))
    await desk.get("taras", f"/dialogs/{dialog}/clocks", 404)
    assert (await desk.get("engineer", f"/dialogs/{dialog}/clocks"))["clocks"], "no texts are in it"
    await desk.get("olha", f"/dialogs/{dialog}/clocks", 422, limit=0)


async def test_lists_begin_with_the_deadline_that_presses_most_and_end_with_none(desk):
    await desk.online("olha")
    paid = await promised(desk, TFR, TTC)
    late, soon, later = [await desk.opened(f"c{n}", topic=paid) for n in range(3)]
    free = [await desk.opened(f"f{n}") for n in range(4)]
    answered = await desk.opened("c9", topic=paid)
    closed = await desk.opened("c10", topic=paid)
    await age(desk, late, 2000)
    await age(desk, soon, 600)
    await desk.do("olha", answered, Say("hello"))
    await desk.do("olha", closed, Close())
    expected = [late, soon, later, answered, *free, closed]
    assert await desk.listed("olha", sort="due", team=desk.key("support")) == expected
    pages, after = [], None
    while True:
        given = {"sort": "due", "team": desk.key("support"), "limit": 2, **({"after": after} if after else {})}
        page = await desk.get("olha", "/dialogs", **given)
        pages += [i["id"] for i in page["items"]]
        after, last = page["next"], page
        if after is None:
            break
    assert pages == [str(d) for d in expected]
    back = await desk.get("olha", "/dialogs", sort="due", team=desk.key("support"), limit=7, before=last["previous"])
    assert [i["id"] for i in back["items"]] == [str(d) for d in expected[-2 - 6 : -1]]
    assert await desk.listed("olha", sort="due", status="open", team=desk.key("support")) == [
        d for d in expected if d != closed
    ]
    assert await desk.listed("olha", sort="due", overdue="true") == [late]
    assert await desk.listed("olha", sort="due", folder="overdue") == [late]
    assert await desk.listed("olha", sort="due", folder="overdue", overdue="false") == []
    assert await desk.listed("olha", sort="due", status="closed", team=desk.key("support")) == [closed]
    await desk.get("olha", "/dialogs", 422, sort="newest", after=back["next"])


async def test_a_supervisor_reads_how_promises_of_their_teams_were_kept_and_opens_each_number(desk):
    await desk.online("olha")
    paid = await promised(desk, TFR)
    kept, broken = [await desk.opened(f"c{n}", topic=paid) for n in range(2)]
    await desk.do("olha", kept, Say("hello"))
    await age(desk, broken, 1000)
    late = await desk.get("lead", "/reports/sla")
    assert [(t["metric"], t["met"], t["breached"], t["running_overdue"]) for t in late["totals"]] == [("tfr", 1, 0, 1)]
    assert [i["dialog_id"] for i in (await desk.get("lead", "/reports/sla/tickets", result="overdue"))["items"]] == [
        str(broken)
    ]
    await desk.do("olha", broken, Say("sorry"))
    told = await desk.get("lead", "/reports/sla", group_by="operator")
    [row] = told["rows"]
    assert (row["name"], row["met"], row["breached"], row["share_met"]) == ("Olha", 1, 1, 0.5)
    assert "met / (met + breached)" in told["formula"]
    client = await desk.client("lead")
    uk = await client.get("/reports/sla", headers={"Accept-Language": "uk"})
    assert "Частка виконаних" in uk.json()["formula"]
    [item] = (await desk.get("lead", "/reports/sla/tickets", metric="tfr", result="met"))["items"]
    assert (item["dialog_id"], item["operator_name"], item["late_by"]) == (str(kept), "Olha", 0)
    file = await client.get("/reports/sla.csv", params={"group_by": "team"})
    assert file.text.splitlines()[1].startswith(f"{desk.key('support')},")
    await desk.team("other")
    await desk.person("stranger", "other", role="supervisor")
    assert (await desk.get("stranger", "/reports/sla"))["totals"] == []
    await desk.get("olha", "/reports/sla", 403)
    await desk.get("lead", "/reports/sla", 422, from_="2026-01-02", to="2026-01-01")
    await desk.get("lead", "/reports/sla", 422, group_by="moon")


async def test_the_timeline_says_what_clocks_did_to_those_who_may_read_the_dialog(desk):
    await desk.online("olha")
    dialog = await desk.opened("c1", topic=await promised(desk, TFR))
    await age(desk, dialog, 1000)
    await look(desk, dialog)
    items = (await desk.get("olha", f"/dialogs/{dialog}/timeline"))["items"]
    assert [i["says"].split(" at ")[0] for i in items if i.get("kind") == "sla.breached"] == ["First answer was due"]
    assert [i["data"]["percent"] for i in items if i.get("kind") == "sla.warned"] == [50, 80]
    answer = await (await desk.client("olha")).get(f"/dialogs/{dialog}/timeline", headers={"Accept-Language": "uk"})
    assert any("First answer: термін був" in i["says"] for i in answer.json()["items"])
