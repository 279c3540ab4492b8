"""`make replay-record`: plays every path of every workflow on the real thing and keeps the histories beside this file.
`python -m tests.replay.record NAME…` plays only the stories of these names.

Record anew only after a change that is meant to break replay, and say so in the commit.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from uuid import UUID, uuid4

import httpx

from domain import workflow_ids
from embedded.postgres import EmbeddedPostgres
from store.migrating import upgrade
from tests.providers import Reply
from tests.replay import run_stories
from tests.replay.recording import RUNS, Recorder
from tests.stack import Shop, Stack, eventually, running_stack
from tests.store.clocks.promises import policy
from workflows import options

HERE = Path(__file__).parent
#: history length at which a run is renewed while the paths with a fresh run are played, and replayed
EARLY = 60


async def post(client: httpx.AsyncClient, path: str, body: object = None, status: int | None = None) -> httpx.Response:
    answer = await client.post(path, json=body)
    assert answer.status_code in ((200, 201) if status is None else (status,)), answer.text
    return answer


async def dialogs(shop: Shop, recorder: Recorder) -> None:
    """Open, refused, retried; closed; reopened within the linger; a run for a note on a closed one."""
    await shop.open("olha")
    await shop.person("taras", online=True, max_dialogs=0)
    olha, taras = await shop.api("olha"), await shop.api("taras")
    dialog_id = await shop.dialog_with("olha")
    me = workflow_ids.of_dialog(dialog_id)
    await post(olha, f"/dialogs/{dialog_id}/messages", {"text": "Good day"})
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d == [("Good day", "sent")])
    await recorder.keep("dialog_open", me)
    await post(taras, f"/dialogs/{dialog_id}/messages", {"text": "mine?"}, status=403)
    await recorder.keep("dialog_refused", me)
    shop.provider.script = [Reply(429, takes=False, headers={"Retry-After": "1"})]
    await post(olha, f"/dialogs/{dialog_id}/messages", {"text": "again"})
    await post(olha, f"/dialogs/{dialog_id}/messages", {"text": "and again"})
    await eventually(lambda: shop.deliveries(dialog_id), lambda d: d[-1] == ("and again", "sent"))
    await recorder.keep("dialog_delivery_retried", me)
    await post(olha, f"/dialogs/{dialog_id}/closure")
    await post(olha, f"/dialogs/{dialog_id}/reopening")
    await recorder.keep("dialog_reopened", me)
    await post(olha, f"/dialogs/{dialog_id}/closure")
    await recorder.ended(me)
    await recorder.keep("dialog_closed", me)
    await post(olha, f"/dialogs/{dialog_id}/messages", {"text": "an afterthought", "mode": "note"})
    await recorder.ended(me)
    await recorder.keep("dialog_noted_after_closing", me)


async def transfers(shop: Shop, recorder: Recorder) -> None:
    """Every way an offer ends, and the dialog that made them all."""
    await shop.open("olha", transfer_window=5)
    dialog_id = await shop.dialog_with("olha")
    await shop.person("taras", online=True)
    olha, taras = await shop.api("olha"), await shop.api("taras")

    async def offer(by: httpx.AsyncClient, to: str) -> UUID:
        answer = await post(by, f"/dialogs/{dialog_id}/transfers", {"to_operator": str(shop.id_of(to))})
        return UUID(answer.json()["transfer_id"])

    async def keep(name: str, transfer_id: UUID) -> None:
        await recorder.ended(workflow_ids.of_transfer(transfer_id))
        await recorder.keep(name, workflow_ids.of_transfer(transfer_id))

    one = await offer(olha, "taras")
    await post(taras, f"/transfers/{one}/decline")
    await keep("transfer_declined", one)
    await forget_exclusions(shop)
    one = await offer(olha, "taras")
    await post(olha, f"/transfers/{one}/cancellation")
    await keep("transfer_cancelled", one)
    one = await offer(olha, "taras")
    await keep("transfer_expired", one)
    await forget_exclusions(shop)
    one = await offer(olha, "taras")
    await post(olha, f"/transfers/{one}/acceptance", status=403)
    await post(taras, f"/transfers/{one}/acceptance")
    await keep("transfer_accepted", one)
    one = await offer(taras, "olha")
    await post(taras, f"/dialogs/{dialog_id}/closure")
    await keep("transfer_rescinded", one)
    await recorder.ended(workflow_ids.of_dialog(dialog_id))
    await recorder.keep("dialog_with_offers", workflow_ids.of_dialog(dialog_id))


async def forget_exclusions(shop: Shop) -> None:
    """Who declined or let an offer expire is not offered it again for a while; here they are."""
    await shop.stack.write("DELETE FROM exclusions")


async def presence(shop: Shop, recorder: Recorder) -> None:
    """Renewed, lapsed, absent; and somebody who leaves by themselves."""
    await shop.open()
    for name in ("olha", "taras"):
        await shop.person(name)
    olha, taras = await shop.api("olha"), await shop.api("taras")
    await shop.setting("presence_grace", 1)
    for client, lease in ((olha, 2), (taras, 600), (olha, 3)):
        answer = await client.put("/operators/me/presence", json={"status": "online", "lease": lease})
        assert answer.status_code == 200, answer.text
    await taras.put("/operators/me/presence", json={"status": "offline"})
    for name, who in (("presence_lapsed", "olha"), ("presence_left", "taras")):
        await recorder.ended(workflow_ids.of_presence(shop.id_of(who)))
        await recorder.keep(name, workflow_ids.of_presence(shop.id_of(who)))


async def clocks(shop: Shop, recorder: Recorder) -> None:
    """Warned of and broken; closed while it slept."""
    await shop.open("olha")
    olha = await shop.api("olha")

    async def promise(name: str, target: dict[str, object]) -> tuple[UUID, str]:
        await shop.topic(name, "support", sla_key=await policy(shop, name, target))
        dialog_id = await shop.opened(name, topic=name)
        shop.stack.bells[0].ring([workflow_ids.of_clocks(dialog_id)])
        await eventually(lambda: shop.stack.rows(RUNS, w=workflow_ids.of_clocks(dialog_id)), bool)
        return dialog_id, workflow_ids.of_clocks(dialog_id)

    _, broken = await promise("quick", {"metric": "tfr", "target": 2, "warn": [50]})
    dialog_id, closed = await promise("slow", {"metric": "ttc", "target": 900})
    await post(olha, f"/dialogs/{dialog_id}/closure")
    for name, workflow_id in (("clocks_broken", broken), ("clocks_closed", closed)):
        await recorder.ended(workflow_id)
        await recorder.keep(name, workflow_id)


async def fresh_clocks(shop: Shop, recorder: Recorder) -> None:
    """A dialog with many thresholds: its clock workflow continues as new."""
    await shop.open("olha")
    key = await policy(shop, "many", {"metric": "tfr", "target": 8, "warn": list(range(5, 100, 5))})
    await shop.topic("many", "support", sla_key=key)
    me = workflow_ids.of_clocks(await shop.opened("many", topic="many"))
    shop.stack.bells[0].ring([me])

    async def runs() -> list[str]:
        return [r[0] for r in await shop.stack.rows(RUNS, w=me)]

    for _ in range(12):
        shop.stack.bells[0].ring([me])
        await asyncio.sleep(0.3)
    found = await eventually(runs, lambda found: len(found) > 1, within=30)
    await recorder.ended(me)
    await recorder.keep("clocks_renewed", me, run_id=found[0])
    await recorder.keep("clocks_after_renewal", me, run_id=found[1])


async def fresh_runs(shop: Shop, recorder: Recorder) -> None:
    """A dialog and somebody's presence that continue as new."""
    await shop.open("olha")
    dialog_id = await shop.dialog_with("olha")
    olha = await shop.api("olha")
    me, mine = workflow_ids.of_dialog(dialog_id), workflow_ids.of_presence(shop.id_of("olha"))

    async def runs_after_one_more() -> list[str]:
        await post(olha, f"/dialogs/{dialog_id}/messages", {"text": uuid4().hex, "mode": "note"})
        return [r[0] for r in await shop.stack.rows(RUNS, w=me)]

    async def runs_after_a_change() -> list[str]:
        for status in ("away", "online"):
            await olha.put("/operators/me/presence", json={"status": status, "lease": 600})
        return [r[0] for r in await shop.stack.rows(RUNS, w=mine)]

    for name, workflow_id, look in (("dialog", me, runs_after_one_more), ("presence", mine, runs_after_a_change)):
        runs = await eventually(look, lambda found: len(found) > 1)
        await recorder.keep(f"{name}_renewed", workflow_id, run_id=runs[0])
        await recorder.keep(f"{name}_after_renewal", workflow_id, run_id=runs[1])


