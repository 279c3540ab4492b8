"""SLA policies over HTTP: versions, what is refused, what nobody may lose by an edit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processes.catalogue import built_ins
from store.built_ins import put_built_ins

API = "/api/v1"
TFR = {"metric": "tfr", "alias": "First answer", "target": 900, "warn": [80, 50], "targets": {"critical": 300}}


def policy(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "name": key.title(), "metrics": [TFR], **more}


async def test_a_policy_keeps_its_versions(admin, demo):
    made = await admin.post(f"{API}/sla-policies", json=policy("gold"))
    assert made.status_code == 201, made.text
    assert {k: made.json()[k] for k in ("version", "kinds", "calendar", "topics")} == {
        "version": 1, "kinds": ["ticket"], "calendar": None, "topics": [],
    }  # fmt: skip
    assert made.json()["metrics"] == [{**TFR, "warn": [50, 80], "status": None}]
    named = await admin.patch(f"{API}/sla-policies/gold", json={"name": "Золото"})
    assert (named.json()["name"], named.json()["version"], named.json()["run_id"]) == ("Золото", 1, None)
    changed = await admin.patch(
        f"{API}/sla-policies/gold", json={"metrics": [{**TFR, "target": 600}], "kinds": ["chat", "ticket"]}
    )
    assert changed.json()["version"] == 2
    same = await admin.patch(f"{API}/sla-policies/gold", json={"kinds": ["ticket", "chat"]})
    assert same.json()["version"] == 2
    whole = (await admin.get(f"{API}/sla-policies/gold")).json()
    assert [(v["version"], v["metrics"][0]["target"], v["made_by_name"]) for v in whole["versions"]] == [
        (2, 600, "Адміністратор"), (1, 900, "Адміністратор"),
    ]  # fmt: skip
    assert "gold" in {p["key"] for p in (await admin.get(f"{API}/sla-policies")).json()["items"]}
    log = (await admin.get(f"{API}/events/log", params={"kind": "settings.changed"})).json()["items"]
    assert {e["data"]["what"] for e in log if e["data"].get("key") == "gold"} == {"sla_policy"}


async def test_two_edits_at_once_do_not_overwrite_each_other(admin, demo):
    await admin.post(f"{API}/sla-policies", json=policy("twice"))
    first = await admin.patch(f"{API}/sla-policies/twice", json={"version": 1, "metrics": [{**TFR, "target": 60}]})
    assert first.status_code == 200, first.text
    second = await admin.patch(f"{API}/sla-policies/twice", json={"version": 1, "metrics": [{**TFR, "target": 90}]})
    assert (second.status_code, second.json()["code"]) == (409, "version_conflict")
    assert second.json()["version"] == 2
    assert (await admin.get(f"{API}/sla-policies/twice")).json()["metrics"][0]["target"] == 60


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"calendar": "nowhere"}, "calendar"),
        ({"metrics": [{**TFR, "targets": {"huge": 5}}]}, "metrics.0.targets"),
        ({"metrics": [{"metric": "tis", "target": 5}]}, "metrics.0.status"),
        ({"metrics": [{**TFR, "status": "open"}]}, "metrics.0.status"),
        ({"metrics": [TFR, TFR]}, "metrics.1.metric"),
    ],
)
async def test_what_makes_no_sense_names_its_field(admin, demo, wrong, field):
    answer = await admin.post(f"{API}/sla-policies", json=policy("wrong", **wrong))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", field)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": []}, {"metrics": None}, {"kinds": []}, {"kinds": ["letter"]}, {"name": "\x00"}, {"unheard": 1},
        {"metrics": [{**TFR, "target": 0}]}, {"metrics": [{**TFR, "target": 10**30}]},
        {"metrics": [{**TFR, "target": 1.5}]}, {"metrics": [{**TFR, "warn": [100]}]},
        {"metrics": [{**TFR, "alias": "\ud800"}]}, {"metrics": [{"metric": "accept", "target": 5}]},
    ],
)  # fmt: skip
async def test_what_has_the_wrong_shape_is_refused(admin, demo, wrong):
    body = json.dumps(policy("wrong", **wrong))
    answer = await admin.post(f"{API}/sla-policies", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


async def test_a_policy_in_use_stays(admin, demo):
    refused = await admin.delete(f"{API}/sla-policies/standard")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert refused.json()["where"]["topics"] == ["delivery", "payment"]
    await admin.post(f"{API}/sla-policies", json=policy("free"))
    assert (await admin.delete(f"{API}/sla-policies/free")).status_code == 204
    assert (await admin.get(f"{API}/sla-policies/free")).status_code == 404
    assert (await admin.delete(f"{API}/sla-policies/free")).status_code == 404
    assert "free" not in {p["key"] for p in (await admin.get(f"{API}/sla-policies")).json()["items"]}
    made_again = await admin.post(f"{API}/sla-policies", json=policy("free"))
    assert (made_again.status_code, made_again.json()["version"]) == (201, 2)


async def test_nobody_is_moved_where_nothing_runs(admin, demo):
    await admin.post(f"{API}/sla-policies", json=policy("idle"))
    shown = await admin.post(f"{API}/sla-policies/idle/preview", json={"metrics": [{**TFR, "target": 60}]})
    assert shown.json() == {"items": [], "total": 0, "dialogs": 0, "next": None}
    assert (await admin.get(f"{API}/sla-policies/idle")).json()["version"] == 1
    moved = await admin.patch(
        f"{API}/sla-policies/idle", json={"metrics": [{**TFR, "target": 60}], "running": "move", "confirm": 0}
    )
    assert (moved.status_code, moved.json()["version"], moved.json()["run_id"]) == (200, 2, None)


async def test_norms_of_the_house_are_settings(admin, demo):
    for wrong in (0, 604_801, "60", True):
        assert (await admin.patch(f"{API}/settings/accept_norm", json={"value": wrong})).status_code == 422
    assert (await admin.patch(f"{API}/settings/accept_norm", json={"value": 60})).json()["value"] == 60
    assert (await admin.delete(f"{API}/settings/accept_norm")).status_code == 204
    assert (await admin.get(f"{API}/settings/accept_norm")).json()["value"] is None


async def test_norms_of_a_team_are_whole_seconds_as_those_of_the_house(admin, demo):
    for wrong in (0, 604_801, "60", True, 1.5):
        for norm in ("accept_norm", "respond_norm"):
            assert (await admin.patch(f"{API}/teams/support", json={norm: wrong})).status_code == 422
            new = {"key": "wrong", "name": "Wrong", norm: wrong}
            assert (await admin.post(f"{API}/teams", json=new)).status_code == 422


async def test_a_supervisor_sets_the_norms_of_their_team_and_an_administrator_moves_its_clocks(desk, engine):
    await put_built_ins(engine, [("process", *one) for one in built_ins()], demo=False)
    waiting = await desk.opened("client")
    lead, boss, team = await desk.client("lead"), await desk.client("boss"), desk.key("support")
    asked = await lead.patch(f"/teams/{team}", json={"accept_norm": 600})
    assert (asked.status_code, asked.json()["code"], asked.json()["total"]) == (409, "confirmation_needed", 1)
    assert [(m["dialog_id"], m["metric"]) for m in asked.json()["moves"]] == [(str(waiting), "accept")]
    refused = await lead.patch(f"/teams/{team}", json={"accept_norm": 600, "running": "move", "confirm": 1})
    assert (refused.status_code, refused.json()["capabilities"]) == (403, ["sla.manage"])
    assert (await lead.get(f"/teams/{team}")).json()["accept_norm"] is None
    kept = await lead.patch(f"/teams/{team}", json={"accept_norm": 600, "running": "keep"})
    assert (kept.status_code, kept.json()["accept_norm"], kept.json()["run_id"]) == (200, 600, None)
    moved = await boss.patch(f"/teams/{team}", json={"accept_norm": 300, "running": "move", "confirm": 1})
    assert moved.status_code == 200, moved.text
    run = (await boss.get(f"/runs/{moved.json()['run_id']}")).json()
    assert (run["definition"], run["total"]) == ("move-clocks", 1)
    other = await lead.patch(f"/teams/{desk.key('sales')}", json={"accept_norm": 60})
    assert (other.status_code, other.json()["code"]) == (403, "forbidden")
