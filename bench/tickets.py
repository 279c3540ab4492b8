"""What a ticket costs beside a chat: opening one, and making one of a chat, with the clocks of a policy.

A chat is opened by a client's first message. One in flight; the three take turns, so that all see the same machine.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from bench.doors import API, Door
from bench.figures import Report, Target, middle, percentile
from bench.people import connect, make_people, make_team
from bench.running import run
from bench.stacks import TOKEN, Stack

TEAM, TOPIC, POLICY = "tickets", "bench-tickets", "bench-promise"
BODY = """{"kinds": ["ticket"], "calendar": null, "metrics": [
 {"metric": "tfr", "alias": "First answer", "target": 3600, "warn": [50, 80]},
 {"metric": "nrt", "alias": "Next answer", "target": 3600, "warn": [80]},
 {"metric": "ttc", "alias": "Time to close", "target": 86400, "warn": [75]}]}"""


async def measure(stack: Stack, quick: bool) -> Report:
    rounds = 60 if quick else 300
    db = await connect(stack.database_url)
    await make_team(db, TEAM)
    people = await make_people(db, 20, team=TEAM, room=100_000)
    (boss,) = await make_people(db, 1, team=TEAM, role="supervisor", status="offline")
    await db.execute("INSERT INTO sla_policies (key, name) VALUES (%s, %s)", [POLICY, POLICY])
    await db.execute("INSERT INTO sla_policy_versions (key, version, body) VALUES (%s, 1, %s::jsonb)", [POLICY, BODY])
    await db.execute("INSERT INTO topics (key, name, sla_key) VALUES (%s, %s, %s)", [TOPIC, TOPIC, POLICY])
    await db.execute("INSERT INTO team_topics (topic_key, team_key) VALUES (%s, %s)", [TOPIC, TEAM])
    took: dict[str, list[float]] = {"chat": [], "ticket": [], "conversion": []}
    async with (
        Door(stack.http_port, headers={"X-Channel-Token": TOKEN}) as client,
        Door(stack.http_port, token=boss.token) as desk,
    ):
        for turn in range(rounds + 10):
            seen = await _round(client, desk, str(people[turn % len(people)].id))
            if turn >= 10:
                for name, seconds in seen.items():
                    took[name].append(seconds * 1000)
    row = await (await db.execute("SELECT count(*) FROM clocks WHERE policy_key = %s", [POLICY])).fetchone()
    await db.close()
    if row is None or row[0] < rounds:
        raise RuntimeError("the tickets have no clocks: this measured something else")
    report = Report("Tickets", ("what", "p50 ms", "p95 ms"))
    labels = {"chat": "a client's first message opens a chat", "ticket": "POST /tickets", "conversion": "…/conversion"}
    for name, label in labels.items():
        report.row(label, middle(took[name]), percentile(took[name], 0.95))
    report.targets = [
        Target(f"{name} p50 ÷ chat p50", middle(took[name]) / middle(took["chat"]), 2.5, "×")
        for name in ("ticket", "conversion")
    ]
    return report


async def _round(client: Door, desk: Door, operator: str) -> dict[str, float]:
    seen: dict[str, float] = {}
    message = {"external_id": uuid4().hex, "from": {"id": uuid4().hex}, "text": "Good morning", "topic": TOPIC}
    began = time.perf_counter()
    chat = await _asked(client, f"{API}/channels/{TEAM}/inbound", message, 202)
    seen["chat"] = time.perf_counter() - began
    began = time.perf_counter()
    await _asked(desk, f"{API}/dialogs/{chat['dialog_id']}/conversion", {}, 200)
    seen["conversion"] = time.perf_counter() - began
    ticket = {
        "from": {"channel": TEAM, "id": uuid4().hex, "name": "A client"}, "subject": "A parcel", "topic": TOPIC,
        "description": "It did not come.", "priority": "high",
    }  # fmt: skip
    began = time.perf_counter()
    await _asked(desk, f"{API}/tickets", ticket, 201)
    seen["ticket"] = time.perf_counter() - began
    return seen


async def _asked(door: Door, path: str, body: dict[str, Any], expected: int) -> dict[str, Any]:
    status, answer = await door.ask("POST", path, body)
    if status != expected:
        raise RuntimeError(f"{path} answered {status}: {answer}")
    return dict(answer)


if __name__ == "__main__":
    run(measure, __doc__)