Story = Callable[[Shop, Recorder], Awaitable[None]]
STORIES: tuple[Story, ...] = (
    dialogs, transfers, presence, clocks, run_stories.batches, run_stories.items, run_stories.macros,
    run_stories.launches,
)  # fmt: skip
RENEWED: tuple[Story, ...] = (fresh_runs, fresh_clocks, run_stories.fresh_mass_run)


async def play(story: Story, stack: Stack, recorder: Recorder) -> None:
    shop = Shop(stack)
    try:
        await story(shop, recorder)
    finally:
        await shop.aclose()


async def record(stack: Stack, folder: Path, wanted: Collection[str] = ()) -> None:
    """All stories, or those whose names are given."""
    recorder = Recorder(stack, folder)
    await stack.bells[0].is_ready()
    if not wanted:
        await recorder.keep("probe", workflow_ids.PROBE)
    for story in STORIES:
        if not wanted or story.__name__ in wanted:
            await play(story, stack, recorder)
    usual, options.RENEW_AT = options.RENEW_AT, EARLY
    try:
        for story in RENEWED:
            if not wanted or story.__name__ in wanted:
                await play(story, stack, recorder)
    finally:
        options.RENEW_AT = usual


async def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sb"))
    try:
        with EmbeddedPostgres(folder, fsync=False) as server:
            upgrade(server.url)
            async with running_stack(server.url) as stack:
                await record(stack, HERE, sys.argv[1:])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
