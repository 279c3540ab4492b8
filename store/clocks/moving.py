"""An edit of what is promised: who of those that run now would move, and moving them once somebody has said yes."""

from dataclasses import dataclass
from uuid import UUID

from domain.permissions import Viewer
from store.transactions import Work


@dataclass(frozen=True, slots=True)
class Concern:
    """What was edited; the open dialogs it promises something to are looked at. `everywhere`: the global norms."""

    policies: frozenset[str] = frozenset()
    calendars: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    everywhere: bool = False


async def confirmed(
    work: Work, viewer: Viewer, concern: Concern, *, running: str | None, confirm: int | None
) -> UUID | None:
    """Call it after the edit was flushed, in its transaction. `running`: keep, move, or None where nobody has decided.

    Answers the run that moves the clocks; None where they keep what they began with or none would move. Raises
    ConfirmationNeededError {total, dialogs, moves} where clocks would move and nobody has said what to do with them, or
    `confirm` is not their number: nothing of the edit is saved then. Raises ForbiddenError: to move needs the rights
    sla.manage and runs.launch.
    """
    return None
