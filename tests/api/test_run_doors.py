"""Runs as people read them: totals, items, traces and the report, and who sees how much of them."""

import csv
import io
from uuid import UUID

from sqlalchemy import insert, text, update

from store.ids import new_id
from store.tables import Run, RunItem, RunStep

CANONICAL = {
    "inputs": {"client_id": {"label": "ID"}, "pin": {"label": "PIN", "sensitive": True}},
    "outputs": {"state": {"label": "Стан", "value": "x"}},
}


async def run_of(desk, dialogs, *, launched_by=None, canonical=CANONICAL, state="succeeded", **fields) -> UUID:
    """A run as it stands in the rows once its items have ended."""
    run_id = new_id()
    async with desk.sessions.begin() as session:
        now = await session.scalar(text("SELECT now()"))
        row = {
            "id": run_id, "kind": "process", "definition_key": "close-stale", "title": "Close", "sha256": "0",
            "canonical": canonical, "target": "dialog", "topology": "batch", "effects_run": run_id,
            "total": len(dialogs), "status": "succeeded", "launched_by": launched_by,
            "inputs": {"client_id": "7", "pin": "1234"}, **fields,
        }  # fmt: skip
        await session.execute(insert(Run), row)
        for seq, dialog in enumerate(dialogs, 1):
            item = {
                "run_id": run_id, "seq": seq, "origin_seq": seq, "target_key": f"dialog:{dialog}", "dialog_id": dialog,
                "state": state, "started_at": now, "finished_at": now, "message": "=1+1",
                "outputs": [{"id": "state", "label": "Стан", "value": f"@{seq}"}],
            }  # fmt: skip
            await session.execute(insert(RunItem), item)
        step = {
            "run_id": run_id, "seq": 1, "n": 1, "step_id": "note", "path": "note", "kind": "call", "started_at": now,
            "status": "succeeded", "finished_at": now,
        }  # fmt: skip
        await session.execute(insert(RunStep), step)
    return run_id


async def test_a_run_tells_its_totals_items_and_trace(desk):
    dialogs = [await desk.opened(f"c{n}") for n in range(3)]
    run = await run_of(desk, dialogs, launched_by=desk.id_of("lead"))
    told = await desk.get("boss", f"/runs/{run}")
    assert (told["total"], told["totals"]["succeeded"], sum(told["totals"].values())) == (3, 3, 3)
    assert told["inputs"] == {"client_id": "7", "pin": "•••"}
    assert told["launched_by"] == {"id": str(desk.id_of("lead")), "name": "Lead"}
    page = await desk.get("boss", f"/runs/{run}/items", limit=2)
    assert ([i["seq"] for i in page["items"]], page["next"]) == ([1, 2], "2")
    rest = await desk.get("boss", f"/runs/{run}/items", after=page["next"], state="succeeded")
    assert ([i["dialog_id"] for i in rest["items"]], rest["next"]) == ([str(dialogs[2])], None)
    assert (await desk.get("boss", f"/runs/{run}/items", state="failed"))["items"] == []
    trace = await desk.get("boss", f"/runs/{run}/items/1/trace")
    assert [(s["id"], s["status"]) for s in trace["items"]] == [("note", "succeeded")]
    await desk.get("boss", f"/runs/{run}/items/9/trace", 404)


