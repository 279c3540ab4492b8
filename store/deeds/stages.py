"""Where an action is carried out: one transaction, its locks taken in the one order, who acts, what is in hand."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.actions.capabilities import covers, is_granted
from domain.errors import DomainError
from domain.permissions import Viewer
from domain.walks.ports import Snapshot, StepError
from store import transfers
from store.dialogs import Scene, lock_concerned_teams, lock_scene
from store.snapshots import snapshot_of
from store.transactions import GroundMovedError, Work

#: a domain error's code → the type of the step's error; all others are conflicts: another time they might not be
_TYPES = {
    "not_found": "not_found", "unknown_topic": "not_found", "forbidden": "forbidden", "not_yours": "forbidden",
    "not_taken": "forbidden", "unauthenticated": "forbidden", "invalid": "invalid", "too_large": "invalid",
    "wrong_status": "invalid", "topic_required": "invalid", "fields_required": "invalid",
    "operator_unsuitable": "invalid", "built_in": "invalid", "no_working_time": "invalid",
    "invalid_inputs": "invalid", "banned": "blocked_by_contact", "unavailable": "unavailable",
    "too_many_requests": "rate_limited",
}  # fmt: skip


class TeamsNeededError(GroundMovedError):
    """Start the transaction again with the locks of these teams (and those of the dialog) taken before any row.

    Keep the keys for the next items of the run, too: they are likely to need the same.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        super().__init__()
        self.keys = frozenset(keys)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The run that acts. `granted`: the capabilities of its version, which narrow a run of the system's own."""

    id: UUID
    number: int
    is_system: bool = False
    granted: frozenset[str] = frozenset()
    definition: str = ""
    kind: str = "process"


@dataclass(slots=True)
class Stage:
    """`scene`: the item's dialog, locked, with its facts. `undo`: how to take back what the last action did, for the
    ledger; None when there is nothing to take back. `key`: of the action at hand. `read`: what a reading action saw.
    """

    work: Work
    viewer: Viewer
    scene: Scene | None
    contact_id: UUID | None
    run: RunFacts
    undo: dict[str, Any] | None = None
    key: str = ""
    read: Snapshot | None = None
    shows: bool = True
    """False where nobody reads what is true after an action: it is then not looked up."""

    @property
    def dialog_id(self) -> UUID | None:
        return self.scene.dialog.id if self.scene else None

    def require_scene(self) -> Scene:
        """Raises StepError where the item has no dialog."""
        if self.scene is None:
            raise StepError("invalid", "This needs a dialog, and there is none.")
        return self.scene

    def require_contact(self) -> UUID:
        """Raises StepError where the item has no contact."""
        if self.contact_id is None:
            raise StepError("invalid", "This needs a contact, and there is none.")
        return self.contact_id

    def require_capability(self, capability: str) -> None:
        """A launcher's own rights count; a run of the system has what its version was granted. Raises StepError."""
        may = is_granted(self.run.granted, capability) if self.run.is_system else covers(
            self.viewer.permissions, capability
        )  # fmt: skip
        if not may:
            who = "The definition" if self.run.is_system else self.viewer.name
            raise StepError("forbidden", f"{who} may not do this: {capability}.", details={"capability": capability})

    def require_teams(self, keys: Collection[str | None]) -> None:
        """Raises TeamsNeededError when one of the teams is not locked by this transaction."""
        wanted = {k for k in keys if k is not None}
        if not wanted <= self.work.teams:
            raise TeamsNeededError(self.work.teams | wanted)

    async def see(self) -> Snapshot:
        """What is true now, this transaction's own changes included."""
        await self.work.session.flush()
        return await snapshot_of(self.work.session, self.dialog_id, self.contact_id)


#: carries out an action with its checked parameters and answers its result; raises DomainError or StepError
Handler = Callable[[Stage, Any], Awaitable[dict[str, Any]]]


async def open_stage(
    work: Work,
    *,
    viewer: Viewer,
    run: RunFacts,
    dialog_id: UUID | None,
    contact_id: UUID | None = None,
    heavy: bool,
    teams: Iterable[str] = (),
) -> Stage:
    """Take the locks, read the clock, find who relates to the dialog.

    `heavy`: what follows may change who waits or who has room. An offer whose deadline has passed is settled first.
    Raises StepError (not_found; forbidden where the viewer may not read the dialog), TeamsNeededError.
    """
    more = frozenset(teams)
    work.run_id = run.id
    if dialog_id is None:
        await work.lock_teams(more)
        await work.read_clock()
        return Stage(work, viewer, None, contact_id, run)
    try:
        if heavy or more:
            await lock_concerned_teams(work, dialog_id, *more)
        scene = await lock_scene(work, dialog_id)
    except DomainError as error:
        raise step_error(error) from error
    if not _may_see(viewer, scene):
        raise StepError("forbidden", f"{viewer.name} may not read this dialog.")
    if scene.offer is not None and work.now >= scene.offer.deadline:
        if not work.teams:
            raise TeamsNeededError({scene.dialog.team_key})
        await transfers.expire(work, scene, tell=True)
    return Stage(work, viewer, scene, scene.dialog.contact_id, run)


def _may_see(viewer: Viewer, scene: Scene) -> bool:
    try:
        scene.require_readable(viewer)
    except DomainError:
        return False
    return True


def step_error(error: DomainError) -> StepError:
    """A refusal of the domain as a step's error; `details` keep its code and facts."""
    return StepError(_TYPES.get(error.code, "conflict"), error.detail, details={"code": error.code, **error.extra})
