"""Tickets that turn out to be one."""

from typing import Any
from uuid import UUID

from domain.actions.particulars import MergeTickets
from domain.commands import Merge
from domain.walks.ports import StepError
from store import ticket_merges
from store.deeds.stages import Handler, Stage
from store.dialogs import lock_scene
from store.distribution import lock_dialogs


async def merge_tickets(stage: Stage, p: MergeTickets) -> dict[str, Any]:
    """Not taken back: people go on from what was put together."""
    mine = stage.require_scene().dialog.id
    into, gone = UUID(p.into) if p.into else mine, [UUID(i) for i in p.tickets]
    if into != mine:
        gone = [mine, *gone]
    if not gone:
        raise StepError("invalid", "Name the tickets to merge, or the one they go into.")
    ids = {into, mine, *gone}
    stage.require_teams(await ticket_merges.teams_of(stage.work, sorted(ids)))
    await lock_dialogs(stage.work, ids)
    scene = stage.require_scene() if into == mine else await lock_scene(stage.work, into)
    scene.require_readable(stage.viewer)
    told = await ticket_merges.merge(stage.work, scene, stage.viewer, Merge(tuple(gone), p.different_contacts))
    stage.scene = await lock_scene(stage.work, mine)
    return {"into": told["dialog_id"], "messages": told["messages"], "merged": told["merged"]}


DEEDS: dict[str, Handler] = {"merge_tickets": merge_tickets}
