"""What those who decide are shown of a run, and that each of them is told once."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from domain.errors import NotFoundError
from domain.permissions import Permission
from domain.run_messages import Bearings
from domain.walks.ports import Asking, Outcome
from store import approvals, run_views
from store.run_reports import report_of
from store.transactions import transact
from store.versions import publish
from store.viewers import get_viewer
from tests.store.launching import LISTEN, NOTE, Launching

GREET = {
    "id": "greet", "call": "send_message",
    "with": {"text": "{{ inputs.greeting }}, {{ contact.name | default('friend') }} {{ vars.part }} {{ inputs.pin }}"},
}  # fmt: skip
LATER = {"id": "later", "if": "steps.greet.result.sent", "call": "request_csat", "with": {"question": "How was it?"}}
MORE = {
    "inputs": {
        "greeting": {"label": "G", "type": "string", "required": True},
        "pin": {"label": "P", "type": "string", "sensitive": True},
    },
    "vars": {"part": ""}, "before": [{"id": "part", "set": {"part": "of {{ inputs.greeting | length }}"}}],
    "mass": {"approval_above": 1, "max_failures": 3},
}  # fmt: skip


@pytest.fixture
async def desk(stage):
    for name in ("boss", "chief"):
        await stage.person(name, role="supervisor")
    return Launching(stage)


async def viewer_of(desk: Launching, who: str):
    async with desk.stage.sessions() as session:
        return await get_viewer(session, desk.stage.id_of(who))


async def notices(desk: Launching, run: UUID) -> list[str]:
    rows = await desk.stage.sql("SELECT user_id, text, link FROM notices WHERE run_id = :r", r=run)
    names = {i: name for name, i in desk.stage.people.items()}
    assert all(row.link.startswith("/approvals/") for row in rows)
    return sorted(names.get(row.user_id, "?") for row in rows)


async def test_whoever_approves_a_launch_sees_what_it_would_do(desk):
    key = await desk.publish("greeting", GREET, LATER, **MORE)
    dialogs = [await desk.stage.opened(f"c{n}") for n in range(2)]
    given = {"greeting": "Hello", "pin": "90210-x"}
    dry = (await desk.launch(key, "boss", *dialogs, inputs=given, is_dry=True))["run_id"]
    await desk.stage.sql("UPDATE runs SET phase = 'items' WHERE id = :r", r=dry)
    await desk.end_all(dry, Outcome("skipped", "guard"))
    other = (await desk.launch(key, "chief", *dialogs, inputs=given, is_dry=True))["run_id"]
    await desk.stage.sql("UPDATE runs SET status = 'succeeded' WHERE id = :r", r=other)
    run = (await desk.launch(key, "boss", *dialogs, inputs=given))["run_id"]
    chief = await viewer_of(desk, "chief")
    async with desk.stage.sessions() as session:
        [told] = [a for a in await approvals.list_open(session, chief) if a["run_id"] == str(run)]
        blind = replace(chief, permissions=chief.permissions - {Permission.DIALOG_READ_TEXTS})
        hidden = await approvals.get_approval(session, blind, UUID(told["id"]))
        report = await report_of(session, await run_views.get_sight(session, chief, run))
    facts = told["facts"]
    assert (facts["total"], facts["pending"], facts["definition"], facts["version"]) == (2, 2, key, 1)
    first, second = facts["messages"]
    assert (first["item"], first["step"], first["action"], first["sent"]) == (1, "greet", "send_message", True)
    assert first["text"].startswith("Hello, ")
    assert first["text"].endswith(" of 5 •••")
    assert (second["action"], second["text"]) == ("request_csat", "How was it?")
    dry_run = facts["dry_run"]
    assert (dry_run["run_id"], dry_run["items"]["skipped"], dry_run["same_inputs"]) == (str(dry), 2, True)
    assert facts["changes"] is None
    assert [m["text"] for m in hidden["facts"]["messages"]] == [None, None]
    assert report["approvals"][0]["facts"] == facts
    assert await notices(desk, run) == ["chief"]


async def test_a_new_version_is_told_by_what_differs(desk):
    key = await desk.publish("greeting", GREET, LATER, **MORE)
    (draft,) = await desk.stage.sql("SELECT draft FROM definitions WHERE key = :k", k=key)
    text = draft.draft.replace("How was it?", "And how was it?").replace("max_failures: 3", "max_failures: 5")
    await transact(desk.stage.sessions, lambda w: publish(w, None, "process", key, source=text, must_refer=False))
    await desk.stage.sql("UPDATE definitions SET active_version = 2 WHERE key = :k", k=key)
    dialogs = [await desk.stage.opened(f"c{n}") for n in range(2)]
    run = (await desk.launch(key, "boss", *dialogs, inputs={"greeting": "Hello"}))["run_id"]
    (row,) = await desk.stage.sql("SELECT facts FROM approvals WHERE run_id = :r", r=run)
    changes = row.facts["changes"]
    assert (changes["before"], changes["after"], changes["count"]) == (1, 2, 2)
    assert set(changes["paths"]) == {"/mass/max_failures", "/do/later/with/question"}
    assert row.facts["dry_run"] is None


async def test_a_preview_that_cannot_be_made_holds_up_no_question(desk):
    broken = {**GREET, "with": {"text": "{{ dialog.fields.nothing.at_all }}"}}
    key = await desk.publish("broken", broken, mass={"approval_above": 0})
    told = await desk.launch(key, "boss", await desk.stage.opened("c"))
    (row,) = await desk.stage.sql("SELECT facts FROM approvals WHERE run_id = :r", r=told["run_id"])
    assert told["status"] == "awaiting_approval"
    assert [(m["text"], m["sent"], m["reason"]) for m in row.facts["messages"]] == [(None, False, "invalid")]


@pytest.mark.parametrize(
    ("may_decide", "allow_self", "told"),
    [
        ({"roles": ["supervisor"]}, False, ["chief"]), ({"roles": ["supervisor"]}, True, ["boss", "chief"]),
        ({}, False, ["chief"]), ({"users": ["OP{suffix}@TEST"]}, False, ["op"]),
        ({"users": [str(uuid4())]}, False, []), ({"teams": ["support{suffix}"]}, False, ["chief", "op"]),
    ],
)  # fmt: skip
async def test_those_who_may_decide_are_told_once(desk, may_decide, allow_self, told):
    await desk.stage.person("op")
    key = await desk.publish("asking", LISTEN)
    run = (await desk.launch(key, "boss", await desk.stage.opened("c")))["run_id"]
    await desk.begin(run)
    suffix = desk.stage.suffix
    named = {k: [v.replace("{suffix}", suffix).replace("OP", "op") for v in who] for k, who in may_decide.items()}
    asking = Asking("0/ask", "ask", "before/ask", "Go?", named, allow_self=allow_self, seconds=60)
    for _ in range(2):
        opened = await desk.do(approvals.open, Bearings(f"mass:{run}", run, 0), asking)
    operator = await viewer_of(desk, "op")
    async with desk.stage.sessions() as session:
        try:
            shown = (await approvals.get_approval(session, operator, opened.id))["id"]
        except NotFoundError:
            shown = None
    assert (shown is not None) == ("op" in told)
    here = set(desk.stage.people.values())
    rows = await desk.stage.sql("SELECT user_id FROM notices WHERE run_id = :r", r=run)
    names = {i: name for name, i in desk.stage.people.items()}
    assert sorted(names[r.user_id] for r in rows if r.user_id in here) == told
    assert len({r.user_id for r in rows}) == len(rows)


async def test_a_question_of_one_item_shows_what_that_client_would_be_told(desk):
    may = {"id": "may", "approve": {"by": {"roles": ["supervisor"]}, "message": "ok?", "timeout": "1h"}}
    key = await desk.publish("asks", may, {**GREET, "with": {"text": "For {{ dialog.number }}"}}, NOTE)
    dialogs = [await desk.stage.opened(f"c{n}") for n in range(2)]
    run = (await desk.launch(key, "boss", *dialogs))["run_id"]
    await desk.begin(run)
    await desk.advance(run)
    asking = Asking(f"{run}:2:may", "may", "may", "ok?", {"roles": ["supervisor"]}, seconds=60)
    opened = await desk.do(approvals.open, Bearings(f"process:{run}:2", run, 2), asking)
    number = (await desk.stage.dialog(dialogs[1])).number
    assert [(m["item"], m["text"]) for m in opened.facts["messages"]] == [(2, f"For {number}")]
    assert "dry_run" not in opened.facts
