"""Tickets as people work with them: over HTTP, on the real stack."""

from __future__ import annotations

from tests.stack import Shop


async def test_a_ticket_opened_for_a_client_is_worked_on_answered_and_closed(shop: Shop) -> None:
    await shop.open("olha")
    await shop.person("boss", "-", role="admin")
    boss, olha = await shop.api("boss"), await shop.api("olha")
    field, topic = shop.key("amount"), shop.key("payment")
    added = await boss.post("/ticket-fields", json={"key": field, "name": "Сума", "type": "number"})
    assert added.status_code == 201, added.text
    needed = [{"key": field, "required": True}]
    body = {"key": topic, "name": "Оплата", "teams": [shop.key("support")], "fields": needed}
    assert (await boss.post("/topics", json=body)).status_code == 201
    asked = {"from": {"channel": shop.channel, "id": "client-1", "name": "Марія"}, "topic": topic, "subject": "Рахунок"}
    opened = await boss.post("/tickets", json=asked, headers={"Idempotency-Key": "open"})
    assert opened.status_code == 201, opened.text
    ticket = opened.json()
    assert ticket["operator_id"] == str(shop.id_of("olha"))
    path = f"/dialogs/{ticket['ticket_id']}"
    assert (await olha.post(f"{path}/messages", json={"text": "Вітаю!"})).status_code == 201
    described = await olha.patch(path, json={"description": "Двічі списали"})
    assert described.json() == {"subject": "Рахунок", "description": "Двічі списали", "changed": True}
    early = await olha.post(f"{path}/closure")
    assert (early.status_code, early.json()["code"]) == (409, "fields_required")
    assert early.json()["fields"] == [{"key": field, "name": "Сума"}]
    wrong = await olha.patch(f"{path}/fields", json={field: "багато"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, f"fields.{field}")
    assert (await olha.patch(f"{path}/fields", json={field: "99.90"})).json()["fields"] == {field: 99.9}
    unknown = await olha.put(f"{path}/priority", json={"priority": "urgent"})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "priority")
    assert (await olha.put(f"{path}/priority", json={"priority": "critical"})).status_code == 200
    assert (await olha.post(f"{path}/closure")).status_code == 200
    log = (await olha.get(f"{path}/changes")).json()["items"]
    told = [(c["field"], c["new"]) for c in log if c["field"].startswith(("fields.", "description", "priority"))]
    assert told == [
        ("priority", "critical"), (f"fields.{field}", 99.9), ("description", "Двічі списали"),
    ]  # fmt: skip
    assert log[-1]["actor"]["name"] == "Boss"


async def test_a_chat_is_made_a_ticket_in_one_call_and_answers_the_same_under_its_key(shop: Shop) -> None:
    await shop.open("olha")
    olha = await shop.api("olha")
    dialog = await shop.dialog_with("olha")
    key = {"Idempotency-Key": "convert"}
    asked = {"subject": "Посилка", "description": "Запізнюється", "priority": "high"}
    first = await olha.post(f"/dialogs/{dialog}/conversion", json=asked, headers=key)
    assert first.status_code == 200, first.text
    assert (await olha.post(f"/dialogs/{dialog}/conversion", json=asked, headers=key)).json() == first.json()
    found = (await olha.get("/dialogs", params={"q": first.json()["spoken"]})).json()["items"]
    assert [(d["id"], d["kind"], d["author_name"], d["subject"]) for d in found] == [
        (str(dialog), "ticket", "Olha", "Посилка")
    ]
    again = await shop.hear("are you there?")
    assert again.json()["dialog_id"] == str(dialog)
