"""Tickets over HTTP: opening once, what is refused and how, the library of fields, priorities, lists and the log."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from api.tails import told
from domain.commands import Describe, SetFields
from store.events import heard_after
from store.ids import new_id


def ticket(desk, **more):
    sender = {"channel": desk.channel, "id": "client-1", "name": "Марія"}
    return {"from": sender, "subject": "A parcel", **more}


async def post(desk, who, path, body, *, expecting=201, **headers):
    answer = await (await desk.client(who)).post(path, json=body, headers=headers)
    assert answer.status_code == expecting, answer.text
    return answer.json()


async def payment(desk) -> tuple[str, str]:
    """A topic with one required number."""
    field, topic = desk.key("amount"), desk.key("payment")
    await post(desk, "boss", "/ticket-fields", {"key": field, "name": "Amount", "type": "number"})
    body = {"key": topic, "name": "Payment", "teams": [desk.key("support")], "fields": [{"key": field}]}
    made = await post(desk, "boss", "/topics", body)
    assert made["fields"] == [{"key": field, "required": False}]
    changed = await (await desk.client("boss")).patch(
        f"/topics/{topic}", json={"fields": [{"key": field, "required": True}]}
    )
    assert changed.json()["fields"] == [{"key": field, "required": True}]
    return topic, field


async def test_a_ticket_is_opened_once_under_its_key_and_found_by_its_number(desk, bell):
    topic, field = await payment(desk)
    body = ticket(desk, topic=topic, fields={field: 12.5}, priority="high", description="It is late.")
    key = str(new_id())
    made = await post(desk, "olha", "/tickets", body, **{"Idempotency-Key": key})
    assert await post(desk, "olha", "/tickets", body, **{"Idempotency-Key": key}) == made
    other = await post(desk, "olha", "/tickets", ticket(desk), expecting=422, **{"Idempotency-Key": key})
    assert other["code"] == "key_reused"
    assert f"dialog:{made['ticket_id']}" in bell.rung
    for asked in (str(made["number"]), made["spoken"], "#" + made["spoken"]):
        assert UUID(made["ticket_id"]) in await desk.listed("olha", q=asked)
    listed = (await desk.get("olha", "/dialogs", q=made["spoken"]))["items"]
    [row] = [one for one in listed if one["id"] == made["ticket_id"]]
    assert (row["spoken"], row["author_name"], row["subject"], row["description"], row["priority"]) == (
        made["spoken"], "Olha", "A parcel", "It is late.", "high",
    )  # fmt: skip
    assert row["topic_fields"] == [
        {"key": field, "name": "Amount", "type": "number", "options": [], "required": True, "value": 12.5}
    ]
    one = await desk.get("olha", f"/dialogs/{made['ticket_id']}")
    assert (one["fields"], one["left"], one["author"]["name"]) == ({field: 12.5}, {}, "Olha")


@pytest.mark.parametrize(
    "more",
    [
        {"subject": ""}, {"subject": " "}, {"subject": "x" * 301}, {"subject": "\x00"}, {"subject": "\ud800"},
        {"description": "x" * 10_001}, {"priority": "urgent"}, {"priority": "\x00"}, {"fields": {"a": 1}},
        {"fields": {"a\x00": 1}}, {"fields": [1]}, {"team": "nothing"}, {"topic": "nothing"}, {"assignee": "me"},
        {"assignee": f"{new_id()}!"}, {"watchers": ["x"]}, {"watchers": [str(new_id())]}, {"from": None},
        {"contact_id": str(new_id())}, {"channel": "demo"}, {"from": {"channel": "nothing", "id": "c"}},
        {"from": {"channel": "demo", "id": ""}}, {"colour": "red"}, {"type": ""},
    ],
)  # fmt: skip
async def test_what_makes_no_ticket_is_refused_as_invalid(desk, more):
    answer = await (await desk.client("olha")).post(
        "/tickets",
        content=json.dumps(ticket(desk, **more)),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in ("invalid", "unknown_topic")


async def test_a_contact_one_may_not_see_is_not_told_of(desk):
    dialog = await desk.opened("c9", channel="shop")
    contact = str((await desk.dialog(dialog)).contact_id)
    body = {"contact_id": contact, "subject": "A parcel"}
    assert (await post(desk, "olha", "/tickets", body, expecting=404))["code"] == "not_found"
    made = await post(desk, "taras", "/tickets", body)
    assert made["team"] == desk.key("sales")


async def test_values_and_texts_are_not_for_those_who_may_not_read_texts(desk):
    topic, field = await payment(desk)
    made = await post(
        desk, "olha", "/tickets", ticket(desk, topic=topic, fields={field: 1}, assignee=str(desk.id_of("olha")))
    )
    dialog = UUID(made["ticket_id"])
    await desk.do("olha", dialog, SetFields({field: 77_001}))
    await desk.do("olha", dialog, Describe({"description": "secret words"}))
    for path in ("/changes", "/timeline", ""):
        for who, is_told in (("olha", True), ("engineer", False)):
            said = str(await desk.get(who, f"/dialogs/{dialog}{path}"))
            assert (("77001" in said), ("secret words" in said)) == (is_told, is_told), (who, path)
    for who, is_told in (("lead", True), ("engineer", False)):
        said = str(await desk.get(who, "/events/log", dialog=str(dialog)))
        assert ("77001" in said) == is_told
    await desk.sql("SELECT number_events()")
    async with desk.sessions() as session:
        heard = [h for h in await heard_after(session, 0, limit=100_000) if h.dialog_id == dialog]
    updated = [told(h) for h in heard if h.kind == "ticket.updated"]
    assert len(updated) == 2
    assert b"77001" in updated[0].wire
    assert b"77001" not in updated[0].bare
    assert field.encode() in updated[0].bare


async def test_the_log_is_told_page_by_page(desk):
    made = await post(desk, "olha", "/tickets", ticket(desk, assignee=str(desk.id_of("olha"))))
    for n in range(3):
        await desk.do("olha", UUID(made["ticket_id"]), Describe({"subject": f"Number {n}"}))
    path = f"/dialogs/{made['ticket_id']}/changes"
    first = await desk.get("olha", path, limit=2)
    assert [(c["old"], c["new"]) for c in first["items"]] == [("Number 1", "Number 2"), ("Number 0", "Number 1")]
    second = await desk.get("olha", path, limit=2, after=first["next"])
    assert second["items"][0]["old"] == "A parcel"
    await desk.get("taras", path, expecting=404)
    for wrong in (0, -1, 2**63, "x"):
        await desk.get("olha", path, expecting=422, after=wrong)


async def test_fields_and_priorities_are_settings(desk):
    boss, olha = await desk.client("boss"), await desk.client("olha")
    colour = {"key": desk.key("colour"), "name": "Colour", "type": "list", "options": ["red"]}
    assert (await olha.post("/ticket-fields", json=colour)).status_code == 403
    assert (await boss.post("/ticket-fields", json=colour)).json()["topics"] == []
    assert (await boss.post("/ticket-fields", json=colour)).status_code == 409
    path = f"/ticket-fields/{colour['key']}"
    assert (await boss.patch(path, json={"type": "text"})).status_code == 422
    assert (await boss.patch(path, json={"options": []})).json()["field"] == "options"
    assert (await boss.patch(path, json={"name": "Color", "options": ["red", "blue"]})).json()["name"] == "Color"
    assert colour["key"] in [f["key"] for f in (await olha.get("/ticket-fields")).json()["items"]]
    assert [(await boss.delete(path)).status_code, (await olha.get(path)).status_code] == [204, 404]
    urgent = {"key": desk.key("urgent"), "name_uk": "Терміновий", "name_en": "Urgent", "position": 5_000}
    assert (await boss.post("/priorities", json={**urgent, "position": 40})).json()["field"] == "position"
    assert (await boss.post("/priorities", json={**urgent, "position": 2**80})).status_code == 422
    assert (await boss.post("/priorities", json=urgent)).status_code == 201
    listed = (await olha.get("/priorities")).json()["items"]
    assert next(p["key"] for p in listed) == urgent["key"]
    assert [p["key"] for p in listed][-4:] == ["critical", "high", "normal", "low"]
    path = f"/priorities/{urgent['key']}"
    assert (await boss.patch(path, json={"name_en": "Now"})).json()["name_en"] == "Now"
    assert (await boss.patch(path, json={"position": 10})).status_code == 409
    assert (await boss.delete("/priorities/normal")).json()["code"] == "built_in"
    assert [(await boss.delete(path)).status_code, (await olha.get(path)).status_code] == [204, 404]
