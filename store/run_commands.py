"""What people decide about a run: each is one transaction on its rows; its workflow is only woken."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text, update

from domain import topologies, workflow_ids
from domain.errors import (
    ConfirmationNeededError,
    ConflictError,
    InvalidError,
    NotFoundError,
    NothingLeftToUndoError,
    NothingToDoError,
    RunEndedError,
    RunNotEndedError,
    WrongStatusError,
)
from domain.launches import LaunchOrder
from domain.permissions import Permission, Viewer
from domain.runs import BY_HAND, CANARY, CANCEL_MODES, ENDED, may_be_retried
from store import run_views
from store.deeds.undoing import UNDOS
from store.launches import Origin, launch
from store.run_wakes import wake, workflow_of
from store.runs import end_pending, lock_run, ring_waiting, settle, totals_of
from store.tables import Approval, Run, RunItem
from store.transactions import Work

#: items whose workflows are woken at once; the relay wakes the others
_AT_ONCE = 200
_WAKE_ITEMS = text("""
INSERT INTO reactions (workflow_id, kind)
SELECT :prefix || seq, :kind FROM run_items WHERE run_id = :run AND state IN ('running','waiting') ORDER BY seq
RETURNING workflow_id
""")
_DONE_SINCE = text("""
SELECT DISTINCT i.target_key FROM runs r JOIN run_items i ON i.run_id = r.id
WHERE r.origin_run = :run AND r.kind <> 'undo' AND NOT r.is_dry AND i.state = 'succeeded'
""")
_UNDER_WAY = text("""
SELECT number FROM runs WHERE origin_run = :run AND status <> ALL(:ended) AND (kind = 'undo') = :is_undo LIMIT 1
""")
#: not for the first time: those that may be taken back now that somebody has put back what was changed since
_WITH_EFFECTS = text("""
SELECT DISTINCT seq FROM effects WHERE run_id = :run AND status = 'done' AND seq > 0
  AND (:first OR (undo IS NOT NULL AND action = ANY(:undoable))) ORDER BY seq
""")
_UNDONE_BY = text("SELECT number FROM runs WHERE origin_run = :run AND kind = 'undo' ORDER BY number DESC LIMIT 1")
#: whoever retries what may have happened has looked into it: the next attempt is theirs to answer for
_LET_GO = text("""
UPDATE effects e SET status = 'undone' FROM run_items i
WHERE i.run_id = :run AND i.seq = ANY(:seqs) AND e.key LIKE :ledger || ':' || i.origin_seq || ':%'
  AND e.status IN ('started','unknown')
