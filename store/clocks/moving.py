"""An edit of what is promised: who of those that run now would move, and moving them once somebody has said yes.

The edit and its confirmation are one transaction: nothing is saved of an edit that was not confirmed.
"""

from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.actions import capabilities
from domain.errors import ConfirmationNeededError, ConflictError, ForbiddenError
from domain.events import Fact
from domain.launch_rights import require_may_launch
from domain.launches import LaunchOrder, Selected
from domain.permissions import Viewer
from store.clocks.moves import Concern, Move, moves, moves_of
from store.clocks.timed import timed_of
from store.engines import Sessions
from store.launches import launch
from store.tables import Definition, Dialog
from store.transactions import Work, transact

__all__ = ["Concern", "confirmed", "move", "preview"]

PROCESS = "move-clocks"
SHOWN = 20


async def confirmed(
    work: Work, viewer: Viewer, concern: Concern, *, running: str | None, confirm: int | None
) -> UUID | None:
    """Call it after the edit was flushed, in its transaction. `running`: keep, move, or None where nobody has decided.

    Answers the run that moves the clocks; None where they keep what they began with or none would move. Raises
    ConfirmationNeededError {total, dialogs, moves} where clocks would move and nobody has said what to do with them, or
    `confirm` is not their number: nothing of the edit is saved then. Raises ForbiddenError: to move needs the rights
    sla.manage and runs.launch, and to read every dialog concerned.
    """
    if running == "keep":
        return None
    await work.session.flush()
    now = work.moment or await work.read_clock()
    total, dialogs, shown = 0, list[UUID](), list[Move]()
    async for found in moves(work.session, concern, now):
        total += len(found)
        dialogs.append(found[0].dialog_id)
        shown += found[: SHOWN - len(shown)]
    if total == 0:
        return None
    if running is None or confirm != total:
        raise ConfirmationNeededError(
            f"{total} clocks of {len(dialogs)} dialogs run by what this changes: keep them as they are, or confirm"
            " their number to move them.",
            total=total, dialogs=len(dialogs), moves=[one.as_json() for one in shown],
        )  # fmt: skip
    return await _launched(work, viewer, dialogs, concern.metrics)


async def _launched(work: Work, viewer: Viewer, dialogs: list[UUID], metrics: Collection[str]) -> UUID:
    """The platform's own process over these dialogs, as a run of the viewer's."""
    require_may_launch(viewer, None, {capabilities.SLA}, None)
    is_ours = await work.session.scalar(select(Definition.is_built_in).where(Definition.key == PROCESS))
    if is_ours is False:
        raise ConflictError(
            f"A process of your own is named {PROCESS!r}: the platform's cannot stand beside it. Keep the clocks, or"
            " archive yours and give it another name."
        )
    order = LaunchOrder(
        kind="process", key=PROCESS, inputs={"metrics": sorted(metrics)}, selected=Selected(ids=tuple(dialogs)),
        launched_by=viewer.user_id,
    )  # fmt: skip
    told = await launch(work, order, viewer=None if viewer.is_narrowed else viewer)
    if told["left_out"]:
        raise ForbiddenError(f"{told['left_out']} of the dialogs concerned are not yours to read: keep their clocks.")
    return UUID(told["run_id"])


async def move(work: Work, dialog: Dialog, metrics: Collection[str] = ()) -> list[Move]:
    """Bring the clocks of a dialog, whose lock is held, to what is promised now; answers what moved. `metrics`: only of
    these, where some are named.
    """
    await work.session.flush()
    found = [one for timed in await timed_of(work.session, [dialog.id]) for one in moves_of(timed, work.now, metrics)]
    if found:
        told = [{name: value for name, value in one.as_json().items() if name != "dialog_id"} for one in found]
        work.record(
            Fact.SLA_MOVED, dialog_id=dialog.id, contact_id=dialog.contact_id, team=dialog.team_key,
            operator_id=dialog.operator_id, clocks=told, metrics=sorted(metrics),
        )  # fmt: skip
        await work.follow()
    return found


class _ShownError(Exception):
    """What a preview found: raised, so that nothing of the edit is left."""

    def __init__(self, page: dict[str, Any]) -> None:
        super().__init__()
        self.page = page


async def preview(
    sessions: Sessions, edit: Callable[[Work], Awaitable[Any]], concern: Concern, *, after: int = 0, limit: int = 50
) -> dict[str, Any]:
    """What an edit would move, a page at a time: the dialogs numbered above `after`, whole, until `limit` moves are
    told. {items, total, dialogs, next}; totals only of the first page. Saves nothing; raises as `edit` does.
    """

    async def story(work: Work) -> None:
        await edit(work)
        await work.session.flush()
        raise _ShownError(await _page(work, concern, after, limit))

    try:
        await transact(sessions, story)
    except _ShownError as shown:
        return shown.page
    raise AssertionError("the story raises")


async def _page(work: Work, concern: Concern, after: int, limit: int) -> dict[str, Any]:
    items: list[Move] = []
    total = dialogs = 0
    more_after = None
    async with aclosing(moves(work.session, concern, work.now, after=after)) as by_dialog:
        async for found in by_dialog:
            total, dialogs = total + len(found), dialogs + 1
            if len(items) < limit:
                items += found
            else:
                more_after = items[-1].number
                if after:
                    break
    return {
        "items": [one.as_json() for one in items], "next": more_after,
        "total": None if after else total, "dialogs": None if after else dialogs,
    }  # fmt: skip
