"""A run that a step starts: launched once under the step's key in the ledger, with its parent among its causes."""

from typing import Any
from uuid import UUID

from domain.errors import DomainError
from domain.launches import LaunchOrder, Selected
from domain.run_messages import Bearings
from domain.runs import ENDED, verdict
from domain.walks.ports import StepError, SubEnded, SubRun
from store import effects, launches
from store.deeds.stages import step_error
from store.runs import get_run, outputs_of, totals_of
from store.tables import Run, RunItem
from store.transactions import Actor, Work

_ENDED_BADLY = ENDED - {"succeeded", "partially_failed"}


async def start(work: Work, bearings: Bearings, sub: SubRun) -> UUID:
    """The child's id, launched now or before. Raises StepError; of a refused launch nothing is left."""
    parent = await get_run(work.session, bearings.run_id)
    asked = effects.request_hash_of(f"run:{sub.name}", sub.inputs)
    await work.read_clock()
    claimed = await effects.claim(
        work, sub.key, parent.id, bearings.seq, sub.step, f"run:{sub.name}", asked
    )  # fmt: skip
    if not claimed.is_new and claimed.status == "done" and claimed.result is not None:
        child = UUID(claimed.result["run_id"])
        if claimed.run_id == parent.id or not await _ended_badly(work, child):
            return child
    work.actor = Actor("process", parent.launched_by)
    work.run_id = parent.id
    try:
        async with work.savepoint():
            answer = await launches.launch(work, await _order_of(work, parent, bearings, sub))
    except DomainError as error:
        await effects.let_go(work, sub.key)
        raise step_error(error) from error
    await effects.settle(work, sub.key, "done", {"run_id": answer["run_id"]})
    return UUID(answer["run_id"])


async def ended(work: Work, run_id: UUID) -> SubEnded | None:
    """How a child ended, for the step that waits for it; None while it goes on.

    A child that was asked to begin nothing more, and had begun everything, ended as its items did. Of a child with one
    item the item's error is the step's.
    """
    run = await get_run(work.session, run_id)
    if run.status not in ENDED:
        return None
    totals, status, error = await totals_of(work.session, run_id), run.status, run.error
    if run.cancel_mode == "finish_items" and totals.total and not totals.cancelled:
        status = verdict(totals)
    item = await work.session.get(RunItem, (run_id, 1)) if totals.total == 1 and error is None else None
    if item is not None and item.error_type is not None:
        error = {"type": item.error_type, "message": item.error_message}
    return SubEnded(str(run_id), status, await outputs_of(work.session, run, totals), error)


async def _ended_badly(work: Work, run_id: UUID) -> bool:
    """A parent that is retried runs such a child again."""
    return (await get_run(work.session, run_id)).status in _ENDED_BADLY


async def _order_of(work: Work, parent: Run, bearings: Bearings, sub: SubRun) -> LaunchOrder:
    item = await work.session.get(RunItem, (parent.id, bearings.seq)) if bearings.seq > 0 else None
    dialog_id = item.dialog_id if item is not None else None
    target = dialog_id or (item.contact_id or item.operator_id if item is not None else None)
    return LaunchOrder(
        kind=sub.kind, key=sub.name, inputs=dict(sub.inputs), version=sub.version,
        selected=_selected(sub.selection, target), launched_by=parent.launched_by, is_dry=parent.is_dry,
        dialog_id=dialog_id if sub.kind == "macro" else None, trigger_kind="sub", trigger={"mode": sub.mode},
        cause=(*parent.cause, parent.id), parent_run=parent.id, parent_seq=bearings.seq, parent_step=sub.step,
    )  # fmt: skip


def _selected(selection: dict[str, Any] | None, target: UUID | None) -> Selected:
    """What the step says, or the item's own target."""
    if selection is None:
        return Selected(ids=(target,)) if target is not None else Selected()
    given = dict(selection)
    try:
        ids = given.get("ids")
        return Selected(
            ids=None if ids is None else tuple(UUID(str(one)) for one in ids), folder=given.get("folder"),
            filter=given.get("filter"), where=given.get("where"),
            operator=UUID(str(given["operator"])) if given.get("operator") else None, team=given.get("team"),
            topic=given.get("topic"),
        )  # fmt: skip
    except (TypeError, ValueError):
        raise StepError("invalid", "The selection names something that is no id.") from None
