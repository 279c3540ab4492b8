"""What was promised to a client, brought to what is promised now."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.actions import capabilities
from domain.actions.manifests import Effect, Manifest, Placement, Result, WriteParams


class MoveClocks(WriteParams):
    """The dialog's running clocks get the target, warnings and calendar in force now, reckoned from their start.

    `metrics`: only of these; left out, or none: of all.
    """

    metrics: Annotated[list[Literal["tfr", "nrt", "ttc", "tis", "accept", "respond"]], Field(max_length=6)] = Field(
        default_factory=list
    )


class Moved(Result):
    """`clocks`: {metric, status, due_before, due_after} of each; null: it was not there before, or ended by it."""

    moved: int
    clocks: list[dict[str, Any]]
    changed: bool = True


def _move(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    return {"moved": 0, "clocks": [], "changed": False}


ACTIONS: tuple[Manifest, ...] = (
    Manifest(
        "move_clocks", MoveClocks, Moved, Effect.WRITE, capabilities.SLA, Placement.LOCAL, _move,
        label={"uk": "Перерахувати строки", "en": "Move clocks"}, icon="clock",
    ),
)  # fmt: skip
