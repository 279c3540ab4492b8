"""What the workflows and activities of runs tell each other. Travels in histories: fields only get added, each new
one with a default that old histories decode to.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.walks.ports import (
    Asking,
    Brief,
    Decided,
    Deed,
    Done,
    Event,
    Outcome,
    Snapshot,
    StepRecord,
    SubEnded,
    SubRun,
)

#: the phases of a run as numbers of items: their traces, effects and approvals are kept under these
BEFORE, AFTER = 0, -1


@dataclass(frozen=True, slots=True)
class MassRunStart:
    run_id: UUID


@dataclass(frozen=True, slots=True)
class ProcessStart:
    run_id: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class MacroStart:
    run_id: UUID


@dataclass(frozen=True, slots=True)
class LaunchStart:
    """A schedule's turn: which definition, which of its triggers."""

    definition_key: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class RunGlance:
    """A run's workflow looks at its rows. `temporal_run_id` once per Temporal run: it is written into the list."""

    run_id: UUID
    temporal_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunSeen:
    """`status` and `phase` of the run's row. `wait`: seconds until something falls due (start_at, a deadline of an
    approval); None when only a ring can change anything. `lanes`: batches at a time.
    """

    status: str
    phase: str = "items"
    topology: str = "batch"
    cancel_mode: str | None = None
    wait: float | None = None
    lanes: int = 1
    pending: int = 0
    live: int = 0
    has_begun: bool = True
    """False while it waits for its moment, for room, or for the approval of its launch."""


@dataclass(frozen=True, slots=True)
class Advance:
    """The next items to start (claimed already), how many are live, how many still wait for their turn."""

    status: str
    start: tuple[int, ...] = ()
    live: int = 0
    pending: int = 0
    cancel_mode: str | None = None


@dataclass(frozen=True, slots=True)
class StartItems:
    """Start the workflows of claimed items. `definition`, `kind`: search attributes. `priority`: 1 goes first."""

    run_id: UUID
    seqs: tuple[int, ...]
    definition: str = ""
    kind: str = "process"
    priority: int = 5


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """Walk up to `limit` items: those whose number leaves `lane` when divided by `lanes`."""

    run_id: UUID
    lane: int = 0
    lanes: int = 1
    limit: int = 100


@dataclass(frozen=True, slots=True)
class BatchDone:
    """How many items the batch ended, and whether its lane has more."""

    ended: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Phase:
    run_id: UUID
    phase: str


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    run_id: UUID
    phase: str
    outcome: Outcome
    records: tuple[StepRecord, ...] = ()
    done: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Begin:
    """An item's workflow begins. `seq` 1 for a macro."""

    run_id: UUID
    seq: int
    temporal_run_id: str


@dataclass(frozen=True, slots=True)
class Begun:
    """`brief` is None when the item has ended already (`outcome` tells how, when it was ended right here)."""

    brief: Brief | None = None
    outcome: Outcome | None = None
    status: str = "running"
    cancel_mode: str | None = None
    now: datetime | None = None
    """By the database's clock; None: as Temporal's."""


@dataclass(frozen=True, slots=True)
class Bearings:
    """What every activity of an item carries along: who it is, and what it has to write down by the way.

    `done`: reactions acted on. `is_back`: the item stops being parked. `is_cleanup`: goes on in a cancelled run.
    """

    workflow_id: str
    run_id: UUID
    seq: int
    records: tuple[StepRecord, ...] = ()
    done: tuple[int, ...] = ()
    is_back: bool = False
    is_cleanup: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    bearings: Bearings
    deed: Deed
    is_dry: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """A step's failure as a value. `again`: it may be tried again."""

    type: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1
    needs_attention: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Acted:
    """One of: `done`; `trouble`; `halted` = paused or the cancel mode; `message_id` still to be delivered."""

    done: Done | None = None
    trouble: Trouble | None = None
    halted: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Deliver:
    """Deliver the message that a step prepared, and settle the step's effect."""

    bearings: Bearings
    deed: Deed
    message_id: str


@dataclass(frozen=True, slots=True)
class Glimpse:
    """An item looks at its rows. `approvals`, `subs`: the ids it waits for."""

    bearings: Bearings
    approvals: tuple[str, ...] = ()
    subs: tuple[str, ...] = ()
    parks: dict[str, Any] | None = None
    """What it waits for from now on: it is parked."""
    wants_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as an open reaction: `reaction` is marked done with the next activity."""

    reaction: int
    event: Event


@dataclass(frozen=True, slots=True)
class Sight:
    """`status` "ended": the item has ended. `decided`, `ended`: by the ids asked for."""

    status: str
    cancel_mode: str | None = None
    heard: tuple[Heard, ...] = ()
    decided: dict[str, Decided] = field(default_factory=dict)
    ended: dict[str, SubEnded] = field(default_factory=dict)
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    bearings: Bearings
    asking: Asking


@dataclass(frozen=True, slots=True)
class Asked:
    """`wait`: seconds to the deadline by the database's clock; None without one. `decided` when it was already."""

    approval_id: str = ""
    wait: float | None = None
    decided: Decided | None = None
    trouble: Trouble | None = None
    halted: str | None = None


@dataclass(frozen=True, slots=True)
class StartSub:
    bearings: Bearings
    sub: SubRun


@dataclass(frozen=True, slots=True)
class SubStarted:
    run_id: str = ""
    ended: SubEnded | None = None
    trouble: Trouble | None = None
    halted: str | None = None


@dataclass(frozen=True, slots=True)
class WorkingTime:
    calendar: str
    start: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkingMoment:
    at: datetime | None = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class End:
    bearings: Bearings
    outcome: Outcome
