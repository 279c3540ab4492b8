"""The queue with its reasons, the audit's numbers, the live board, the diagnosis (P110 to P113, P206, P207)."""

from uuid import UUID

from domain.commands import Connect, Decline, Take, Unassign
from domain.presence import Presence


async def queue(desk, who="lead", **params):
    return {UUID(r["id"]): r for r in (await desk.get(who, "/queue", **params))["items"]}


async def test_each_waiting_dialog_tells_why_it_waits(desk):
    dialog = await desk.opened("c1")
    row = (await queue(desk))[dialog]
    assert (row["reason"], row["place"], row["weight"]) == ("nobody_online", "queued", 0)
    assert row["age"] >= 0
    assert row["out"] == {"light_agent": 1, "not_online": 2}
    await desk.sql("UPDATE operators SET max_dialogs = 0 WHERE user_id = :o", o=desk.id_of("olha"))
    await desk.online("olha")
    assert (await queue(desk))[dialog]["reason"] == "all_at_limit"
    await desk.sql("UPDATE operators SET max_dialogs = 5, daily_quota = 0 WHERE user_id = :o", o=desk.id_of("olha"))
    assert (await queue(desk))[dialog]["reason"] == "all_at_quota"
    await desk.sql("UPDATE operators SET daily_quota = NULL WHERE user_id = :o", o=desk.id_of("olha"))
    assert (await queue(desk))[dialog]["reason"] == "next_in_line"
    await desk.change_team("support", active=False)
    assert (await queue(desk))[dialog]["reason"] == "team_inactive"
    await desk.change_team("support", active=True)
    await desk.online("olha")
    assert dialog not in await queue(desk)


async def test_a_manual_team_and_a_forced_wait_say_so(desk):
    forced = await desk.opened("c1")
    await desk.do("boss", forced, Connect(place="queue"))
    assert (await queue(desk))[forced]["reason"] == "nobody_online"
    await desk.sql("UPDATE operators SET status = 'online' WHERE user_id = :o", o=desk.id_of("olha"))
    await desk.sql(
        "INSERT INTO presence_leases (operator_id, lease_until) VALUES (:o, now() + interval '1 h')",
        o=desk.id_of("olha"),
    )
    assert (await queue(desk))[forced]["reason"] == "forced"
    await desk.do("olha", forced, Take())
    await desk.change_team("support", auto=False)
    manual = await desk.opened("c2")
    row = (await queue(desk))[manual]
    assert (row["reason"], row["place"]) == ("manual", "unassigned")


async def test_an_exclusion_shows_until_when_it_lasts(desk):
    await desk.person("second", online=True)
    await desk.change_team("support", transfer_fallback="pool")
    dialog = await desk.opened("c1")
    await desk.online("olha")
    transfer = await desk.offer("second", dialog, "olha")
    await desk.offline("second")
    await desk.do("olha", dialog, Decline(None), transfer=transfer)
    row = (await queue(desk))[dialog]
    assert row["reason"] == "only_excluded_online"
    assert row["until"]
    await desk.end_windows()
    row = (await queue(desk))[dialog]
    assert (row["reason"], row["until"]) == ("next_in_line", None)


async def test_the_queue_is_paged_in_the_order_dialogs_leave_and_narrowed_to_teams(desk):
    light = [await desk.opened(f"c{i}") for i in range(4)]
    heavy = await desk.opened("vip", weight=9)
    foreign = await desk.opened("x", channel="shop")
    page = await desk.get("lead", "/queue", limit=2)
    ids = [UUID(r["id"]) for r in page["items"]]
    while page["next"]:
        page = await desk.get("lead", "/queue", limit=2, after=page["next"])
        ids += [UUID(r["id"]) for r in page["items"]]
    assert ids == [heavy, *light]
    assert [(t["team"], t["queued"]) for t in page["teams"]] == [(desk.key("support"), 5)]
    assert list(await queue(desk, "chief", team=desk.key("sales"))) == [foreign]
    assert await queue(desk, "lead", team=desk.key("sales")) == {}
    await desk.get("light", "/queue", 403)
    await desk.get("lead", "/queue", 422, after="W10")
    await desk.get("lead", "/queue", 422, team="\x01" * 201)


