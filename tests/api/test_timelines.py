"""What was said and what happened: messages, the merged timeline, decisions told in words (P15, P122, B1)."""

from domain.commands import AddTag, Close, Reopen


async def test_messages_come_in_order_with_notes_and_in_both_directions(desk):
    dialog = await desk.opened("c1", text="m1")
    await desk.online("olha")
    for n in range(2, 8):
        await desk.say("olha", dialog, f"m{n}", "note" if n == 4 else "reply")
    path = f"/dialogs/{dialog}/messages"
    newest = await desk.get("olha", path, limit=3)
    assert [m["text"] for m in newest["items"]] == ["m5", "m6", "m7"]
    assert (newest["next"], newest["previous"]) == (None, "5")
    older = await desk.get("olha", path, limit=3, before=newest["previous"])
    assert [(m["text"], m["mode"]) for m in older["items"]] == [("m2", "reply"), ("m3", "reply"), ("m4", "note")]
    oldest = await desk.get("olha", path, limit=3, before=older["previous"])
    assert ([m["text"] for m in oldest["items"]], oldest["previous"]) == (["m1"], None)
    first = await desk.get("olha", path, limit=6, after=0)
    assert [m["seq"] for m in first["items"]] == [1, 2, 3, 4, 5, 6]
    assert [m["seq"] for m in (await desk.get("olha", path, after=first["next"]))["items"]] == [7]
    assert first["items"][3]["author"] == {"kind": "operator", "id": str(desk.id_of("olha")), "name": "Olha"}
    await desk.get("olha", path, 422, after=1, before=2)
    await desk.get("olha", path, 422, after=-1)
    await desk.get("olha", path, 422, after=2**63)


async def test_messages_without_the_right_to_texts_keep_their_shape(desk):
    dialog = await desk.opened("c1", text="m1")
    [message] = (await desk.get("engineer", f"/dialogs/{dialog}/messages"))["items"]
    assert (message["text"], message["direction"], message["seq"]) == (None, "in", 1)


async def test_the_timeline_merges_what_was_said_and_what_happened_in_plain_words(desk):
    await desk.tag("vip")
    dialog = await desk.opened("c1", text="hello")
    await desk.online("olha")
    await desk.do("olha", dialog, AddTag(desk.key("vip")))
    await desk.say("olha", dialog, "careful", "note")
    await desk.say("olha", dialog, "hi")
    await desk.do("olha", dialog, Close())
    items = (await desk.get("olha", f"/dialogs/{dialog}/timeline"))["items"]
    assert [i["at"] for i in items] == sorted(i["at"] for i in items)
    says = [i["says"] for i in items]
    assert says.index("Olha left a note.") < says.index("Olha replied.") < says.index("Olha closed it.")
    assert f"Olha added the tag {desk.key('vip')}." in says
    assert "The client wrote." in says
    assert "It went to Olha (online)." in says
    assert next(i for i in items if i["type"] == "note")["message"]["text"] == "careful"
    assert not [i for i in items if i.get("kind") in ("message.received", "note.added")]


async def test_timeline_pages_join_in_both_directions(desk):
    dialog = await desk.opened("c1")
    await desk.online("olha")
    for n in range(4):
        await desk.say("olha", dialog, f"m{n}")
        await desk.do("olha", dialog, Close())
        await desk.do("olha", dialog, Reopen())
    path = f"/dialogs/{dialog}/timeline"
    whole = (await desk.get("olha", path, limit=200))["items"]
    page = await desk.get("olha", path, limit=4)
    back = page["items"]
    while page["previous"]:
        page = await desk.get("olha", path, limit=4, before=page["previous"])
        back = page["items"] + back
    assert back == whole
    forth = page["items"]
    while page["next"]:
        page = await desk.get("olha", path, limit=4, after=page["next"])
        forth += page["items"]
    assert forth == whole
    for bad in ("x", "W10", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsMCwtMV0"):
        await desk.get("olha", path, 422, after=bad)


async def test_a_decision_tells_its_candidates_rule_and_tie_break(desk):
    await desk.person("second", online=True)
    await desk.online("olha")
    first, other = await desk.opened("c1"), await desk.opened("c2")
    [decision] = (await desk.get("lead", f"/dialogs/{first}/decisions"))["items"]
    assert (decision["outcome"], decision["method"]) == ("assigned", "least_loaded")
    assert {c["name"] for c in decision["candidates"]} == {"Olha", "Second"}
    assert decision["winner"]["name"] == decision["candidates"][0]["name"]
    assert decision["rule"].startswith("Whoever has the fewest slots taken")
    assert decision["tie_break"] == "equal in everything: the older account."
    assert decision["excluded"] == {"light_agent": 1, "not_online": 1}
    assert "1 without the right to hold dialogs" in decision["says"]
    [decision] = (await desk.get("lead", f"/dialogs/{other}/decisions"))["items"]
    assert decision["tie_break"] is None
    assert [c["load"] for c in decision["candidates"]] == [0, 1]


async def test_why_nobody_got_it_is_told_too(desk):
    dialog = await desk.opened("c1")
    [decision] = (await desk.get("engineer", f"/dialogs/{dialog}/decisions"))["items"]
    assert (decision["outcome"], decision["reason"], decision["winner"]) == ("waiting", "nobody_online", None)
    assert decision["says"].startswith("Nobody of the team is online.")
