"""What was promised to a client, brought to what is promised now."""

from typing import Any

from domain.actions.clocks import MoveClocks
from store.clocks import moving
from store.deeds.stages import Handler, Stage


async def move_clocks(stage: Stage, p: MoveClocks) -> dict[str, Any]:
    """A dialog whose clocks stand as they are promised already stays as it is."""
    moves = await moving.move(stage.work, stage.require_scene().dialog, frozenset(p.metrics))
    return {"moved": len(moves), "clocks": [move.as_json() for move in moves], "changed": bool(moves)}


DEEDS: dict[str, Handler] = {"move_clocks": move_clocks}
