"""What a walk through a definition asks of its host, as values: the same walk runs in a workflow, in a transaction and
in memory.

Everything in here travels through workflow histories: fields only get added, each new one with a default.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from domain.actions.manifests import Retry

T = TypeVar("T")
Json = Any


class StepError(Exception):
    """A step failed, for good. `type` is one of domain.runs.ERROR_TYPES or a definition's own word."""

    def __init__(
        self,
        type: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        attempts: int = 1,
        needs_attention: bool = False,
    ) -> None:
        super().__init__(type, message)
        self.type = type
        self.message = message
        self.details = dict(details or {})
        self.attempts = attempts
        self.needs_attention = needs_attention
        self.step: str | None = None


class Stopped(Exception):
    """The walk is cancelled: no more effects, only `finally`. Raised by the host, never caught by `catch`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is true of the item's dialog, contact and operator (domain/walks/contexts.py names the fields).

    `revision` grows with every change of the dialog; moments are RFC 3339 texts.
    """

    dialog: dict[str, Json] | None = None
    contact: dict[str, Json] | None = None
    operator: dict[str, Json] | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """One action to carry out. `key` names its effect in the ledger, attempt after attempt.

    `params` are rendered, plain JSON and checked against the manifest. `timeout` in seconds, over all attempts.
    `dialog_id`: the item's dialog at this moment (start_dialog makes one).
    """

    key: str
    action: str
    params: dict[str, Json]
    step: str
    path: str
    retry: Retry = field(default_factory=Retry)
    timeout: float | None = None
    dialog_id: str | None = None
    contact_id: str | None = None
    revision: int | None = None
    """Of the dialog as the walk last saw it, for `if_unchanged`."""


@dataclass(frozen=True, slots=True)
class Done:
    """An action's answer; `snapshot` when it touched or read the dialog."""

    result: dict[str, Json]
    attempts: int = 1
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the item's dialog or contact: a name of the catalogue and its payload.

    `payload` carries `text` for messages. `at` RFC 3339; `id` the event's number, 0 in memory.
    """

    id: int
    event: str
    at: str
    payload: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listening:
    """`wanted` tells whether an event is one of those listened for; `since`: only later ones. `seconds` to wait."""

    step: str
    path: str
    kinds: tuple[str, ...]
    since: datetime | None
    seconds: float
    wanted: Callable[[Event], bool]
    count: int = 1
    """1: the first wanted one. Otherwise all of `kinds`, each once (`all:`)."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A question put to people. `may_decide`: {roles, teams, users}. `seconds` until its deadline, None without one."""

    key: str
    step: str
    path: str
    message: str
    may_decide: dict[str, Json]
    count: int = 1
    allow_self: bool = False
    seconds: float | None = None
    form: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """approved: True, False, or None when the deadline passed undecided."""

    approved: bool | None
    by: str | None = None
    at: str | None = None
    comment: str | None = None
    form: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class SubRun:
    """Another definition to run: `version` as resolved by the lock list. mode: wait or detach."""

    key: str
    step: str
    path: str
    kind: str
    name: str
    version: int
    inputs: dict[str, Json]
    mode: str
    selection: dict[str, Json] | None = None
    timeout: float | None = None


def lock_key(kind: str, name: str, wanted: str) -> str:
    """The name of a settled version in a lock list: `process:close-stale@pinned`. wanted: pinned or latest."""
    return f"{kind}:{name}@{wanted}"


@dataclass(frozen=True, slots=True)
class SubEnded:
    """`status` of the child's run; its outputs when it waited."""

    run_id: str
    status: str
    outputs: dict[str, Json] = field(default_factory=dict)
    error: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One record of a trace. status: succeeded, skipped, failed, cancelled, running. At most 8 KB as JSON.

    `kind` is the step's, `call:ACTION` for calls; besides `guard` (it stopped the item), `outputs` (some could not be
    read) and `cut` (what follows is not recorded).

    `inputs` and `result` are redacted already. `branch`: the case taken and the values its conditions read.
    """

    n: int
    step: str
    path: str
    kind: str
    status: str
    started_at: str
    finished_at: str | None = None
    title: str | None = None
    attempts: int = 1
    inputs: Json = None
    result: Json = None
    branch: Json = None
    error: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Brief:
    """All a walk of one item (or of a phase) starts from. Travels in histories.

    `canonical` is the definition; `run` the names of `run.*`; `items` of `items.*` (before and after only);
    `before` = {"vars": …, "steps": …} of the phase before the items; `item_key` begins the ledger keys.
    `locks`: lock_key → number of the version that a `run` step uses.
    """

    canonical: dict[str, Json]
    inputs: dict[str, Json]
    item_key: str
    run: dict[str, Json] = field(default_factory=dict)
    trigger: dict[str, Json] = field(default_factory=dict)
    items: dict[str, Json] | None = None
    before: dict[str, Json] = field(default_factory=dict)
    snapshot: Snapshot = Snapshot()
    locks: dict[str, Json] = field(default_factory=dict)
    is_dry: bool = False
    sha256: str | None = None
    """Of `canonical`: under it the definition is made ready once for all items."""
    redact: dict[str, list[str]] = field(default_factory=dict)
    """Connection → names (in small letters) whose values no trace of a call shows. Older histories have none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an item (or a phase) ended. state: succeeded, skipped, failed, cancelled.

    `outputs`: [{id, label, value, display, copy, insert}] in order. `names`: vars and steps, wanted of `before`.
    `stops_run`: a reason (domain.runs.STOP_REASONS) why no other item may begin.
    """

    state: str
    reason: str | None = None
    message: str | None = None
    error_type: str | None = None
    error_step: str | None = None
    error_message: str | None = None
    needs_attention: bool = False
    outputs: list[dict[str, Json]] = field(default_factory=list)
    names: dict[str, Json] = field(default_factory=dict)
    stops_run: str | None = None


class Effects(Protocol):
    """The host of a walk. Every method that is awaited may raise Stopped; acts raise StepError."""

    def now(self) -> datetime:
        """The moment of this step, aware, UTC. Does not move while no method is awaited."""
        ...

    async def gate(self) -> None:
        """Before each step: waits while the run is paused. Raises Stopped when it is cancelled."""
        ...

    async def act(self, deed: Deed) -> Done:
        """All attempts of an action. Raises StepError."""
        ...

    async def wait(self, until: datetime, *, step: str, path: str) -> None: ...

    async def working_time(self, calendar: str, start: datetime, seconds: float) -> datetime:
        """The moment `seconds` of the calendar's working time after `start`. Raises StepError(not_found), and
        StepError(invalid) where the calendar has not so much."""
        ...

    async def listen(self, listening: Listening) -> tuple[Event, ...]:
        """The events heard; empty when the time was over. Consumes what it answers."""
        ...

    async def approve(self, asking: Asking) -> Decided: ...

    async def run(self, sub: SubRun) -> SubEnded: ...

    async def together(
        self, parts: Sequence[Callable[[], Awaitable[T]]], *, at_once: int, compete: bool = False
    ) -> list[T | BaseException | None]:
        """Run the parts, at most `at_once` at a time; answers what each returned or raised, in order.

        `compete`: when one succeeds, the others are cancelled and answer None. A part that is cancelled gets Stopped
        from what it awaits, and is waited for while it cleans up; one that has not begun never begins.
        """
        ...

    def record(self, record: StepRecord) -> None:
        """Keep a trace record; the host writes it with its next transaction. The same `n` again replaces it."""
        ...

    def for_cleanup(self, seconds: float) -> "Effects":
        """The same host for `finally` and `on_failure`: not stopped by a cancellation, for `seconds` at most."""
        ...
