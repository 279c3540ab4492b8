"""What a launch asks for, as a value: the same for a click, an event, a schedule, a webhook, a retry, a sub-process."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

#: built-in definitions that the platform itself starts: always active, changed by nobody (a copy may be)
OF_THE_HOUSE = frozenset({"move-clocks"})


@dataclass(frozen=True, slots=True)
class Selected:
    """What was chosen; all that is given is AND-ed, and AND-ed with the definition's own `selection.where`.

    `where` is the structured condition {field, op, value} / {all|any|not}. `operator`: whose open dialogs; it also
    fills the first operator input. Nothing given: the definition's own selection.
    """

    ids: tuple[UUID, ...] | None = None
    folder: str | None = None
    filter: str | None = None
    where: dict[str, Any] | None = None
    operator: UUID | None = None
    team: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """`version`: a number, None = the active one, "draft" only with `is_dry`. `launched_by` None: the system itself.

    `trigger_kind`: manual, event, schedule, webhook, sub, retry, undo. `trigger`: the names of `trigger.*`.
    `cause`: runs that led to it, oldest first. `confirm`: the number of items the person was told and agreed to.
    `dialog_id`: the one dialog of a macro.
    """

    kind: str
    key: str
    inputs: dict[str, Any] = field(default_factory=dict)
    selected: Selected = Selected()
    version: int | str | None = None
    launched_by: UUID | None = None
    is_dry: bool = False
    canary: int | None = None
    concurrency: int | None = None
    confirm: int | None = None
    start_at: datetime | None = None
    dialog_id: UUID | None = None
    trigger_kind: str = "manual"
    trigger: dict[str, Any] = field(default_factory=dict)
    cause: tuple[UUID, ...] = ()
    parent_run: UUID | None = None
    parent_seq: int | None = None
    parent_step: str | None = None
