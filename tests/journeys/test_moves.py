"""A policy is edited while its clocks run: told who would move, confirmed, moved by a run with its report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from processes.catalogue import built_ins
from store.built_ins import put_built_ins
from tests.stack import Shop, eventually

TFR = {"metric": "tfr", "alias": "First answer", "target": 900}


async def test_an_administrator_shortens_a_promise_and_reads_what_became_of_it(shop: Shop) -> None:
    await shop.open("olha")
    await shop.person("boss", "-", role="admin")
    await put_built_ins(shop.stack.engine, [("process", *one) for one in built_ins()], demo=False)
    boss, key = await shop.api("boss"), shop.key("gold")
    await shop.topic("pay", "support")
    made = await boss.post("/sla-policies", json={"key": key, "name": "Gold", "metrics": [TFR]})
    assert made.status_code == 201, made.text
    await shop.sql("UPDATE topics SET sla_key = :p WHERE key = :t", p=key, t=shop.key("pay"))
    dialogs = [await _ticket(shop, f"c{n}") for n in range(3)]
    edit = {"metrics": [{**TFR, "target": 600}]}

    shown = (await boss.post(f"/sla-policies/{key}/preview", json=edit)).json()
    asked = await boss.patch(f"/sla-policies/{key}", json=edit)
    assert (asked.status_code, asked.json()["code"], asked.json()["total"]) == (409, "confirmation_needed", 3)
    assert asked.json()["moves"] == shown["items"]
    assert (await boss.get(f"/sla-policies/{key}")).json()["version"] == 1

    sent = {**edit, "running": "move", "confirm": 3}
    saved = await boss.patch(f"/sla-policies/{key}", json=sent, headers={"Idempotency-Key": shop.key("edit")})
    again = await boss.patch(f"/sla-policies/{key}", json=sent, headers={"Idempotency-Key": shop.key("edit")})
    assert (saved.status_code, saved.json()["version"]) == (200, 2), saved.text
    assert again.json() == saved.json()
    run_id = saved.json()["run_id"]

    async def look() -> Any:
        return (await boss.get(f"/runs/{run_id}")).json()

    run = await eventually(look, lambda r: r["finished_at"] is not None, within=30)
    assert (run["status"], run["totals"]["succeeded"]) == ("succeeded", 3)
    for dialog, move in zip(dialogs, asked.json()["moves"], strict=True):
        rows = await shop.sql("SELECT * FROM clocks WHERE dialog_id = :d", d=dialog)
        assert [(c.metric, c.due_at, c.policy_version) for c in rows] == [
            ("tfr", datetime.fromisoformat(move["due_after"]), 2)
        ]
        assert rows[0].due_at == rows[0].started_at + timedelta(seconds=600)
    report = (await boss.get(f"/runs/{run_id}/report.csv")).text
    assert len(report.splitlines()) == 4
    assert asked.json()["moves"][0]["due_after"] in report


async def _ticket(shop: Shop, sender: str) -> Any:
    dialog = await shop.dialog_with("olha", sender=sender)
    await shop.sql("UPDATE dialogs SET topic_key = :t WHERE id = :d", t=shop.key("pay"), d=dialog)
    converted = await (await shop.api("olha")).post(f"/dialogs/{dialog}/conversion", json={})
    assert converted.status_code == 200, converted.text
    return dialog
