"""The paths of runs: each host of a walk, each way to wait and to end."""

from __future__ import annotations

from uuid import UUID, uuid4

from domain import workflow_ids
from domain.run_launches import Firing
from tests.launching import run_ended
from tests.replay.recording import RUNS, Recorder
from tests.runs import Runs, decide
from tests.stack import Shop, eventually
from workflows import options

PRIO = "{ id: prio, call: set_priority, with: { priority: high } }"
LONG = "do: [{ id: block, try: [{ id: gap, wait: 1h }], finally: [{ id: last, call: add_note, with: { text: x } }] }]"


async def batches(shop: Shop, recorder: Recorder) -> None:
    """One with its phases, a dry one, a canary, one that a person refuses."""
    runs = await Runs(shop).open(3)

    async def keep(name: str, run_id: UUID) -> None:
        await run_ended(runs.sessions, run_id)
        await recorder.ended(workflow_ids.of_mass(run_id))
        await recorder.keep(f"mass_{name}", workflow_ids.of_mass(run_id))

    asks = "{ id: may, approve: { by: { roles: [supervisor] }, message: ok?, timeout: 1m } }"
    key = await runs.publish(f"before: [{asks}]\ndo: [{PRIO}]\nafter: [{{ call: log, with: {{ text: done }} }}]")
    for name, approved in (("batches", True), ("refused", False)):
        run_id = await runs.launch(key)
        await decide(runs, run_id, approved=approved)
        await keep(name, run_id)
    await keep("dry", await runs.launch(key, is_dry=True))
    run_id = await runs.launch(await runs.publish(f"do: [{PRIO}]", name="canary"), canary=1)
    await eventually(lambda: runs.states(run_id), lambda states: "succeeded" in states)
    await eventually(lambda: runs.command("continue_rest", run_id))
    await keep("canary", run_id)


async def items(shop: Shop, recorder: Recorder) -> None:
    """Everything an item can wait for; paused; cancelled."""
    runs = await Runs(shop).open()

    async def keep(name: str, run_id: UUID) -> None:
        await run_ended(runs.sessions, run_id)
        await recorder.ended(workflow_ids.of_item(run_id, 1))
        await recorder.keep(f"process_{name}", workflow_ids.of_item(run_id, 1))

    child = await runs.publish(f"do: [{PRIO}]", name="child")
    run_id = await runs.launch(
        await runs.publish(f"""
do:
  - {PRIO}
  - {{ id: ear, listen: {{ to: message.received, timeout: 30s }} }}
  - {{ id: may, approve: {{ by: {{ roles: [supervisor] }}, message: ok?, timeout: 1m }} }}
  - {{ id: sub, run: {{ process: {child}, version: 1 }} }}
  - {{ id: tell, call: send_message, with: {{ text: "Good day" }} }}
  - id: race
    fork:
      compete: true
      branches:
        - {{ id: slow, do: [{{ id: hour, wait: 1h }}] }}
        - {{ id: quick, do: [{{ id: second, wait: 1s }}] }}
""")
    )
    await runs.waiting(run_id)
    await shop.hear("yes", sender="client0")
    await decide(runs, run_id, approved=True)
    await keep("waits", run_id)
    await recorder.ended(workflow_ids.of_mass(run_id))
    await recorder.keep("mass_one_by_one", workflow_ids.of_mass(run_id))
    run_id = await runs.launch(await runs.publish(f"do: [{{ id: gap, wait: 2s }}, {PRIO}]", name="paused"))
    await runs.waiting(run_id)
    await runs.command("pause", run_id)
    await eventually(lambda: runs.trace(run_id), lambda trace: ("gap", "succeeded") in trace or True)
    await runs.command("resume", run_id)
    await keep("paused", run_id)
    for mode in ("finish_step", "now"):
        run_id = await runs.launch(await runs.publish(LONG, name=mode.replace("_", "-")))
        await runs.waiting(run_id)
        await runs.command("cancel", run_id, mode)
        await keep(f"cancelled_{mode}", run_id)
    run_id, _ = await runs.run("do: [{ id: gap, wait: 1s }, { raise: { error: unwanted, message: x } }]", name="fails")
    await keep("failed", run_id)


async def macros(shop: Shop, recorder: Recorder) -> None:
    runs = await Runs(shop).open()
    for name, body in (("at_once", f"do: [{PRIO}]"), ("step_by_step", f"do: [{PRIO}, {{ id: gap, wait: 1s }}]")):
        run_id, _ = await runs.macro(body, name=name.replace("_", "-"))
        await recorder.keep(f"macro_{name}", workflow_ids.of_macro(run_id))


async def launches(shop: Shop, recorder: Recorder) -> None:
    """A schedule whose definition is gone."""
    await shop.open()
    client = await shop.stack.connect()
    workflow_id = workflow_ids.of_launch(f"gone{uuid4().hex[:8]}", 0)
    await client.start_workflow(
        "LaunchWorkflow", Firing(workflow_ids.parse(workflow_id)[1].partition(":")[0], 0), id=workflow_id,
        task_queue=options.INTERACTIVE,
    )  # fmt: skip
    await recorder.ended(workflow_id)
    await recorder.keep("launch_of_nothing", workflow_id)


async def fresh_mass_run(shop: Shop, recorder: Recorder) -> None:
    """A run over items that continues as new."""
    runs = await Runs(shop).open(5)
    run_id = await runs.launch(await runs.publish(f"mass: {{ concurrency: 1 }}\ndo: [{{ id: gap, wait: 1s }}, {PRIO}]"))
    await run_ended(runs.sessions, run_id)
    me = workflow_ids.of_mass(run_id)
    await recorder.ended(me)
    found = [r[0] for r in await shop.stack.rows(RUNS, w=me)]
    assert len(found) > 1, "it was not renewed"
    await recorder.keep("mass_renewed", me, run_id=found[0])
    await recorder.keep("mass_after_renewal", me, run_id=found[1])
