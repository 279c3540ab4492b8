"""Macros and processes as people run them: over HTTP, on the real stack."""

from __future__ import annotations

import time
from typing import Any

from tests.stack import Shop, eventually

YAML = {"Content-Type": "application/yaml"}
MACRO = """\
dsl: 1
kind: macro
name: {name}
title: Перевірити
permissions: {{ launch: {{ roles: [operator] }} }}
inputs:
  client: {{ label: Клієнт, type: string, required: true, pattern: '^[0-9]{{1,10}}$' }}
do:
  - id: note
    title: Нотатка
    call: add_note
    with: {{ text: "Перевіряю {{{{ inputs.client }}}}" }}
  - id: known
    if: "'known' not in dialog.tags"
    raise: {{ error: nobody_knows, message: "Клієнта {{{{ inputs.client }}}} ніхто не знає" }}
outputs:
  who: {{ label: Хто, value: "{{{{ inputs.client }}}}", copy: true }}
message: "Знаємо {{{{ inputs.client }}}}"
tests:
  - name: знаємо
    inputs: {{ client: "7" }}
    dialog: {{ tags: [known] }}
    expect: {{ status: succeeded }}
  - name: не знаємо
    inputs: {{ client: "7" }}
    dialog: {{ tags: [] }}
    expect: {{ status: failed, error: nobody_knows }}
"""
PROCESS = """\
dsl: 1
kind: process
name: {name}
title: Позначити
permissions: {{ launch: {{ roles: [supervisor] }} }}
do:
  - {{ id: mark, call: set_priority, with: {{ priority: high }} }}
outputs:
  done: {{ label: Зроблено, value: "{{{{ dialog.number }}}}" }}
tests:
  - {{ name: позначає, expect: {{ status: succeeded }} }}
"""


async def opened(shop: Shop) -> Any:
    await shop.open("olha")
    await shop.person("boss", "-", role="admin")
    await shop.person("chief", role="supervisor")
    return await shop.api("olha"), await shop.api("boss"), await shop.api("chief")


async def publish(boss: Any, kind: str, source: str, name: str) -> str:
    for answer in (
        await boss.post(f"/{kind}", content=source.format(name=name), headers=YAML),
        await boss.post(f"/{kind}/{name}/versions", json={"note": "first"}),
        await boss.post(f"/{kind}/{name}/activation", json={"version": 1}),
    ):
        assert answer.is_success, answer.text
    return name


async def test_an_operator_runs_a_macro_reads_why_it_failed_and_runs_it_on(shop: Shop) -> None:
    olha, boss, _ = await opened(shop)
    dialog = await shop.dialog_with("olha")
    name = await publish(boss, "macros", MACRO, shop.key("check"))
    assert name in {m["key"] for m in (await olha.get(f"/dialogs/{dialog}/macros")).json()["items"]}
    door = f"/dialogs/{dialog}/macros/{name}/runs"
    refused = await olha.post(door, json={"inputs": {"client": "x"}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "client")
    began = time.perf_counter()
    failed = await olha.post(door, json={"inputs": {"client": "7"}}, headers={"Idempotency-Key": shop.key("run")})
    assert time.perf_counter() - began < 10
    told = failed.json()
    assert (failed.status_code, told["status"]) == (200, "failed"), failed.text
    assert told["error"] == {"type": "nobody_knows", "step": "known", "message": "Клієнта 7 ніхто не знає"}
    assert [(s["id"], s["title"], s["status"]) for s in told["steps"]] == [
        ("note", "Нотатка", "succeeded"), ("known", None, "failed"),
    ]  # fmt: skip
    again = await olha.post(door, json={"inputs": {"client": "7"}}, headers={"Idempotency-Key": shop.key("run")})
    assert again.json() == told
    await shop.tag("known")
    await shop.sql("UPDATE dialogs SET tags = '{known}' WHERE id = :d", d=dialog)
    rerun = await olha.post(door, json={"rerun_from": told["run_id"]})
    assert (rerun.status_code, rerun.json()["status"]) == (200, "succeeded"), rerun.text
    assert rerun.json()["message"] == "Знаємо 7"
    assert rerun.json()["outputs"][0]["value"] == "7"
    messages = (await olha.get(f"/dialogs/{dialog}/messages")).json()["items"]
    assert [m["text"] for m in messages if m["direction"] == "note"] == ["Перевіряю 7"]
    run = (await olha.get(f"/runs/{told['run_id']}")).json()
    assert (run["status"], run["followed_by"]) == ("failed", [rerun.json()["run_id"]])


async def test_a_supervisor_launches_watches_reads_the_history_and_takes_it_back(shop: Shop) -> None:
    _, boss, chief = await opened(shop)
    dialogs = [str(await shop.dialog_with("olha", sender=f"c{n}")) for n in range(3)]
    name = await publish(boss, "processes", PROCESS, shop.key("mark"))

    async def ended(run: str) -> Any:
        return await eventually(lambda: _run(chief, run), lambda r: r["finished_at"] is not None, within=30)

    dry = (await chief.post(f"/processes/{name}/runs", json={"selection": {"ids": dialogs}, "dry_run": True})).json()
    assert (await ended(dry["run_id"]))["totals"]["succeeded"] == 3
    assert {(await chief.get(f"/dialogs/{d}")).json()["priority"] for d in dialogs} == {"normal"}
    launched = await chief.post(f"/processes/{name}/runs", json={"selection": {"ids": dialogs}})
    assert launched.status_code == 202, launched.text
    run = await ended(launched.json()["run_id"])
    assert (run["status"], run["totals"]["succeeded"]) == ("succeeded", 3)
    assert {(await chief.get(f"/dialogs/{d}")).json()["priority"] for d in dialogs} == {"high"}
    trace = (await chief.get(f"/runs/{run['id']}/items/1/trace")).json()["items"]
    assert [(s["id"], s["status"]) for s in trace] == [("mark", "succeeded")]
    report = (await chief.get(f"/runs/{run['id']}/report.csv")).text.splitlines()
    assert (len(report), report[0].rpartition(",")[2]) == (4, "Зроблено")
    history = await chief.get(f"/runs/{run['id']}/history")
    assert (history.status_code, history.json()["workflow_id"]) == (200, f"mass:{run['id']}"), history.text
    undone = await chief.post(f"/runs/{run['id']}/undo")
    assert (await ended(undone.json()["run_id"]))["totals"]["succeeded"] == 3
    assert {(await chief.get(f"/dialogs/{d}")).json()["priority"] for d in dialogs} == {"normal"}


async def _run(client: Any, run: str) -> Any:
    return (await client.get(f"/runs/{run}")).json()


async def test_a_chat_becomes_a_ticket_with_fields(shop: Shop) -> None:
    olha, _, _ = await opened(shop)
    dialog = await shop.dialog_with("olha")
    merged = await olha.patch(f"/dialogs/{dialog}/fields", json={"order": "A-17", "city": "Львів"})
    assert merged.status_code == 200, merged.text
    await olha.patch(f"/dialogs/{dialog}/fields", json={"city": None})
    ticket = await olha.post(f"/dialogs/{dialog}/conversion", json={"ticket_type": "complaint", "priority": "high"})
    assert ticket.status_code == 200, ticket.text
    told = (await olha.get(f"/dialogs/{dialog}")).json()
    assert (told["kind"], told["ticket_type"], told["fields"]) == ("ticket", "complaint", {"order": "A-17"})
    twice = await olha.post(f"/dialogs/{dialog}/conversion")
    assert (twice.status_code, twice.json()["code"]) == (409, "wrong_status")
