"""Launching over HTTP: rights, inputs, confirmation, one run a key; commands; approvals; webhooks. No worker runs here:
what is committed is looked at.
"""

import asyncio

import pytest
import structlog
from sqlalchemy import text

from api.limits import MOST_WRONG

API = "/api/v1"
YAML = {"Content-Type": "application/yaml"}
SWEEP = """\
dsl: 1
kind: process
name: {name}
title: Позначити
mode: parallel
triggers:
  - manual: {{ from: [table] }}
  - webhook: {{ path: {name}, secret: hook-secret, dedupe: X-Delivery-Id }}
permissions: {{ launch: {{ roles: [supervisor, admin, system] }} }}
inputs:
  tag: {{ label: Тег, type: tag, required: true }}
  pin: {{ label: PIN, type: string, sensitive: true }}
selection: {{ where: {{ field: dialog.status, op: ne, value: closed }} }}
mass: {{ confirm_above: 2, approval_above: 3 }}
do:
  - id: mark
    call: add_tag
    with: {{ tag: "{{{{ inputs.tag }}}}" }}
tests:
  - name: позначає
    inputs: {{ tag: vip }}
    expect: {{ status: succeeded }}
"""
NOTING = """\
dsl: 1
kind: macro
name: noting
title: Занотувати
permissions: { launch: { roles: [operator, admin] } }
inputs:
  words: { label: Слова, type: string, required: true }
do:
  - id: note
    call: add_note
    with: { text: "{{ inputs.words }}" }
tests:
  - name: нотує
    inputs: { words: так }
    expect: { status: succeeded }
"""


async def publish(admin, kind, source):
    name = next(line for line in source.splitlines() if line.startswith("name:")).partition(": ")[2]
    assert (await admin.post(f"{API}/{kind}", content=source, headers=YAML)).status_code == 201
    published = await admin.post(f"{API}/{kind}/{name}/versions")
    assert published.status_code == 201, published.text
    assert (await admin.post(f"{API}/{kind}/{name}/activation")).status_code == 200
    return name


@pytest.fixture(scope="module")
async def sweep(admin):
    await admin.put(f"{API}/secrets/hook-secret", json={"value": "s3cret-of-the-hook"})
    await admin.post(f"{API}/tags", json={"key": "vip", "name": "VIP"})
    return await publish(admin, "processes", SWEEP.format(name="sweep"))


@pytest.fixture(scope="module")
async def noting(admin):
    return await publish(admin, "macros", NOTING)


@pytest.fixture(scope="module")
async def dialogs(admin, demo):
    token = (await admin.post(f"{API}/channels/demo/token")).json()["token"]
    found = []
    for number in range(5):
        body = {"external_id": f"l{number}", "from": {"id": f"client {number}"}, "text": "hello"}
        answer = await admin.post(f"{API}/channels/demo/inbound", json=body, headers={"X-Channel-Token": token})
        found.append(answer.json()["dialog_id"])
    return found


async def launch(client, name, ids, expecting=202, headers=None, **more):
    body = {"selection": {"ids": ids}, "inputs": {"tag": "vip", "pin": "1234"}, **more}
    answer = await client.post(f"{API}/processes/{name}/runs", json=body, headers=headers)
    assert answer.status_code == expecting, answer.text
    return answer.json()


async def test_a_launch_freezes_its_items_and_answers_at_once(admin, sweep, dialogs, bell):
    told = await launch(admin, sweep, dialogs[:2])
    assert (told["total"], told["status"], told["left_out"]) == (2, "queued", 0)
    assert f"mass:{told['run_id']}" in bell.rung
    run = (await admin.get(told["links"]["self"])).json()
    assert run["totals"]["pending"] == 2
    assert run["inputs"] == {"tag": "vip", "pin": "•••"}
    items = (await admin.get(told["links"]["items"])).json()["items"]
    assert [i["dialog_id"] for i in items] == dialogs[:2]
    listed = (await admin.get(f"{API}/runs", params={"definition": sweep, "status": "queued"})).json()["items"]
    assert told["run_id"] in {r["id"] for r in listed}


async def test_two_clicks_under_one_key_are_one_run(admin, sweep, dialogs):
    key = {"Idempotency-Key": "launch-once"}
    first, second = await asyncio.gather(
        launch(admin, sweep, dialogs[:1], headers=key), launch(admin, sweep, dialogs[:1], headers=key)
    )
    assert first == second


