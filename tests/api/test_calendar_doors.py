"""Calendars over HTTP: versions, what is refused, which hours are counted; topics that name one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

API = "/api/v1"
YAML = {"Content-Type": "application/yaml"}
WEEK = {day: ["09:00-13:00", "14:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def calendar(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "name": key.title(), "zone": "Europe/Kyiv", "weekly": WEEK, **more}


def waiting_by(calendar: str, name: str) -> str:
    return (
        f"dsl: 1\nkind: process\nname: {name}\ntitle: T\ntarget: none\n"
        f"do:\n  - wait: {{ for: 2h, calendar: {calendar} }}\n"
    )


async def test_a_calendar_keeps_its_versions(admin, demo):
    made = await admin.post(f"{API}/calendars", json=calendar("desk", exceptions={"2026-12-25": []}))
    assert made.status_code == 201, made.text
    told = {name: made.json()[name] for name in ("version", "zone", "weekly", "exceptions", "topics", "policies")}
    assert told == {
        "version": 1, "zone": "Europe/Kyiv", "weekly": WEEK, "exceptions": {"2026-12-25": []}, "topics": [],
        "policies": [],
    }  # fmt: skip
    named = await admin.patch(f"{API}/calendars/desk", json={"name": "Стіл"})
    assert (named.json()["name"], named.json()["version"], named.json()["run_id"]) == ("Стіл", 1, None)
    changed = await admin.patch(f"{API}/calendars/desk", json={"weekly": {"mon": ["13:00-18:00", "09:00-13:00"]}})
    assert (changed.json()["version"], changed.json()["weekly"]) == (2, {"mon": ["09:00-18:00"]})
    assert changed.json()["exceptions"] == {"2026-12-25": []}
    same = await admin.patch(f"{API}/calendars/desk", json={"weekly": {"mon": ["09:00-18:00"], "tue": []}})
    assert same.json()["version"] == 2
    whole = (await admin.get(f"{API}/calendars/desk")).json()
    assert [(v["version"], v["weekly"], v["made_by_name"]) for v in whole["versions"]] == [
        (2, {"mon": ["09:00-18:00"]}, "Адміністратор"), (1, WEEK, "Адміністратор"),
    ]  # fmt: skip
    assert "desk" in {c["key"] for c in (await admin.get(f"{API}/calendars")).json()["items"]}
    log = (await admin.get(f"{API}/events/log", params={"kind": "settings.changed"})).json()["items"]
    mine = [e["data"] for e in log if e["data"].get("key") == "desk" and e["data"]["what"] == "calendar"]
    assert {tuple(sorted(e["after"])) for e in mine if e["before"]} == {("name",), ("version", "weekly")}


async def test_a_key_is_given_once(admin, demo):
    await admin.post(f"{API}/calendars", json=calendar("once"))
    again = await admin.post(f"{API}/calendars", json=calendar("once"))
    assert (again.status_code, again.json()["code"], again.json()["field"]) == (409, "conflict", "key")


async def test_two_edits_at_once_do_not_overwrite_each_other(admin, demo):
    await admin.post(f"{API}/calendars", json=calendar("twice"))
    first = await admin.patch(f"{API}/calendars/twice", json={"version": 1, "zone": "Europe/Lisbon"})
    assert first.status_code == 200, first.text
    second = await admin.patch(f"{API}/calendars/twice", json={"version": 1, "zone": "UTC"})
    assert (second.status_code, second.json()["code"], second.json()["version"]) == (409, "version_conflict", 2)
    assert (await admin.get(f"{API}/calendars/twice")).json()["zone"] == "Europe/Lisbon"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"zone": "Europe/Kiew"}, "zone"),
        ({"weekly": {}}, "weekly"),
        ({"weekly": {"mon": ["09:00-13:00", "12:00-18:00"]}}, "weekly.mon"),
        ({"weekly": {"mon": ["29:00-29:30"]}}, "weekly.mon.0"),
        ({"exceptions": {"2026-02-30": []}}, "exceptions.2026-02-30"),
    ],
)
async def test_what_makes_no_sense_names_its_field(admin, demo, wrong, field):
    answer = await admin.post(f"{API}/calendars", json=calendar("wrong", **wrong))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", field)
    await admin.post(f"{API}/calendars", json=calendar("right"))
    answer = await admin.patch(f"{API}/calendars/right", json=wrong)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert (await admin.get(f"{API}/calendars/right")).json()["version"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "\x00"}, {"zone": None}, {"weekly": {"montag": []}}, {"weekly": {"mon": ["always"]}}, {"weekly": []},
        {"weekly": {"mon": [900]}}, {"exceptions": {"\ud800": []}}, {"exceptions": {"2026-12-25": None}}, {"name": " "},
        {"holidays": []}, {"weekly": {"mon": ["09:00-09:30"] * 25}},
    ],
)  # fmt: skip
async def test_what_has_the_wrong_shape_is_refused(admin, demo, wrong):
    body = json.dumps(calendar("wrong", **wrong))
    answer = await admin.post(f"{API}/calendars", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


async def test_a_calendar_in_use_stays(admin, demo):
    refused = await admin.delete(f"{API}/calendars/office")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert refused.json()["where"]["topics"] == ["delivery", "payment"]
    await admin.post(f"{API}/calendars", json=calendar("promised"))
    metrics = [{"metric": "tfr", "target": 60}]
    promise = {"key": "by-calendar", "name": "P", "calendar": "promised", "metrics": metrics}
    assert (await admin.post(f"{API}/sla-policies", json=promise)).status_code == 201
    assert (await admin.get(f"{API}/calendars/promised")).json()["policies"] == ["by-calendar"]
    refused = await admin.delete(f"{API}/calendars/promised")
    assert (refused.status_code, refused.json()["where"]) == (409, {"policies": ["by-calendar"]})
    assert (await admin.delete(f"{API}/sla-policies/by-calendar")).status_code == 204
    assert (await admin.delete(f"{API}/calendars/promised")).status_code == 204


async def test_a_removed_calendar_is_gone_and_comes_back_under_its_next_version(admin, demo):
    """What ended clocks ran by is not another calendar's."""
    path = f"{API}/calendars/removed"
    await admin.post(f"{API}/calendars", json=calendar("removed"))
    assert (await admin.delete(path)).status_code == 204
    assert [(await admin.get(path)).status_code, (await admin.delete(path)).status_code] == [404, 404]
    assert (await admin.patch(path, json={"name": "There"})).status_code == 404
    assert "removed" not in {c["key"] for c in (await admin.get(f"{API}/calendars")).json()["items"]}
    metrics = [{"metric": "tfr", "target": 60}]
    for refused in (
        await admin.post(f"{API}/topics", json={"key": "t9", "name": "T", "calendar": "removed"}),
        await admin.post(
            f"{API}/sla-policies", json={"key": "p9", "name": "P", "calendar": "removed", "metrics": metrics}
        ),
        await admin.post(f"{API}/processes/validate", content=waiting_by("removed", "by-removed"), headers=YAML),
    ):
        assert refused.status_code == 422, refused.text
    made = await admin.post(f"{API}/calendars", json=calendar("removed", zone="UTC"))
    assert (made.status_code, made.json()["version"], made.json()["zone"]) == (201, 2, "UTC")
    versions = (await admin.get(path)).json()["versions"]
    assert [(v["version"], v["zone"]) for v in versions] == [(2, "UTC"), (1, "Europe/Kyiv")]


