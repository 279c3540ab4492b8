"""Runs on the real stack: batches, items with workflows of their own, macros; waited for, asked, paused, cancelled."""

from __future__ import annotations

import asyncio

from domain.launches import LaunchOrder
from tests.launching import items_of, launch, rows, run_ended
from tests.runs import Runs, decide
from tests.stack import Shop, eventually


async def test_a_batch_ends_each_item_in_a_transaction_of_its_own(shop: Shop) -> None:
    runs = await Runs(shop).open(3)
    run_id, status = await runs.run("""
do:
  - { id: prio, call: set_priority, with: { priority: high } }
  - { id: note, call: add_note, with: { text: "it was {{ steps.prio.result.previous }}" } }
""")
    assert (status, await runs.states(run_id)) == ("succeeded", ["succeeded"] * 3)
    assert await runs.trace(run_id, 2) == [("prio", "succeeded"), ("note", "succeeded")]
    effects = await rows(runs.sessions, "SELECT status FROM effects WHERE run_id = :r", r=run_id)
    assert [e.status for e in effects] == ["done"] * 6


async def test_a_failed_item_fails_alone(shop: Shop) -> None:
    runs = await Runs(shop).open(3)
    run_id, status = await runs.run("""
guard: dialog.number > 0
do:
  - { id: prio, call: set_priority, with: { priority: high } }
  - if: run.item_number == 2
    raise: { error: unwanted, message: "not this one" }
""")
    assert (status, await runs.states(run_id)) == ("partially_failed", ["succeeded", "failed", "succeeded"])
    assert (await items_of(runs.sessions, run_id))[1].error_type == "unwanted"