async def test_inputs_are_refused_field_by_field_before_anything_starts(admin, sweep, dialogs):
    before = len((await admin.get(f"{API}/runs", params={"limit": 200})).json()["items"])
    told = await launch(admin, sweep, dialogs[:1], 422, inputs={"tag": "nothing-such", "other": 1})
    assert told["code"] == "invalid_inputs"
    assert {e["field"] for e in told["errors"]} == {"tag", "other"}
    told = await launch(admin, sweep, dialogs[:1], 422, inputs={})
    assert [e["field"] for e in told["errors"]] == ["tag"]
    assert len((await admin.get(f"{API}/runs", params={"limit": 200})).json()["items"]) == before


async def test_many_items_are_confirmed_and_very_many_approved(admin, sign_in, sweep, dialogs):
    supervisor = await sign_in("supervisor")
    told = await launch(supervisor, sweep, dialogs[:3], 409)
    assert (told["code"], told["total"]) == ("confirmation_needed", 3)
    await launch(supervisor, sweep, dialogs[:3], confirm=3)
    told = await launch(supervisor, sweep, dialogs, confirm=5)
    assert told["status"] == "awaiting_approval"
    assert (await supervisor.get(f"{API}/approvals")).json()["items"] == []
    [asked] = [a for a in (await admin.get(f"{API}/approvals")).json()["items"] if a["run_id"] == told["run_id"]]
    facts = asked["facts"]
    assert (facts["total"], facts["pending"], facts["messages"], facts["dry_run"]) == (5, 5, [], None)
    [waits_for] = (await admin.get(told["links"]["self"])).json()["approvals"]
    assert (waits_for["id"], waits_for["facts"]) == (asked["id"], facts)
    linked = (await admin.get(f"{API}/notices")).json()["items"]
    assert [n["link"] for n in linked].count(f"/approvals/{asked['id']}") == 1
    own = await supervisor.post(f"{API}/approvals/{asked['id']}/decision", json={"approved": True})
    assert (own.status_code, own.json()["code"]) == (403, "own_launch")
    decided = await admin.post(f"{API}/approvals/{asked['id']}/decision", json={"approved": True, "comment": "ok"})
    assert decided.json()["state"] == "approved"
    late = await admin.post(f"{API}/approvals/{asked['id']}/decision", json={"approved": False})
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")
    assert (await admin.get(told["links"]["self"])).json()["status"] == "queued"


async def test_operators_launch_only_what_lists_them(sign_in, sweep, dialogs):
    olha, light = await sign_in("olha"), await sign_in("light")
    assert (await launch(olha, sweep, dialogs[:1], 403))["code"] == "forbidden"
    await launch(light, sweep, dialogs[:1], 403)


async def test_a_narrow_token_starts_nothing_its_scopes_do_not_cover(admin, open_client, sweep, dialogs):
    made = (await admin.post(f"{API}/tokens", json={"name": "n", "scopes": ["runs.launch", "runs.read"]})).json()
    narrow = open_client(Authorization=f"Bearer {made['token']}")
    assert (await launch(narrow, sweep, dialogs[:1], 403))["code"] == "forbidden"
    scopes = ["runs.launch", "runs.read", "dialog.edit"]
    made = (await admin.post(f"{API}/tokens", json={"name": "w", "scopes": scopes})).json()
    wide = open_client(Authorization=f"Bearer {made['token']}")
    await launch(wide, sweep, dialogs[:1])


async def test_a_run_is_paused_resumed_cancelled_and_not_twice(admin, sign_in, sweep, dialogs):
    run = (await launch(admin, sweep, dialogs[:2]))["links"]["self"]
    assert (await admin.post(f"{run}/pause")).json()["status"] == "paused"
    assert (await admin.post(f"{run}/resumption")).json()["status"] == "queued"
    assert (await admin.post(f"{run}/continuation")).json()["code"] == "nothing_to_do"
    assert (await admin.post(f"{run}/retry")).json()["code"] == "run_not_ended"
    assert (await admin.post(f"{run}/cancellation", json={"mode": "soon"})).status_code == 422
    assert (await admin.post(f"{run}/cancellation")).json()["status"] == "cancelled"
    assert (await admin.post(f"{run}/pause")).json()["code"] == "run_ended"
    assert (await admin.post(f"{run}/undo")).json()["code"] == "nothing_to_do"
    retried = await admin.post(f"{run}/retry", json={"items": "rest"})
    assert (retried.status_code, retried.json()["total"]) == (202, 2)
    olha = await sign_in("olha")
    assert (await olha.post(f"{run}/pause")).status_code in (403, 404)