async def test_a_calendar_that_an_active_definition_waits_by_stays(admin, demo):
    await admin.post(f"{API}/calendars", json=calendar("waited"))
    made = await admin.post(f"{API}/processes", content=waiting_by("waited", "by-hours"), headers=YAML)
    assert made.status_code == 201, made.text
    assert (await admin.post(f"{API}/processes/by-hours/versions", json={})).json()["version"] == 1
    active = await admin.post(f"{API}/processes/by-hours/activation", json={"version": 1})
    assert active.status_code == 200, active.text
    refused = await admin.delete(f"{API}/calendars/waited")
    assert (refused.status_code, refused.json()["where"]) == (409, {"definitions": ["by-hours"]})


async def test_a_calendar_that_is_not_there_is_found_out_before_anything_runs(admin, demo):
    answer = await admin.post(f"{API}/processes/validate", content=waiting_by("ofice", "by-nothing"), headers=YAML)
    assert answer.status_code == 422, answer.text
    found = [one for one in answer.json()["errors"] if one["code"] == "E413"]
    assert [(one["pointer"], one["fix"]["text"]) for one in found] == [("/do/0/wait/calendar", "office")], answer.text


async def test_the_hours_that_are_counted_are_told(admin, demo):
    await admin.post(f"{API}/calendars", json=calendar("told"))
    asked = {"start": "2026-11-20T17:30:00+02:00", "seconds": 3600}
    by_key = await admin.post(f"{API}/calendars/preview-time", json={"key": "told", **asked})
    assert by_key.json() == {
        "due": "2026-11-23T07:30:00Z", "left_out": 0,
        "counted": [
            {"from": "2026-11-20T15:30:00Z", "to": "2026-11-20T16:00:00Z"},
            {"from": "2026-11-23T07:00:00Z", "to": "2026-11-23T07:30:00Z"},
        ],
    }  # fmt: skip
    drawn = await admin.post(f"{API}/calendars/preview-time", json={"zone": "Europe/Kyiv", "weekly": WEEK, **asked})
    assert drawn.json() == by_key.json()
    long = await admin.post(f"{API}/calendars/preview-time", json={"key": "told", **asked, "seconds": 3_600_000})
    assert len(long.json()["counted"]) == 100
    assert long.json()["left_out"] > 100


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"key": "nowhere"}, 404, "not_found"),
        ({}, 422, "invalid"),
        ({"key": "told", "zone": "UTC"}, 422, "invalid"),
        ({"zone": "UTC"}, 422, "invalid"),
        ({"zone": "UTC", "weekly": {"mon": ["09:00-09:01"]}, "seconds": 31_536_000}, 409, "no_working_time"),
        (
            {"zone": "UTC", "weekly": WEEK, "start": "9997-12-31T00:00:00Z", "seconds": 31_536_000},
            409,
            "no_working_time",
        ),
        ({"zone": "UTC", "weekly": WEEK, "start": "2026-11-20T17:30:00"}, 422, None),
        ({"zone": "UTC", "weekly": WEEK, "seconds": 0}, 422, None),
    ],
)
async def test_time_that_cannot_be_reckoned(admin, demo, asked, status, code):
    await admin.post(f"{API}/calendars", json=calendar("told"))
    body = {"start": "2026-11-20T17:30:00Z", "seconds": 60, **asked}
    answer = await admin.post(f"{API}/calendars/preview-time", json=body)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code