""")


async def pause(work: Work, viewer: Viewer, run_id: UUID) -> dict[str, Any]:
    """No new items, no new effects; timers go on. Paused already: the same answer. Raises RunEndedError."""
    run = await _controlled(work, viewer, run_id)
    if run.status != "paused":
        run.paused_from, run.status, run.reason = run.status, "paused", BY_HAND
        await wake(work, workflow_of(run), "run_paused")
        await ring_waiting(work, run)
    return told_of(run)


async def resume(work: Work, viewer: Viewer, run_id: UUID) -> dict[str, Any]:
    """Raises RunEndedError, WrongStatusError for a run that waits after its canary."""
    run = await _controlled(work, viewer, run_id)
    if run.status == "paused":
        if run.reason == CANARY:
            raise WrongStatusError("It waits after its canary: continue with the rest, or cancel it.")
        await _go_on(work, run, "run_resumed")
    return told_of(run)


async def continue_rest(work: Work, viewer: Viewer, run_id: UUID) -> dict[str, Any]:
    """The items after the canary may begin. Raises RunEndedError, NothingToDoError for a run without a canary."""
    run = await _controlled(work, viewer, run_id)
    if run.canary is None:
        raise NothingToDoError("It has no canary: all of its items may begin already.")
    run.canary = None
    if run.status == "paused" and run.reason == CANARY:
        await _go_on(work, run, "run_continued")
    else:
        await wake(work, workflow_of(run), "run_continued")
    return told_of(run)


async def _go_on(work: Work, run: Run, kind: str) -> None:
    run.status, run.paused_from, run.reason = run.paused_from or "running", None, None
    if run.status == "queued":
        work.react(workflow_of(run), "run_queued", not_before=run.start_at)
    else:
        await wake(work, workflow_of(run), kind)
    await _wake_items(work, run, kind)


async def _wake_items(work: Work, run: Run, kind: str) -> None:
    """Those at work or waiting look again; the first of them at once."""
    if run.kind == "macro" or run.topology != "child":
        return
    await work.session.flush()
    given = {"prefix": f"{workflow_ids.of_item(run.id, 0)[:-1]}", "kind": kind, "run": run.id}
    woken = list(await work.session.scalars(_WAKE_ITEMS, given))
    work.rings.update(woken[:_AT_ONCE])


async def cancel(work: Work, viewer: Viewer | None, run_id: UUID, mode: str = "finish_items") -> dict[str, Any]:
    """Begin no more items. finish_items: those at work end as they would; finish_step: they stop at their next step;
    now: their step is interrupted, too. A stricter mode may follow a milder one. Its sub-processes are cancelled the
    same way; one over nothing but an item's own target is part of that item, and ends with it under finish_items.

    `viewer` None: a parent's doing. Raises RunEndedError, InvalidError for an unknown mode.
    """
    if mode not in CANCEL_MODES:
        raise InvalidError(f"mode is one of {', '.join(CANCEL_MODES)}.", field="mode")
    run = await _controlled(work, viewer, run_id)
    if run.cancel_mode is None or CANCEL_MODES.index(mode) > CANCEL_MODES.index(run.cancel_mode):
        await _cancel(work, run, viewer, mode)
    return told_of(run)


async def _cancel(work: Work, run: Run, viewer: Viewer | None, mode: str) -> None:
    run.cancel_mode = mode
    run.cancelled_by = run.cancelled_by or (viewer.user_id if viewer else None)
    await end_pending(work, run.id, "cancelled", "cancelled")
    questions = update(Approval).where(Approval.run_id == run.id, Approval.state == "open")
    if mode == "finish_items":
        questions = questions.where(Approval.seq <= 0)
    await work.session.execute(
        questions.values(state="withdrawn", decided_at=work.now).execution_options(synchronize_session=False)
    )
    has_begun = run.started_at is not None
    if run.status == "paused":
        run.status, run.paused_from, run.reason = run.paused_from or "running", None, None
    if run.status == "awaiting_approval" and has_begun:
        run.status = "running"
    if not has_begun:
        await settle(work, run, await totals_of(work.session, run.id))
    else:
        await wake(work, workflow_of(run), "run_cancelled")
        await _wake_items(work, run, "run_cancelled")
    await work.session.flush()
    await _cancel_children(work, run, mode)


async def _cancel_children(work: Work, run: Run, mode: str) -> None:
    children = (
        select(Run.id)
        .where(Run.parent_run == run.id, Run.status.not_in(ENDED))
        .where(Run.trigger["mode"].astext.is_distinct_from("detach"))
        .order_by(Run.number)
    )
    if mode == "finish_items":
        children = children.where(or_(Run.parent_seq <= 0, Run.selection != {"ids": 1}))
    for child in list(await work.session.scalars(children)):
        await cancel(work, None, child, mode)
    work.run_id = run.id


async def retry(
    work: Work,
    viewer: Viewer,
    run_id: UUID,
    *,
    mode: str = "resume",
    items: str | Sequence[int] = "failed",
    version: int | str | None = None,
    confirm: int | None = None,
) -> dict[str, Any]:
    """A new run over what did not succeed. `items`: failed, needs_attention, rest (cancelled), or numbers of items.
    `mode`: resume (what is done is not done again) or restart. `version`: a number, "latest", None = the same.

    What would write to clients once more (restart of a definition that sends, items whose effect is unknown) needs
    `confirm` = the number of items. Raises RunNotEndedError, NothingToDoError, ConfirmationNeededError {total},
    ConflictError while another retry of it is under way, and what launches raise.
    """
    if mode not in ("resume", "restart"):
        raise InvalidError("mode is resume or restart.", field="mode")
    run = await _ended(work, viewer, run_id)
    await _require_none_under_way(work, run, is_undo=False)
    seqs, has_doubtful = await _retried(work, run, items)
    if not seqs:
        raise NothingToDoError("None of its items is to be retried.")
    sends = mode == "restart" and topologies.sends(run.canonical)
    if (sends or has_doubtful) and confirm != len(seqs):
        raise ConfirmationNeededError(
            f"Clients may be written to once more: confirm the number of items, {len(seqs)}.", total=len(seqs)
        )
    if has_doubtful:
        given = {"run": run.id, "seqs": list(seqs), "ledger": str(run.effects_run)}
        await work.session.execute(_LET_GO, given)
    order = LaunchOrder(
        kind=run.kind, key=run.definition_key, inputs={k: v for k, v in run.inputs.items() if v is not None},
        version=None if version == "latest" else version if version is not None else run.version,
        launched_by=viewer.user_id, confirm=confirm, concurrency=run.concurrency, trigger_kind="retry",
        trigger=run.trigger, cause=tuple(run.cause),
    )  # fmt: skip
    return await launch(work, order, origin=Origin(run, mode, seqs))


async def _retried(work: Work, run: Run, items: str | Sequence[int]) -> tuple[tuple[int, ...], bool]:
    """The items, and whether the effect of one of them is unknown."""
    if isinstance(items, str) and items not in ("failed", "needs_attention", "rest"):
        raise InvalidError("items is failed, needs_attention, rest, or a list of numbers.", field="items")
    rows = await work.session.execute(
        select(RunItem.seq, RunItem.state, RunItem.needs_attention, RunItem.target_key)
        .where(RunItem.run_id == run.id, RunItem.state.in_(("failed", "cancelled")))
        .order_by(RunItem.seq)
    )
    done = set(await work.session.scalars(_DONE_SINCE, {"run": run.id}))
    found = [r for r in rows if r.target_key not in done]
    if isinstance(items, str):
        chosen = [r for r in found if may_be_retried(r.state, needs_attention=r.needs_attention, wanted=items)]
    else:
        wanted = set(items)
        chosen = [r for r in found if r.seq in wanted]
        if len(chosen) < len(wanted):
            raise InvalidError("Some of these items have not failed, or are not there.", field="items")
    return tuple(r.seq for r in chosen), any(r.needs_attention for r in chosen)


async def rerun(work: Work, viewer: Viewer, run_id: UUID, *, key: str, dialog_id: UUID) -> dict[str, Any]:
    """A failed macro once more, from the step that failed: what is done is not done again.

    Raises NotFoundError for a run of another macro or dialog, and what `retry` raises.
    """
    item = await work.session.get(RunItem, (run_id, 1))
    run = await work.session.get(Run, run_id)
    if item is None or run is None or run.kind != "macro" or run.definition_key != key or item.dialog_id != dialog_id:
        raise NotFoundError("This macro has no such run on this dialog.")
    return await retry(work, viewer, run_id, items=(1,), confirm=1)


async def undo(work: Work, viewer: Viewer, run_id: UUID) -> dict[str, Any]:
    """A new run that takes back what the items did, as far as nothing has touched it since; messages stay sent.

    Once that has been done, only what could still be taken back counts. Raises RunNotEndedError, NothingToDoError,
    NothingLeftToUndoError {run}, ConflictError while it is being undone already.
    """
    run = await _ended(work, viewer, run_id)
    await _require_none_under_way(work, run, is_undo=True)
    undone_by = await work.session.scalar(_UNDONE_BY, {"run": run.id})
    wanted = {"run": run.id, "first": undone_by is None, "undoable": sorted(UNDOS)}
    seqs = tuple(await work.session.scalars(_WITH_EFFECTS, wanted))
    if not seqs and undone_by is not None:
        raise NothingLeftToUndoError(f"Run {undone_by} has taken back all that could be.", run=undone_by)
    if not seqs:
        raise NothingToDoError("It did nothing that could be taken back.")
    order = LaunchOrder(
        kind=run.kind, key=run.definition_key, version=run.version, launched_by=viewer.user_id, trigger_kind="undo",
        trigger=run.trigger, cause=tuple(run.cause),
    )  # fmt: skip
    return await launch(work, order, origin=Origin(run, "undo", seqs))


async def _require_none_under_way(work: Work, run: Run, *, is_undo: bool) -> None:
    given = {"run": run.id, "ended": sorted(ENDED), "is_undo": is_undo}
    number = await work.session.scalar(_UNDER_WAY, given)
    if number is not None:
        raise ConflictError(f"Run {number} does this already.", run=number)


async def _controlled(work: Work, viewer: Viewer | None, run_id: UUID) -> Run:
    """The run under its lock, alive. Raises NotFoundError, ForbiddenError, RunEndedError."""
    run = await _seen(work, viewer, run_id)
    if run.status in ENDED:
        raise RunEndedError(f"It has ended: {run.status}.", status=run.status)
    return run


async def _ended(work: Work, viewer: Viewer, run_id: UUID) -> Run:
    run = await _seen(work, viewer, run_id)
    work.run_id = None
    if run.status not in ENDED:
        raise RunNotEndedError("It has not ended yet.", status=run.status)
    if run.kind == "undo" or run.is_dry:
        raise WrongStatusError("A dry run, or one that took something back, is launched anew instead.")
    return run


async def _seen(work: Work, viewer: Viewer | None, run_id: UUID) -> Run:
    """Raises NotFoundError for a run the viewer may not look at, ForbiddenError for one not theirs to control."""
    if viewer is not None:
        sight = await run_views.get_sight(work.session, viewer, run_id)
        if sight.run.launched_by != viewer.user_id:
            viewer.require(Permission.RUNS_CONTROL)
    return await lock_run(work, run_id)


def told_of(run: Run) -> dict[str, Any]:
    return {
        "run_id": str(run.id), "number": run.number, "status": run.status, "reason": run.reason,
        "cancel_mode": run.cancel_mode, "canary": run.canary, "total": run.total, "workflow_id": workflow_of(run),
    }  # fmt: skip
