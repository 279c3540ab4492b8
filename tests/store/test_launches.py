"""Launches: who may, what is selected, what is refused; nothing is left of a refused one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.commands import Close
from domain.errors import (
    ConfirmationNeededError,
    ForbiddenError,
    InvalidError,
    InvalidInputsError,
    NotActiveError,
    NotFoundError,
    QueueFullError,
    SelectionTooLargeError,
)
from domain.launches import Selected
from domain.walks.ports import Outcome
from store import approvals, run_commands, runs, versions
from store.ids import new_id
from store.viewers import get_viewer
from tests.store.launching import LISTEN, NOTE, SEND, Launching

WHERE = {"where": {"field": "dialog.status", "op": "ne", "value": "closed"}}


@pytest.fixture
async def desk(stage):
    await stage.person("boss", role="supervisor")
    return Launching(stage)


async def _dialogs(desk: Launching, count: int) -> list:
    return [await desk.stage.opened(f"c{n}") for n in range(count)]


async def test_ids_become_items_in_their_order_each_once(desk):
    key = await desk.publish("order")
    a, b, c = await _dialogs(desk, 3)
    told = await desk.launch(key, "boss", c, a, b, a)
    assert (told["total"], told["status"], told["left_out"]) == (3, "queued", 0)
    assert [item.dialog_id for item in await desk.items(told["run_id"])] == [c, a, b]
    run = await desk.run(told["run_id"])
    assert (run.topology, run.phase, run.version, run.total, run.effects_run) == ("batch", "items", 1, 3, run.id)
    assert told["workflow_id"] == f"mass:{run.id}"
    assert told["rings"] == {f"mass:{run.id}"}
    assert await desk.open_reactions(f"mass:{run.id}") == ["run_queued"]


async def test_what_nobody_may_read_is_left_out(desk):
    key = await desk.publish("rights")
    await desk.stage.team("far")
    await desk.stage.add_channel("far", "far")
    mine, far = await desk.stage.opened("a"), await desk.stage.opened("b", channel="far")
    await desk.stage.person("op")
    told = await desk.launch(key, "op", mine, far, new_id())
    assert (told["total"], told["left_out"]) == (1, 2)


async def test_the_definitions_own_condition_is_and_ed(desk):
    where = {"all": [{"field": "dialog.priority", "op": "eq", "value": "{{ inputs.wanted }}"}]}
    inputs = {"wanted": {"label": "W", "type": "priority", "required": True}}
    key = await desk.publish("guarded", selection={"where": where, "order_by": "dialog.opened_at"}, inputs=inputs)
    a, b, _ = await _dialogs(desk, 3)
    await desk.stage.sql("UPDATE dialogs SET priority = 'high' WHERE id IN (:a, :b)", a=a, b=b)
    told = await desk.launch(key, "boss", inputs={"wanted": "high"}, selected=Selected(team=desk.stage.key("support")))
    assert [i.dialog_id for i in await desk.items(told["run_id"])] == [a, b]


async def test_an_operator_means_their_open_dialogs_and_fills_the_input(desk):
    inputs = {"who": {"label": "Who", "type": "operator", "required": True}}
    key = await desk.publish("whose", inputs=inputs)
    op = await desk.stage.person("op", online=True)
    a, b = await _dialogs(desk, 2)
    assert (await desk.stage.ask("op", b, Close())).refusal is None
    told = await desk.launch(key, "boss", selected=Selected(operator=op))
    assert [i.dialog_id for i in await desk.items(told["run_id"])] == [a]
    assert (await desk.run(told["run_id"])).inputs == {"who": str(op)}


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("dialog.tags", "contains", "vip", {0}),
        ("dialog.tags", "not_contains", "vip", {1, 2}),
        ("dialog.tags", "is_empty", None, {1, 2}),
        ("dialog.tags", "in", ["vip", "x"], {0}),
        ("dialog.number", "gte", 1, {0, 1, 2}),
        ("dialog.opened_at", "newer_than", "1h", {0, 1, 2}),
        ("dialog.opened_at", "older_than", "1h", set()),
        ("dialog.last_message_from", "eq", "client", {0, 1, 2}),
        ("dialog.fields.level", "eq", 7, {1}),
        ("dialog.fields.level", "is_empty", None, {0, 2}),
        ("dialog.operator_id", "eq", "nobody", set()),
        ("dialog.operator_id", "ne", "nobody", {0, 1, 2}),
        ("dialog.operator_id", "eq", None, {0, 1, 2}),
        ("dialog.subject", "contains", "CARD", {2}),
        ("dialog.subject", "not_contains", "card", {0, 1}),
        ("dialog.channel_kind", "eq", "generic", {0, 1, 2}),
        ("contact.tags", "contains", "gold", {0}),
        ("contact.consent", "eq", False, {0, 1, 2}),
        ("dialog.subject", "starts_with", "50%_", set()),
    ],
)
async def test_conditions_select_what_they_say(desk, field, op, value, expected):
    key = await desk.publish("where")
    dialogs = await _dialogs(desk, 3)
    await desk.stage.sql("UPDATE dialogs SET tags = ARRAY['vip'] WHERE id = :d", d=dialogs[0])
    await desk.stage.sql("""UPDATE dialogs SET fields = '{"level": 7}' WHERE id = :d""", d=dialogs[1])
    await desk.stage.sql("UPDATE dialogs SET subject = 'a card' WHERE id = :d", d=dialogs[2])
    await desk.stage.sql(
        """UPDATE contacts SET tags = '["gold"]' WHERE id = (SELECT contact_id FROM dialogs WHERE id = :d)""",
        d=dialogs[0],
    )
    test = {"field": field, "op": op, "value": value}
    for where, wanted in ((test, expected), ({"not": test}, {0, 1, 2} - expected), ({"any": [test, test]}, expected)):
        told = await desk.launch(key, "boss", selected=Selected(ids=tuple(dialogs), where=where), is_dry=True)
        chosen = {dialogs.index(i.dialog_id) for i in await desk.items(told["run_id"])}
        assert chosen == wanted, where


@pytest.mark.parametrize(
    "where",
    [
        {"field": "dialog.nope", "op": "eq", "value": 1},
        {"field": "dialog.tags", "op": "gt", "value": 1},
        {"field": "dialog.number", "op": "eq", "value": 2**70},
        {"field": "dialog.number", "op": "eq", "value": float("nan")},
        {"field": "dialog.opened_at", "op": "older_than", "value": "soon"},
        {"field": "dialog.subject", "op": "eq", "value": "a\x00"},
        {"field": "dialog.fields.", "op": "eq", "value": "a"},
        {"any": []}, {"all": "x"}, [], "x", {"not": 3}, {"field": "dialog.id", "op": "in", "value": [1]},
        {"field": "dialog.opened_at", "op": "between", "value": ["2026-01-01"]}, {"field": 1, "op": [], "x": 2},
    ],
)  # fmt: skip
async def test_a_condition_that_makes_no_sense_is_refused_with_its_place(desk, where):
    key = await desk.publish("bad")
    with pytest.raises(InvalidError) as refused:
        await desk.launch(key, "boss", selected=Selected(where=where))
    assert refused.value.extra["errors"][0]["pointer"].startswith("/selection/where")


async def test_more_than_the_limit_is_refused_with_both_numbers(desk):
    key = await desk.publish("limited", selection={"limit": 2})
    dialogs = await _dialogs(desk, 4)
    with pytest.raises(SelectionTooLargeError) as refused:
        await desk.launch(key, "boss", *dialogs)
    assert refused.value.extra == {"limit": 2, "found": 4}
    assert not await desk.stage.sql("SELECT 1 FROM runs WHERE definition_key = :k", k=key)


async def test_nothing_chosen_is_refused_and_nothing_found_ends_at_once(desk):
    key = await desk.publish("none", before=[{"id": "b", "set": {"x": 1}}], vars={"x": 0})
    with pytest.raises(InvalidError):
        await desk.launch(key, "boss")
    told = await desk.launch(key, "boss", new_id())
    assert (told["status"], told["total"], told["rings"]) == ("succeeded", 0, set())
    run = await desk.run(told["run_id"])
    assert run.finished_at is not None


async def test_later_dialogs_of_one_contact_are_skipped(desk):
    key = await desk.publish("contacts", mass={"unique_per": "contact"})
    a, b, c = await _dialogs(desk, 3)
    await desk.stage.sql(
        "UPDATE dialogs SET contact_id = (SELECT contact_id FROM dialogs WHERE id = :a) WHERE id = :c", a=a, c=c
    )
    told = await desk.launch(key, "boss", a, b, c)
    assert await desk.states(told["run_id"]) == [("pending", None), ("pending", None), ("skipped", "duplicate_contact")]


async def test_inputs_are_refused_field_by_field(desk):
    inputs = {
        "n": {"label": "N", "type": "integer", "required": True, "min": 1},
        "code": {"label": "Code", "type": "string", "pattern": r"^\d+$", "pattern_error": "digits"},
        "team": {"label": "T", "type": "team"},
    }
    key = await desk.publish("inputs", inputs=inputs)
    dialog = await desk.stage.opened("a")
    with pytest.raises(InvalidInputsError) as refused:
        await desk.launch(key, "boss", dialog, inputs={"n": 0, "code": "x", "team": "nope", "zzz": 1})
    found = {(e["field"], e["code"]) for e in refused.value.extra["errors"]}
    assert found == {("n", "too_small"), ("code", "pattern"), ("team", "unknown_team"), ("zzz", "unknown")}
    with pytest.raises(InvalidInputsError) as refused:
        await desk.launch(key, "boss", dialog)
    assert [e["code"] for e in refused.value.extra["errors"]] == ["required"]


async def test_defaults_read_the_one_dialog(desk):
    inputs = {"who": {"label": "Who", "type": "string", "default": "{{ contact.external_id }}"}}
    key = await desk.publish("defaults", NOTE, kind="macro", inputs=inputs)
    dialog = await desk.stage.opened("a")
    await desk.stage.sql(
        "UPDATE contacts SET external_id = '77' WHERE id = (SELECT contact_id FROM dialogs WHERE id = :d)", d=dialog
    )
    told = await desk.launch(key, "boss", kind="macro", dialog_id=dialog)
    assert (told["status"], told["workflow_id"]) == ("running", f"macro:{told['run_id']}")
    assert (await desk.run(told["run_id"])).inputs == {"who": "77"}


async def test_defaults_never_read_what_the_launcher_may_not(desk):
    inputs = {"who": {"label": "Who", "type": "string", "default": "{{ contact.name }}"}}
    key = await desk.publish("curious", inputs=inputs)
    await desk.stage.team("far")
    await desk.stage.add_channel("far", "far")
    dialog = await desk.stage.opened("b", channel="far", name="Secret")
    await desk.stage.person("op")
    told = await desk.launch(key, "op", dialog)
    assert (told["total"], (await desk.run(told["run_id"])).inputs) == (0, {"who": None})


async def test_only_active_definitions_start_and_only_those_listed_start_them(desk):
    idle = await desk.publish("idle", active=False)
    dialog = await desk.stage.opened("a")
    with pytest.raises(NotActiveError):
        await desk.launch(idle, "boss", dialog)
    with pytest.raises(NotFoundError):
        await desk.launch(idle, "boss", dialog, kind="macro")
    key = await desk.publish("listed", permissions={"launch": {"roles": ["supervisor"]}})
    await desk.stage.person("op")
    await desk.stage.person("light", role="light_agent")
    for who in ("op", "light", None):
        with pytest.raises(ForbiddenError):
            await desk.launch(key, who, dialog)
    told = await desk.launch(idle, "boss", dialog, is_dry=True)
    assert (await desk.run(told["run_id"])).topology == "batch"


async def test_who_may_not_assign_starts_nothing_that_does(desk):
    key = await desk.publish("assigns", {"id": "d", "call": "distribute", "with": {"to": "online"}})
    await desk.stage.person("op")
    dialog = await desk.stage.opened("a")
    with pytest.raises(ForbiddenError) as refused:
        await desk.launch(key, "op", dialog)
    assert refused.value.extra["capabilities"] == ["dialog.assign"]


async def test_a_misspelt_choice_is_refused_rather_than_empty(desk):
    key = await desk.publish("spelt")
    for misspelt in ({"team": "suport"}, {"topic": "delivry"}, {"operator": new_id()}):
        with pytest.raises(NotFoundError):
            await desk.launch(key, "boss", selected=Selected(**misspelt))


async def test_many_items_need_their_number_confirmed(desk):
    key = await desk.publish("confirmed", mass={"confirm_above": 1})
    dialogs = await _dialogs(desk, 2)
    for wrong in (None, 1, 3):
        with pytest.raises(ConfirmationNeededError) as refused:
            await desk.launch(key, "boss", *dialogs, confirm=wrong)
        assert refused.value.extra["total"] == 2
    assert (await desk.launch(key, "boss", *dialogs, confirm=2))["total"] == 2


async def test_a_large_launch_waits_for_somebody_elses_yes(desk):
    key = await desk.publish("asked", mass={"approval_above": 1})
    dialogs = await _dialogs(desk, 2)
    told = await desk.launch(key, "boss", *dialogs)
    assert (told["status"], told["rings"]) == ("awaiting_approval", set())
    await desk.stage.person("chief", role="supervisor")
    async with desk.stage.sessions() as session:
        boss, chief = [await get_viewer(session, desk.stage.id_of(n)) for n in ("boss", "chief")]
        (question,) = [a for a in await approvals.list_open(session, chief) if a["run_id"] == str(told["run_id"])]
    with pytest.raises(ForbiddenError):
        await desk.do(approvals.decide, boss, question["id"], True, None, None)
    answer = await desk.do(approvals.decide, chief, question["id"], True, "fine", None)
    assert answer["state"] == "approved"
    assert (await desk.begin(told["run_id"])).status == "running"
    again = await desk.launch(key, "boss", await desk.stage.opened("x"), await desk.stage.opened("y"))
    async with desk.stage.sessions() as session:
        (question,) = [a for a in await approvals.list_open(session, chief) if a["run_id"] == str(again["run_id"])]
    await desk.do(approvals.decide, chief, question["id"], False, None, None)
    run = await desk.run(again["run_id"])
    assert (run.status, {s for s, _ in await desk.states(run.id)}) == ("rejected", {"cancelled"})


async def test_a_yes_does_not_let_go_what_somebody_holds(desk):
    key = await desk.publish("held", mass={"approval_above": 1})
    told = await desk.launch(key, "boss", *await _dialogs(desk, 2))
    await desk.stage.person("chief", role="supervisor")
    async with desk.stage.sessions() as session:
        boss, chief = [await get_viewer(session, desk.stage.id_of(n)) for n in ("boss", "chief")]
        (question,) = [a for a in await approvals.list_open(session, chief) if a["run_id"] == str(told["run_id"])]
    await desk.do(run_commands.pause, boss, told["run_id"])
    await desk.do(approvals.decide, chief, question["id"], True, None, None)
    assert (await desk.run(told["run_id"])).status == "paused"
    assert await desk.open_reactions(f"mass:{told['run_id']}") in ([], ["run_paused"])
    assert (await desk.do(run_commands.resume, boss, told["run_id"]))["status"] == "queued"
    assert (await desk.begin(told["run_id"])).status == "running"


async def test_a_second_launch_on_one_target_is_skipped_with_a_link(desk):
    key = await desk.publish("single")
    a, b = await _dialogs(desk, 2)
    first = await desk.launch(key, "boss", a)
    second = await desk.launch(key, "boss", a, b)
    assert await desk.states(second["run_id"]) == [
        ("skipped", f"already_running:{first['number']}"), ("pending", None)
    ]  # fmt: skip
    third = await desk.launch(key, "boss", a)
    assert third["status"] == "succeeded"
    await desk.end_all(first["run_id"])
    assert (await desk.launch(key, "boss", a))["status"] == "queued"


async def test_twenty_launches_at_once_let_one_through(desk):
    key = await desk.publish("racing")
    dialog = await desk.stage.opened("a")
    told = await asyncio.gather(*(desk.launch(key, "boss", dialog) for _ in range(12)))
    assert sorted(t["status"] for t in told) == ["queued"] + ["succeeded"] * 11


async def test_restart_replaces_the_older_item(desk):
    key = await desk.publish("again", LISTEN, mode="restart")
    dialog = await desk.stage.opened("a")
    first = await desk.launch(key, "boss", dialog)
    await desk.begin(first["run_id"])
    assert (await desk.advance(first["run_id"])).start == (1,)
    second = await desk.launch(key, "boss", dialog)
    item = f"process:{first['run_id']}:1"
    assert item in second["rings"]
    assert await desk.open_reactions(item) == ["run_cancelled"]
    third = await desk.launch(key, "boss", dialog)
    assert await desk.states(second["run_id"]) == [("cancelled", f"restarted_by:{third['number']}")]
    await desk.end(first["run_id"], 1, Outcome("cancelled"))
    assert await desk.states(first["run_id"]) == [("cancelled", f"restarted_by:{third['number']}")]
    for replaced in (first, second):
        await desk.do(runs.finish, replaced["run_id"])
        assert (await desk.run(replaced["run_id"])).status == "cancelled"


async def test_queued_launches_take_their_turn_and_at_most_ten_wait(desk):
    key = await desk.publish("turns", mode="queued")
    dialog = await desk.stage.opened("a")
    told = [await desk.launch(key, "boss", dialog) for _ in range(10)]
    with pytest.raises(QueueFullError):
        await desk.launch(key, "boss", dialog)
    first, second = told[0]["run_id"], told[1]["run_id"]
    for run in (first, second):
        await desk.begin(run)
    step = await desk.advance(second)
    assert (step.start, step.pending) == ((), 1)
    assert (await desk.advance(first)).start == (1,)
    await desk.end(first, 1)
    assert await desk.open_reactions(f"mass:{second}") == ["item_ended"]
    assert (await desk.advance(second)).start == (1,)


async def test_a_run_keeps_its_version(desk):
    key = await desk.publish("kept")
    dialog = await desk.stage.opened("a")
    told = await desk.launch(key, "boss", dialog)
    async with desk.stage.sessions() as session:
        source = (await versions.get_version(session, "process", key, 1))["source"].replace("seen", "new")
    await desk.do(versions.publish, None, "process", key, source=source)
    await desk.do(versions.activate, "process", key, 2)
    assert (await desk.run(told["run_id"])).canonical["do"][0]["with"]["text"] == "seen"
    other = await desk.launch(key, "boss", await desk.stage.opened("b"))
    assert (await desk.run(other["run_id"])).version == 2


async def test_what_sends_or_waits_takes_a_workflow_an_item_unless_its_condition_is_false(desk):
    inputs = {"tell": {"label": "Tell", "type": "boolean", "default": False}}
    key = await desk.publish("sends", {**SEND, "if": "inputs.tell"}, NOTE, inputs=inputs)
    a, b = await _dialogs(desk, 2)
    quiet = await desk.launch(key, "boss", a)
    loud = await desk.launch(key, "boss", b, inputs={"tell": True})
    assert [(await desk.run(t["run_id"])).topology for t in (quiet, loud)] == ["batch", "child"]


async def test_a_launch_for_later_rings_later(desk):
    key = await desk.publish("later")
    dialog = await desk.stage.opened("a")
    (row,) = await desk.stage.sql("SELECT now() AS now")
    told = await desk.launch(key, "boss", dialog, start_at=row.now + timedelta(hours=1))
    assert told["rings"] == set()
    seen = await desk.begin(told["run_id"])
    assert seen.status == "queued"
    assert 3500 < seen.wait <= 3600