async def test_the_audit_counts_decisions_by_team(desk):
    await desk.opened("c0")
    await desk.online("olha")
    for n in range(3):
        await desk.opened(f"c{n + 1}")
    dialog = await desk.opened("c9", channel="shop")
    await desk.online("taras")
    await desk.do("taras", dialog, Unassign())
    audit = await desk.get("lead", "/distribution/audit")
    assert (audit["distributed"], audit["skipped"], audit["skipped_by_reason"]) == (4, 1, {"nobody_online": 1})
    assert (audit["decisions"], audit["anomalies"], audit["hours"]) == (5, 0, 24)
    assert audit["average_ms"] > 0
    assert audit["p95_ms"] >= audit["average_ms"] / 2
    assert [t["team"] for t in audit["teams"]] == [desk.key("support")]
    whole = await desk.get("engineer", "/distribution/audit", team=[desk.key("support"), desk.key("sales")])
    assert {t["team"]: t["distributed"] for t in whole["teams"]} == {desk.key("sales"): 1, desk.key("support"): 4}
    await desk.get("olha", "/distribution/audit", 403)


async def test_the_board_shows_who_is_there_and_how_full(desk):
    await desk.online("olha")
    await desk.sql("UPDATE operators SET daily_quota = 7 WHERE user_id = :o", o=desk.id_of("olha"))
    await desk.opened("c1")
    board = {r["name"]: r for r in (await desk.get("lead", "/operators"))["items"]}
    assert set(board) == {"Olha", "Light", "Lead"}
    olha = board["Olha"]
    assert (olha["status"], olha["connected"], olha["receives"]) == ("online", True, True)
    assert (olha["held"], olha["taken"], olha["limit"], olha["offers"]) == (1, 1, 50, 0)
    assert olha["channels"] == {desk.channel: {"taken": 1, "limit": None}}
    assert (olha["contacts_today"], olha["daily_quota"]) == (1, 7)
    assert (olha["teams"], board["Light"]["may_hold"]) == ([desk.key("support")], False)
    assert olha["last_seen_ago"] < 60
    assert "Taras" in {r["name"] for r in (await desk.get("chief", "/operators"))["items"]}
    await desk.get("wirer", "/operators", 403)
    await desk.get("olha", f"/operators/{desk.id_of('taras')}", 404)


async def test_a_lost_connection_and_a_chosen_status_are_shown_apart(desk):
    await desk.online("olha")
    await desk.lapse("olha")
    olha = await desk.get("lead", f"/operators/{desk.id_of('olha')}")
    assert (olha["status"], olha["connected"], olha["receives"]) == ("online", False, False)
    await desk.status("olha", Presence.BUSY)
    olha = await desk.get("lead", f"/operators/{desk.id_of('olha')}")
    assert (olha["status"], olha["connected"], olha["receives"]) == ("busy", True, False)


async def test_the_board_is_paged_by_name(desk):
    whole = [r["id"] for r in (await desk.get("lead", "/operators"))["items"]]
    page = await desk.get("lead", "/operators", limit=2)
    rest = await desk.get("lead", "/operators", limit=2, after=page["next"])
    assert [r["id"] for r in page["items"] + rest["items"]] == whole
    assert rest["next"] is None


async def test_a_diagnosis_names_what_keeps_dialogs_away(desk):
    async def bad(who="olha"):
        told = await desk.get("lead", f"/operators/{desk.id_of(who)}/diagnosis")
        return {c["check"] for c in told["checks"] if not c["ok"]}, told

    await desk.topic("payment", "support")
    failed, told = await bad()
    assert failed == {"status", "connection", "waiting"}
    assert not told["gets_dialogs"]
    assert told["why"] == "The chosen status is offline. Only online receives."
    await desk.online("olha")
    assert (await bad())[0] == {"waiting"}
    assert (await bad())[1]["gets_dialogs"]
    await desk.sql(
        "UPDATE operators SET max_dialogs = 0, daily_quota = 0, channel_limits = jsonb_build_object('x', 0)"
        " WHERE user_id = :o",
        o=desk.id_of("olha"),
    )
    assert (await bad())[0] == {"limit", "channel_limit", "quota", "waiting"}
    await desk.change_team("support", auto=False)
    assert "teams" in (await bad())[0]
    await desk.change_team("support", auto=True)
    assert "role" in (await bad("light"))[0]
    await desk.get("lead", f"/operators/{desk.id_of('taras')}/diagnosis", 404)
    mine = await desk.get("olha", f"/operators/{desk.id_of('olha')}/diagnosis")
    assert mine["operator"]["name"] == "Olha"
    await desk.get("olha", f"/operators/{desk.id_of('light')}/diagnosis", 403)
