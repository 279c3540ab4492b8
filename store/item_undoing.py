"""Taking back what an item did: its effects in reverse, each only where nothing has touched it since."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import text

from domain.runs import ITEM_ENDED
from domain.walks.ports import Outcome, StepError, StepRecord
from store import effects
from store.acting import stage_for
from store.deeds.doing import undo
from store.deeds.stages import Stage
from store.tables import Run, RunItem
from store.transactions import Work

UNDONE = "undone"
#: the record of an undoing comes after those of the last steps, which may not be written yet
MOST_AHEAD = 1_000
_LAST = text("SELECT max(n) FROM run_steps WHERE run_id = :run AND seq = :seq")


def undoes_failed_items(run: Run) -> bool:
    return bool((run.canonical.get("mass") or {}).get("on_item_failure") == "undo")


async def undo_item(stage: Stage, run: Run, item: RunItem) -> tuple[Outcome, tuple[StepRecord, ...]]:
    """One item of a run of the kind undo: the effects of its origin, each told in the trace."""
    records: list[StepRecord] = []
    found: Counter[str] = Counter()
    assert run.origin_run is not None
    for n, effect in enumerate(await effects.done_by(stage.work.session, run.origin_run, item.origin_seq), start=1):
        answer = await undo(stage, effect)
        found[answer] += 1
        if answer == UNDONE:
            await effects.settle(stage.work, effect.key, UNDONE)
        at = stage.work.now.isoformat()
        records.append(
            StepRecord(
                n, effect.step_id, f"{effect.step_id}/undo", f"undo:{effect.action}",
                "succeeded" if answer == UNDONE else "skipped", at, at, result={"answer": answer},
            )
        )  # fmt: skip
    return _outcome_of(found), tuple(records)


def _outcome_of(found: Counter[str]) -> Outcome:
    """What could be taken back was, or nothing could: then the item is skipped and says why."""
    told = ", ".join(f"{answer}: {count}" for answer, count in sorted(found.items()))
    if found[UNDONE]:
        return Outcome("succeeded", message=told)
    reasons = [answer for answer in ("changed_since", "cannot_be_undone") if found[answer]]
    return Outcome("skipped", reason=reasons[0] if reasons else "nothing_to_undo", message=told or None)


async def undone(stage: Stage, run: Run, seq: int, n: int) -> StepRecord:
    """After a failed item whose definition says `on_item_failure: undo`: one record of what was taken back."""
    found: Counter[str] = Counter()
    for effect in await effects.done_by(stage.work.session, run.id, seq):
        answer = await undo(stage, effect)
        found[answer] += 1
        if answer == UNDONE:
            await effects.settle(stage.work, effect.key, UNDONE)
    at = stage.work.now.isoformat()
    return StepRecord(n, "undo", "undo", "undo", "succeeded", at, at, result=dict(found))


async def undone_at_end(work: Work, run: Run, seq: int, *, teams: Iterable[str] = ()) -> tuple[StepRecord, ...]:
    """The same where the item's steps were transactions of their own; nothing when the item has ended already."""
    item = await work.session.get_one(RunItem, (run.id, seq))
    if item.state in ITEM_ENDED or not undoes_failed_items(run):
        return ()
    try:
        stage = await stage_for(work, run, item.dialog_id, item.contact_id, heavy=True, teams=teams)
    except StepError:
        return ()
    last = await work.session.scalar(_LAST, {"run": run.id, "seq": seq})
    record = await undone(stage, run, seq, int(last or 0) + MOST_AHEAD)
    await work.session.flush()
    return (record,)
