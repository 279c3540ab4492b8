"""Those around a ticket: watchers, the next team, a moment to wait for, tickets that are one; over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.stack import Shop


async def opened(client: httpx.AsyncClient, shop: Shop, subject: str) -> Any:
    asked = {"from": {"channel": shop.channel, "id": "client-1", "name": "Марія"}, "subject": subject}
    answer = await client.post("/tickets", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_ticket_is_watched_handed_over_merged_and_its_people_are_told(shop: Shop) -> None:
    await shop.open("olha")
    await shop.person("boss", "-", role="admin")
    await shop.person("light", role="light_agent")
    boss, olha, light = await shop.api("boss"), await shop.api("olha"), await shop.api("light")
    first, second = await opened(boss, shop, "Рахунок"), await opened(boss, shop, "Рахунок ще раз")
    path = f"/dialogs/{first['ticket_id']}"
    for changed in (True, False):
        eye = await light.put(f"{path}/watchers/me")
        assert (eye.status_code, eye.json()["changed"]) == (200, changed)
    assert (await light.put(f"{path}/watchers/{shop.id_of('olha')}")).status_code == 403
    [found] = (await boss.get("/people", params={"q": shop.key("olha")})).json()["items"]
    assert found["id"] == str(shop.id_of("olha"))
    assert (await boss.put(f"{path}/watchers/{found['id']}")).json()["changed"] is True
    merged = await boss.post(f"{path}/merges", json={"tickets": [second["ticket_id"]]})
    assert merged.status_code == 200, merged.text
    gone = (await boss.get(f"/dialogs/{second['ticket_id']}")).json()
    assert (gone["status"], gone["merged_into"]) == ("closed", first["ticket_id"])
    again = await boss.post(f"{path}/merges", json={"tickets": [second["ticket_id"]]})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    waits = await olha.put(f"{path}/status", json={"status": "pending", "until": until})
    assert waits.status_code == 200, waits.text
    assert datetime.fromisoformat((await olha.get(path)).json()["pending_until"]) == datetime.fromisoformat(until)
    late = await olha.put(f"{path}/status", json={"status": "pending", "until": "0001-01-01T00:00:00+14:00"})
    assert (late.status_code, late.json()["field"]) == (422, "until")
    told = [n["text"] for n in (await light.get("/notices")).json()["items"]]
    assert any("Приєднано тікет" in line for line in told)
    assert any("очікує" in line for line in told)
    people = (await olha.get(f"{path}/participants")).json()["items"]
    assert {p["name"]: set(p["roles"]) for p in people}["Boss"] >= {"author", "acted"}
    log = (await boss.get(f"{path}/changes", params={"limit": 100})).json()["items"]
    assert ("merged_from", second["ticket_id"]) in {(c["field"], str(c["new"])) for c in log}