async def test_nobody_is_moved_where_nothing_runs(admin, demo):
    await admin.post(f"{API}/calendars", json=calendar("idle"))
    shown = await admin.post(f"{API}/calendars/idle/preview", json={"zone": "UTC"})
    assert shown.json() == {"items": [], "total": 0, "dialogs": 0, "next": None}
    assert (await admin.get(f"{API}/calendars/idle")).json()["version"] == 1
    moved = await admin.patch(f"{API}/calendars/idle", json={"zone": "UTC", "running": "move", "confirm": 0})
    assert (moved.status_code, moved.json()["version"], moved.json()["run_id"]) == (200, 2, None)


async def test_a_topic_names_its_calendar_and_its_policy(admin, demo):
    await admin.post(f"{API}/calendars", json=calendar("named"))
    made = await admin.post(f"{API}/topics", json={"key": "t1", "name": "T", "calendar": "named", "sla": "standard"})
    assert (made.status_code, made.json()["calendar"], made.json()["sla"]) == (201, "named", "standard")
    assert (await admin.get(f"{API}/calendars/named")).json()["topics"] == ["t1"]
    for name in ("calendar", "sla"):
        for refused in (
            await admin.patch(f"{API}/topics/t1", json={name: "nowhere"}),
            await admin.post(f"{API}/topics", json={"key": "t2", "name": "T", name: "nowhere"}),
        ):
            assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, "invalid", name)
    renamed = await admin.patch(f"{API}/topics/t1", json={"name": "Other"})
    assert (renamed.json()["calendar"], renamed.json()["sla"]) == ("named", "standard")
    freed = await admin.patch(f"{API}/topics/t1", json={"calendar": None, "sla": None})
    assert (freed.json()["calendar"], freed.json()["sla"], freed.json()["run_id"]) == (None, None, None)
    assert (await admin.delete(f"{API}/calendars/named")).status_code == 204