async def test_a_macro_answers_whoever_waits(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id, outcome = await runs.macro("""
do:
  - { id: prio, call: set_priority, with: { priority: high } }
message: "from {{ steps.prio.result.previous }}"
""")
    assert (outcome.state, outcome.message) == ("succeeded", "from normal")
    assert await run_ended(runs.sessions, run_id) == "succeeded"


async def test_a_macro_that_nobody_started_is_started_by_the_relay(shop: Shop) -> None:
    runs = await Runs(shop).open()
    key = await runs.publish("do: [{ call: set_priority, with: { priority: low } }]", kind="macro")
    order = LaunchOrder("macro", key, dialog_id=runs.dialogs[0], launched_by=runs.boss)
    assert await run_ended(runs.sessions, await launch(runs.sessions, order)) == "succeeded"


async def test_a_macro_that_waits_goes_on_step_by_step(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id, outcome = await runs.macro("""
do:
  - { id: prio, call: set_priority, with: { priority: high } }
  - { id: pause, wait: 1s }
  - { id: note, call: add_note, with: { text: done } }
message: "{{ dialog.priority }}"
""")
    assert (outcome.state, outcome.message) == ("succeeded", "high")
    assert await runs.trace(run_id) == [("prio", "succeeded"), ("pause", "succeeded"), ("note", "succeeded")]


async def test_an_item_that_waits_is_parked_and_its_trace_is_seen(shop: Shop) -> None:
    runs = await Runs(shop).open(2)
    run_id = await runs.launch(
        await runs.publish("""
do:
  - { id: first, call: set_priority, with: { priority: low } }
  - { id: pause, wait: 3s }
  - { id: second, call: set_priority, with: { priority: high } }
""")
    )
    items = await runs.waiting(run_id, 2)
    assert {i.state for i in items} == {"waiting"}
    assert items[0].waits_for["kind"] == "wait"
    assert await runs.trace(run_id) == [("first", "succeeded"), ("pause", "running")]
    assert await run_ended(runs.sessions, run_id) == "succeeded"
    assert (await runs.trace(run_id))[-1] == ("second", "succeeded")


async def test_no_reply_is_lost_between_a_message_and_listening(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id = await runs.launch(
        await runs.publish("""
do:
  - { id: first, call: set_priority, with: { priority: low } }
  - { id: gap, wait: 2s }
  - { id: ask, listen: { to: message.received, since: first, timeout: 30s } }
  - { id: note, call: add_note, with: { text: "heard {{ steps.ask.result.text }}" } }
""")
    )
    await runs.waiting(run_id)
    await shop.hear("yes please", sender="client0")
    assert await run_ended(runs.sessions, run_id) == "succeeded"
    notes = await rows(
        runs.sessions, "SELECT text FROM messages WHERE dialog_id = :d AND direction = 'note'", d=runs.dialogs[0]
    )
    assert [n.text for n in notes] == ["heard yes please"]


async def test_listening_ends_with_its_time(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id, status = await runs.run("""
do:
  - { id: ask, listen: { to: message.received, timeout: 1s } }
  - { id: note, if: steps.ask.timed_out, call: add_note, with: { text: silence } }
""")
    assert (status, await runs.trace(run_id)) == ("succeeded", [("ask", "succeeded"), ("note", "succeeded")])


APPROVED_FIRST = """
before:
  - { id: may, approve: { by: { roles: [supervisor] }, message: "{{ items.total }} dialogs?", timeout: 1m } }
do:
  - { call: set_priority, with: { priority: critical } }
after:
  - { id: told, call: log, with: { text: "{{ items.succeeded }} done" } }
"""


async def test_people_are_asked_before_the_items(shop: Shop) -> None:
    runs = await Runs(shop).open(2)
    run_id = await runs.launch(await runs.publish(APPROVED_FIRST))
    await decide(runs, run_id, approved=True)
    assert await run_ended(runs.sessions, run_id) == "succeeded"
    assert await runs.trace(run_id, 0) == [("may", "succeeded")]
    assert await runs.trace(run_id, -1) == [("told", "succeeded")]


async def test_a_run_waits_for_both_of_two_questions_side_by_side(shop: Shop) -> None:
    runs = await Runs(shop).open()
    ask = "do: [{ id: ask_ID, approve: { by: { roles: [supervisor] }, message: ok?, timeout: 1m } }]"
    branches = ", ".join(f"{{ id: {i}, {ask.replace('ID', i)} }}" for i in ("left", "right"))
    run_id = await runs.launch(
        await runs.publish(f"""
before: [{{ id: both, fork: {{ branches: [{branches}] }} }}]
do: [{{ call: set_priority, with: {{ priority: low }} }}]
""")
    )
    status = "SELECT status, (SELECT count(*) FROM approvals WHERE run_id = r.id AND state = 'open') AS open"
    asked = f"{status} FROM runs r WHERE id = :r"
    await eventually(lambda: rows(runs.sessions, asked, r=run_id), lambda found: found[0].open == 2)
    await decide(runs, run_id, approved=True)
    await asyncio.sleep(1)
    assert [tuple(r) for r in await rows(runs.sessions, asked, r=run_id)] == [("awaiting_approval", 1)]
    await decide(runs, run_id, approved=True)
    assert await run_ended(runs.sessions, run_id) == "succeeded"


async def test_a_refusal_before_the_items_rejects_the_run(shop: Shop) -> None:
    runs = await Runs(shop).open(2)
    run_id = await runs.launch(await runs.publish(APPROVED_FIRST))
    await decide(runs, run_id, approved=False)
    assert await run_ended(runs.sessions, run_id) == "rejected"
    assert await runs.states(run_id) == ["cancelled"] * 2


async def test_a_deadline_decides_where_nobody_does(shop: Shop) -> None:
    runs = await Runs(shop).open()
    ask = "approve: { by: { roles: [supervisor] }, message: ok?, timeout: 1s, on_timeout: approve }"
    run_id, status = await runs.run(f"do: [{{ id: may, {ask} }}, {{ call: set_priority, with: {{ priority: low }} }}]")
    assert status == "succeeded"
    found = await rows(runs.sessions, "SELECT state FROM approvals WHERE run_id = :r", r=run_id)
    assert [a.state for a in found] == ["expired"]


async def test_a_paused_run_does_nothing_until_it_is_resumed(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id = await runs.launch(
        await runs.publish("""
do:
  - { id: gap, wait: 2s }
  - { id: prio, call: set_priority, with: { priority: high } }
""")
    )
    await runs.waiting(run_id)
    await runs.command("pause", run_id)
    await asyncio.sleep(3)
    assert ("prio", "succeeded") not in await runs.trace(run_id)
    assert await runs.states(run_id) != ["succeeded"]
    await runs.command("resume", run_id)
    assert await run_ended(runs.sessions, run_id) == "succeeded"


LONG = """
do:
  - id: block
    try: [{ id: gap, wait: 1h }, { id: never, call: set_priority, with: { priority: low } }]
    finally: [{ id: clean, call: add_tag, with: { tag: TAG } }]
"""


async def test_a_cancelled_item_stops_at_its_step_and_cleans_up(shop: Shop) -> None:
    runs = await Runs(shop).open(2)
    tag = await shop.tag("cleaned")
    for mode in ("finish_step", "now"):
        body = LONG.replace("TAG", tag)
        run_id = await runs.launch(await runs.publish(body, name=mode.replace("_", "-")))
        await runs.waiting(run_id, 2)
        await runs.command("cancel", run_id, mode)
        assert await run_ended(runs.sessions, run_id) == "cancelled"
        assert await runs.states(run_id) == ["cancelled"] * 2
        assert ("block/clean", "succeeded") in await runs.trace(run_id)
        assert ("block/never", "succeeded") not in await runs.trace(run_id)


async def test_finish_items_lets_those_at_work_end(shop: Shop) -> None:
    runs = await Runs(shop).open(3)
    run_id = await runs.launch(
        await runs.publish("""
mass: { concurrency: 1 }
do:
  - { id: slow, call: set_priority, with: { priority: low } }
  - { id: ask, listen: { to: message.received, timeout: 2s } }
""")
    )
    await runs.waiting(run_id)
    await runs.command("cancel", run_id, "finish_items")
    assert await run_ended(runs.sessions, run_id) == "cancelled"
    states = await runs.states(run_id)
    assert "succeeded" in states
    assert set(states) <= {"succeeded", "cancelled"}


async def test_a_canary_goes_first_and_the_rest_waits_for_a_word(shop: Shop) -> None:
    runs = await Runs(shop).open(3)
    key = await runs.publish("do: [{ call: set_priority, with: { priority: low } }]")
    run_id = await runs.launch(key, canary=1)
    await eventually(
        lambda: rows(runs.sessions, "SELECT status FROM runs WHERE id = :r", r=run_id),
        lambda found: found[0].status == "paused",
    )
    assert await runs.states(run_id) == ["succeeded", "pending", "pending"]
    await runs.command("continue_rest", run_id)
    assert await run_ended(runs.sessions, run_id) == "succeeded"


async def test_branches_go_side_by_side_and_the_first_wins(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id, status = await runs.run("""
do:
  - id: race
    fork:
      compete: true
      branches:
        - id: slow
          do:
            - id: safe
              try: [{ id: hour, wait: 1h }]
              finally: [{ id: tidy, call: add_tag, with: { tag: tidied } }]
        - { id: quick, do: [{ id: second, wait: 1s }, { id: prio, call: set_priority, with: { priority: low } }] }
  - { id: note, call: add_note, with: { text: "{{ steps.race.result.winner }}" } }
""")
    assert status == "succeeded"
    trace = dict(await runs.trace(run_id))
    assert (trace["race/quick/prio"], trace["note"]) == ("succeeded", "succeeded")
    assert (trace["race/slow/safe/hour"], trace["race/slow/safe/tidy"]) == ("cancelled", "succeeded")


async def test_a_step_runs_another_definition_and_waits_for_it(shop: Shop) -> None:
    runs = await Runs(shop).open(2)
    child = await runs.publish(
        """
do: [{ id: prio, call: set_priority, with: { priority: critical } }]
outputs: { before: { label: Before, value: "{{ steps.prio.result.previous }}" } }
""",
        name="child",
    )
    run_id, status = await runs.run(f"""
do:
  - {{ id: sub, run: {{ process: {child}, version: 1, mode: wait }} }}
  - {{ id: note, call: add_note, with: {{ text: "{{{{ steps.sub.result.status }}}}" }} }}
""")
    assert status == "succeeded", await items_of(runs.sessions, run_id)
    found = await rows(runs.sessions, "SELECT status FROM runs WHERE parent_run = :r", r=run_id)
    assert [r.status for r in found] == ["succeeded"] * 2


CHILD = """
do: [{{ id: gap, wait: 2s }}, {last}]
outputs: {{ said: {{ label: Said, value: done }} }}
"""
PARENT = """
do:
  - {{ id: sub, run: {{ process: {child}, version: 1, mode: wait }} }}
  - {{ id: note, call: add_note, with: {{ text: "{{{{ steps.sub.result.said }}}}" }} }}
"""


async def test_a_run_that_is_to_finish_its_items_lets_their_sub_processes_finish(shop: Shop) -> None:
    runs = await Runs(shop).open()
    child = await runs.publish(CHILD.format(last="{ call: log, with: { text: x } }"), name="patient")
    run_id = await runs.launch(await runs.publish(PARENT.format(child=child)))
    await runs.waiting(run_id)
    await runs.command("cancel", run_id, "finish_items")
    assert await run_ended(runs.sessions, run_id) == "succeeded"
    assert await runs.states(run_id) == ["succeeded"]


async def test_a_sub_process_that_fails_tells_its_parent_why(shop: Shop) -> None:
    runs = await Runs(shop).open()
    child = await runs.publish(CHILD.format(last="{ raise: { error: boom, message: Went wrong } }"), name="failing")
    run_id, status = await runs.run(PARENT.format(child=child))
    assert status == "failed"
    (item,) = await items_of(runs.sessions, run_id)
    assert (item.error_type, item.error_step, item.error_message) == ("boom", "sub", "Went wrong")


async def test_a_dry_run_changes_nothing(shop: Shop) -> None:
    runs = await Runs(shop).open(2)
    run_id, status = await runs.run(
        """
before: [{ id: first, call: log, with: { text: begin } }]
do:
  - { id: prio, call: set_priority, with: { priority: critical } }
  - { id: gap, wait: 1h }
  - { id: ask, listen: { to: message.received, timeout: 1h } }
""",
        is_dry=True,
    )
    assert (status, await runs.states(run_id)) == ("succeeded", ["succeeded"] * 2)
    found = await rows(runs.sessions, "SELECT priority FROM dialogs WHERE id = ANY(:d)", d=runs.dialogs)
    assert {d.priority for d in found} == {"normal"}
    assert not await rows(runs.sessions, "SELECT key FROM effects WHERE run_id = :r", r=run_id)


async def test_a_run_survives_its_worker(shop: Shop) -> None:
    runs = await Runs(shop).open(2)
    run_id = await runs.launch(
        await runs.publish("""
do:
  - { id: first, call: set_priority, with: { priority: low } }
  - { id: gap, wait: 1s }
  - { id: second, call: set_priority, with: { priority: high } }
""")
    )
    await runs.waiting(run_id)
    await shop.stack.stop_worker()
    await asyncio.sleep(1.5)
    await shop.stack.start_worker()
    assert await run_ended(runs.sessions, run_id) == "succeeded"
    effects = await rows(runs.sessions, "SELECT attempts FROM effects WHERE run_id = :r", r=run_id)
    assert [e.attempts for e in effects] == [1] * 4


async def test_nothing_stays_open_after_a_run(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id, _ = await runs.run("do: [{ id: ask, listen: { to: message.received, timeout: 1s } }]")
    left = await rows(
        runs.sessions, "SELECT * FROM reactions WHERE done_at IS NULL AND workflow_id LIKE :w", w=f"%{run_id}%"
    )
    assert left == []
    assert await rows(runs.sessions, "SELECT * FROM subscriptions WHERE run_id = :r", r=run_id) == []


async def test_what_a_failed_item_did_is_taken_back_where_the_definition_says_so(shop: Shop) -> None:
    runs = await Runs(shop).open()
    for name, gap in (("batch", ""), ("child", "{ id: gap, wait: 1s },")):
        run_id, status = await runs.run(
            f"""
mass: {{ on_item_failure: undo }}
do: [{{ id: prio, call: set_priority, with: {{ priority: low }} }}, {gap} {{ raise: {{ error: x, message: x }} }}]
""",
            name=name,
        )
        assert status == "failed"
        found = await rows(runs.sessions, "SELECT priority FROM dialogs WHERE id = :d", d=runs.dialogs[0])
        assert found[0].priority == "normal", name
        assert (await runs.trace(run_id))[-1] == ("undo", "succeeded")