async def test_inactive_and_unknown_definitions_start_nothing(admin, sweep, dialogs):
    assert (await launch(admin, "no-such", dialogs[:1], 404))["code"] == "not_found"
    await admin.delete(f"{API}/processes/{sweep}/activation")
    assert (await launch(admin, sweep, dialogs[:1], 409))["code"] == "not_active"
    await launch(admin, sweep, dialogs[:1], dry_run=True)
    await launch(admin, sweep, dialogs[:1], dry_run=True, version="draft")
    await launch(admin, sweep, dialogs[:1], 422, version="draft")
    await admin.post(f"{API}/processes/{sweep}/activation")


async def test_a_macro_goes_on_without_us_while_nobody_can_carry_it_out(sign_in, noting, dialogs):
    olha, iryna = await sign_in("olha"), await sign_in("iryna")
    offered = (await olha.get(f"{API}/dialogs/{dialogs[0]}/macros")).json()["items"]
    assert noting in {m["key"] for m in offered}
    path = f"{API}/dialogs/{dialogs[0]}/macros/{noting}/runs"
    refused = await olha.post(path, json={"inputs": {}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "words")
    told = await olha.post(path, json={"inputs": {"words": "так"}})
    assert (told.status_code, told.json()["status"]) == (202, "running")
    assert (await olha.get(told.headers["location"])).json()["kind"] == "macro"
    passed_over = await olha.post(path, json={"inputs": {"words": "так"}})
    assert (passed_over.status_code, passed_over.json()["status"]) == (200, "skipped"), passed_over.text
    assert "is still at work on this dialog." in passed_over.json()["error"]["message"]
    missing = "0195f3a0-0000-7000-8000-000000000000"
    assert (await iryna.post(f"{API}/dialogs/{missing}/macros/{noting}/runs", json={})).status_code in (404, 422)
    again = await olha.post(path, json={"rerun_from": missing})
    assert again.status_code == 404


async def test_a_webhook_starts_a_run_once_a_delivery_and_tells_strangers_nothing(
    admin, anonymous, sweep, sessions, app
):
    path = f"{API}/hooks/{sweep}/s3cret-of-the-hook"
    first = await anonymous.post(path, json={"tag": "vip"}, headers={"X-Delivery-Id": "7"})
    assert (first.status_code, first.json()["status"]) == (202, "started"), first.text
    again = await anonymous.post(path, json={"tag": "vip"}, headers={"X-Delivery-Id": "7"})
    assert (again.status_code, again.json()) == (200, {**first.json(), "status": "repeated"})
    run = (await admin.get(f"{API}/runs/{first.json()['run_id']}")).json()
    assert (run["triggered_by"], run["inputs"]["tag"], run["launched_by"]) == ("webhook", "vip", None)
    assert run["trigger"]["headers"] == {"content-type": "application/json", "x-delivery-id": "7"} | {
        k: v for k, v in run["trigger"]["headers"].items() if k == "user-agent"
    }
    wrong = [
        await anonymous.post(f"{API}/hooks/{sweep}/wrong", json={}),
        await anonymous.post(f"{API}/hooks/no-such/s3cret-of-the-hook", json={}),
    ]
    assert {(a.status_code, a.json()["detail"]) for a in wrong} == {(404, "There is nothing here.")}
    assert (await anonymous.post(path, content=b"{", headers={"X-Delivery-Id": "8"})).status_code == 422
    assert (await anonymous.post(path, content=b"[" * 60_000)).status_code == 422
    assert (await anonymous.post(path, content=b" " * 70_000)).status_code == 413
    refused = await anonymous.post(path, json={"tag": "nothing-such"}, headers={"X-Delivery-Id": "9"})
    assert refused.status_code == 422
    mended = await anonymous.post(path, json={"tag": "vip"}, headers={"X-Delivery-Id": "9"})
    assert mended.status_code == 202
    at_once = await asyncio.gather(
        *(anonymous.post(path, json={"tag": "vip"}, headers={"X-Delivery-Id": "10"}) for _ in range(5))
    )
    assert sorted(a.status_code for a in at_once) == [200, 200, 200, 200, 202]
    assert len({a.json()["run_id"] for a in at_once}) == 1
    await admin.delete(f"{API}/processes/{sweep}/activation")
    assert (await anonymous.post(path, json={"tag": "vip"})).status_code == 404
    await admin.post(f"{API}/processes/{sweep}/activation")
    async with sessions() as session:
        found = text("SELECT count(*) FROM runs r WHERE r::text LIKE '%s3cret-of-the-hook%'")
        assert await session.scalar(found) == 0


async def test_who_guesses_secrets_has_to_wait_and_holds_nobody_up_who_shares_the_address(admin, anonymous, sweep, app):
    app.state.house.extras.pop("knocks.hooks", None)
    wrong = [await anonymous.post(f"{API}/hooks/{sweep}/guess{n}", json={}) for n in range(MOST_WRONG + 2)]
    assert [a.status_code for a in wrong] == [404] * MOST_WRONG + [429] * 2
    assert int(wrong[-1].headers["retry-after"]) <= 61
    right = await anonymous.post(f"{API}/hooks/{sweep}/s3cret-of-the-hook", json={"tag": "vip"})
    assert (right.status_code, right.json()["status"]) == (202, "started"), right.text
    app.state.house.extras.pop("knocks.hooks")


async def test_a_body_its_trigger_cannot_read_is_the_senders_fault(admin, anonymous, sweep):
    reads = SWEEP.format(name="reads-body").replace(
        "dedupe: X-Delivery-Id }", 'dedupe: X-Delivery-Id }\n    inputs: { tag: "{{ trigger.body.tag }}" }'
    )
    made = await admin.post(f"{API}/processes", content=reads, headers=YAML)
    assert made.status_code == 201, made.text
    await admin.post(f"{API}/processes/reads-body/versions", json={})
    await admin.post(f"{API}/processes/reads-body/activation", json={"version": 1})
    path = f"{API}/hooks/reads-body/s3cret-of-the-hook"
    assert (await anonymous.post(path, json={"tag": "vip"})).status_code == 202
    for body in ([1], {}, "text", None, 5):
        answer = await anonymous.post(path, json=body)
        assert (answer.status_code, answer.json()["code"][:7]) == (422, "invalid"), answer.text


async def test_secret_addresses_stay_out_of_the_log(anonymous):
    with structlog.testing.capture_logs() as logged:
        await anonymous.post(f"{API}/hooks/sweep/a-secret", json={})
        await anonymous.post(f"{API}/csat/a-secret-of-somebody", json={"score": 1})
    assert len(logged) == 2
    assert "a-secret" not in str(logged)


LAUNCHES = [
    {"selection": {"ids": ["x"]}}, {"selection": {"where": {"field": "\x00", "op": "eq", "value": 1}}},
    {"selection": {"where": {"field": "dialog.number", "op": "eq", "value": 10**40}}},
    {"selection": {"where": {"all": [{"not": {"any": []}}]}}}, {"selection": {"folder": "no-such"}},
    {"selection": {"where": {"field": "dialog.opened_at", "op": "older_than", "value": "999999999d"}}},
    {"selection": {"where": {"field": "contact.name", "op": "contains", "value": "%\\_"}}},
    {"selection": {"operator": "0195f3a0-0000-7000-8000-000000000000"}}, {"selection": {"team": "no-such"}},
    {"selection": []}, {"inputs": {"tag": {"a": [1]}}}, {"inputs": {"tag": "a\x00b"}}, {"inputs": {"tag": 10**30}},
    {"canary": 0}, {"canary": 10**30}, {"concurrency": -1}, {"version": "latest"}, {"version": 10**12},
    {"version": 999}, {"confirm": -1}, {"start_at": "0001-01-01T00:00:00+23:59"}, {"start_at": "soon"},
    {"start_at": "9999-12-31T23:59:59-23:59"}, {"misspelt": 1},
]  # fmt: skip


@pytest.mark.parametrize("body", LAUNCHES, ids=str)
async def test_odd_launches_are_refused_in_words(admin, sweep, dialogs, body):
    whole = {"selection": {"ids": dialogs[:1]}, "inputs": {"tag": "vip"}, **body}
    answer = await admin.post(f"{API}/processes/{sweep}/runs", json=whole)
    assert answer.status_code in (202, 404, 409, 422), answer.text