async def test_the_demo_keeps_office_hours(admin, demo):
    office = (await admin.get(f"{API}/calendars/office")).json()
    assert (office["zone"], office["weekly"]["fri"]) == ("Europe/Kyiv", ["09:00-18:00"])
    assert office["exceptions"]["2026-12-25"] == []
    assert office["topics"] == ["delivery", "payment"]


async def test_other_hours_move_running_clocks_only_once_somebody_has_said_so(admin, demo):
    """A calendar of a topic; a ticket of the topic runs by it."""
    week = {day: ["00:00-12:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    await admin.post(f"{API}/calendars", json=calendar("moving", zone="UTC", weekly=week))
    metrics = [{"metric": "ttc", "target": 360_000}]
    await admin.post(f"{API}/sla-policies", json={"key": "moving", "name": "M", "metrics": metrics})
    topic = {"key": "moving", "name": "M", "calendar": "moving", "sla": "moving"}
    assert (await admin.post(f"{API}/topics", json=topic)).status_code == 201
    opened = await admin.post(
        f"{API}/tickets", json={"from": {"channel": "demo", "id": "mover"}, "topic": "moving", "subject": "A box"}
    )
    assert opened.status_code == 201, opened.text
    clocks = f"{API}/dialogs/{opened.json()['dialog_id']}/clocks"
    (before,) = (await admin.get(clocks)).json()["clocks"]
    edit = {"weekly": {day: ["00:00-24:00"] for day in week}}
    shown = (await admin.post(f"{API}/calendars/moving/preview", json=edit)).json()
    (move,) = shown["items"]
    assert (shown["total"], _moment(move["due_before"])) == (1, _moment(before["due_at"]))
    started = {"zone": "UTC", **edit, "start": before["started_at"], "seconds": 360_000}
    due = (await admin.post(f"{API}/calendars/preview-time", json=started)).json()["due"]
    assert _moment(move["due_after"]) == _moment(due)
    path = f"{API}/calendars/moving"
    asked = await admin.patch(path, json=edit)
    assert (asked.status_code, asked.json()["code"], asked.json()["total"]) == (409, "confirmation_needed", 1)
    assert (await admin.get(path)).json()["version"] == 1
    kept = await admin.patch(path, json={**edit, "running": "keep"})
    assert (kept.json()["version"], kept.json()["run_id"]) == (2, None)
    assert (await admin.get(clocks)).json()["clocks"][0]["due_at"] == before["due_at"]
    # the same is asked where the topic goes by other hours, or by none
    asked = await admin.patch(f"{API}/topics/moving", json={"sla": None})
    assert (asked.status_code, asked.json()["moves"][0]["due_after"]) == (409, None)
    kept = await admin.patch(f"{API}/topics/moving", json={"sla": None, "running": "keep"})
    assert (kept.json()["sla"], kept.json()["run_id"]) == (None, None)
    in_use = await admin.delete(path)
    assert (in_use.status_code, in_use.json()["where"]) == (409, {"topics": ["moving"], "running_clocks": 1})


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told)