async def test_the_report_has_a_row_an_item_and_runs_no_formula(desk):
    run = await run_of(desk, [await desk.opened(f"c{n}") for n in range(3)])
    answer = await (await desk.client("boss")).get(f"/runs/{run}/report.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert (head[0], head[-1], len(rows)) == ("seq", "Стан", 3)
    assert [row[-1] for row in rows] == ["'@1", "'@2", "'@3"]
    assert {row[head.index("message")] for row in rows} == {"'=1+1"}


async def test_operators_see_what_they_launched_and_what_ran_on_their_dialogs(desk):
    mine, foreign = await desk.opened("c1"), await desk.opened("c2", channel="shop")
    both = await run_of(desk, [mine, foreign])
    other = await run_of(desk, [foreign])
    launched = await run_of(desk, [foreign], launched_by=desk.id_of("olha"))
    single = await run_of(desk, [mine])

    async def seen(who, **params):
        return {UUID(r["id"]) for r in (await desk.get(who, "/runs", **params))["items"]}

    assert await seen("olha") & {both, other, launched, single} == {launched, single}
    assert await seen("olha", dialog=mine) == {both, single}
    assert await seen("olha", launched_by="me") == {launched}
    assert {both, other, launched, single} <= await seen("boss", definition="close-stale")
    items = (await desk.get("olha", f"/runs/{both}/items"))["items"]
    assert [i["seq"] for i in items] == [1]
    await desk.get("olha", f"/runs/{both}/items/2/trace", 404)
    await desk.get("olha", f"/runs/{both}/items/0/trace", 404)
    await desk.get("olha", f"/runs/{other}", 404)
    assert (await desk.get("olha", f"/runs/{single}"))["item"]["dialog_id"] == str(mine)
    await desk.get("olha", "/runs", 404, dialog=foreign)


async def test_what_a_macro_told_its_operator_is_not_for_every_colleague(desk):
    await desk.person("iryna")
    dialog = await desk.opened("c1")
    run = await run_of(desk, [dialog], kind="macro", launched_by=desk.id_of("olha"))
    for who, code in (("olha", 200), ("lead", 200), ("boss", 200), ("iryna", 404)):
        assert (await desk.get(who, f"/dialogs/{dialog}"))["id"] == str(dialog)
        await desk.get(who, f"/runs/{run}", code)
        await desk.get(who, f"/runs/{run}/items/1/trace", code)


async def test_who_reads_no_messages_sees_what_happened_and_not_what_was_said(desk):
    run = await run_of(desk, [await desk.opened("c1")], message="Said")
    async with desk.sessions.begin() as session:
        said = {"inputs": {"text": "said"}, "result": {"text": "said"}, "branch": {"values": ["said"]}}
        await session.execute(update(RunStep).where(RunStep.run_id == run).values(**said))
    told = await desk.get("engineer", f"/runs/{run}")
    assert (told["message"], told["inputs"], told["item"]["outputs"], told["item"]["message"]) == (
        None, {"client_id": "•••", "pin": "•••"}, [], None,
    )  # fmt: skip
    (step,) = (await desk.get("engineer", f"/runs/{run}/items/1/trace"))["items"]
    assert (step["status"], step["inputs"], step["result"], step["branch"]) == ("succeeded", None, None, None)
    (listed,) = (await desk.get("engineer", "/runs", dialog=told["item"]["dialog_id"]))["items"]
    assert listed["message"] is None
    (step,) = (await desk.get("boss", f"/runs/{run}/items/1/trace"))["items"]
    assert step["inputs"] == {"text": "said"}


async def test_a_trace_is_read_in_pages(desk):
    run = await run_of(desk, [await desk.opened("c1")])
    async with desk.sessions.begin() as session:
        now = await session.scalar(text("SELECT now()"))
        step = {"run_id": run, "seq": 1, "step_id": "note", "path": "note", "kind": "call", "status": "succeeded"}
        await session.execute(insert(RunStep), [{**step, "n": n, "started_at": now} for n in (2, 3)])
    page = await desk.get("boss", f"/runs/{run}/items/1/trace", limit=2)
    assert ([s["n"] for s in page["items"]], page["next"]) == ([1, 2], "2")
    page = await desk.get("boss", f"/runs/{run}/items/1/trace", limit=2, after=page["next"])
    assert ([s["n"] for s in page["items"]], page["next"]) == ([3], None)


async def test_a_definition_names_who_sees_its_results(desk):
    dialog = await desk.opened("c1")
    run = await run_of(desk, [dialog], canonical={"permissions": {"view": {"teams": [desk.key("sales")]}}})
    for who, code in (("taras", 200), ("boss", 200), ("olha", 404), ("chief", 404)):
        await desk.get(who, f"/runs/{run}", code)


async def test_the_history_of_a_run_is_for_those_who_may_see_it(desk):
    run = await run_of(desk, [await desk.opened("c1", channel="shop")])
    await desk.get("lead", f"/runs/{run}/history", 404)
    assert (await desk.get("chief", f"/runs/{run}/history", 503))["code"] == "unavailable"
