"""How the walk of an item begins: noted, at work, with what is true of its target."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import topologies, workflow_ids
from domain.errors import NotFoundError
from domain.walks.ports import Brief, Snapshot
from store.operator_snapshots import operator_snapshot
from store.redactions import redacted_names
from store.run_wakes import close_reactions, workflow_of, workflow_of_item
from store.runs import names_of
from store.snapshots import snapshot_of
from store.tables import Run, RunItem, Subscription
from store.transactions import Work

_EVENTS_SO_FAR = text("SELECT coalesce(max(seq), 0) FROM events")

_MACRO_BEGINS = text("""
WITH noted AS (
    INSERT INTO workflow_runs (workflow_id, run_id, kind, dialog_id)
    SELECT :workflow, :temporal, :kind, dialog_id FROM run_items WHERE run_id = :run AND seq = 1 ON CONFLICT DO NOTHING
)
SELECT dialog_id, contact_id FROM run_items WHERE run_id = :run AND seq = 1
""")


async def begin_at_once(session: AsyncSession, run: Run, temporal_run_id: str) -> tuple[UUID | None, UUID | None]:
    """The workflow of a macro begins that one transaction ends: it is noted; answers the dialog and the contact."""
    given = {
        "run": run.id, "workflow": workflow_of(run), "temporal": temporal_run_id, "kind": workflow_ids.MACRO,
    }  # fmt: skip
    row = (await session.execute(_MACRO_BEGINS, given)).one()
    return row.dialog_id, row.contact_id


@dataclass(frozen=True, slots=True)
class Target:
    """What an item is about; it never changes. `origin_seq`: its number in the run whose ledger answers for it."""

    seq: int
    dialog_id: UUID | None
    contact_id: UUID | None
    operator_id: UUID | None = None
    origin_seq: int = 1


def brief_of(
    run: Run, item: RunItem | Target, snapshot: Snapshot, *, redact: dict[str, list[str]] | None = None
) -> Brief:  # fmt: skip
    """What the walk of an item starts from. Its effects are those of the run it resumes, if any."""
    return Brief(
        canonical=run.canonical, inputs=run.inputs, item_key=f"{run.effects_run}:{item.origin_seq}",
        run=names_of(run, item.seq), trigger=run.trigger, before=run.before, snapshot=snapshot, locks=run.locks,
        is_dry=run.is_dry, sha256=run.sha256, redact=redact or {},
    )  # fmt: skip


async def snapshot_of_item(session: AsyncSession, item: RunItem | Target) -> Snapshot:
    if item.operator_id is not None:
        return await operator_snapshot(session, item.operator_id)
    if item.dialog_id is None and item.contact_id is None:
        return Snapshot()
    return await snapshot_of(session, item.dialog_id, item.contact_id)


_BEGIN = text("""
WITH noted AS (
    INSERT INTO workflow_runs (workflow_id, run_id, kind, dialog_id)
    SELECT CAST(:workflow AS text), CAST(:temporal AS text), :kind, CAST(:dialog AS uuid)
    WHERE CAST(:temporal AS text) IS NOT NULL ON CONFLICT DO NOTHING
)
UPDATE run_items SET state = CASE WHEN state = 'pending' THEN 'running' ELSE state END,
       started_at = coalesce(started_at, clock_timestamp())
WHERE run_id = :run AND seq = :seq AND state IN ('pending','running','waiting') RETURNING clock_timestamp()
""")


async def begin(work: Work, run_id: UUID, seq: int, temporal_run_id: str | None = None) -> Brief | None:
    """An item's workflow begins: its brief, its subscription if it listens. None when the item has ended already.

    A macro's only item, too. A second time answers anew, with what is true by then.
    """
    asked = select(RunItem, Run).join(Run, Run.id == RunItem.run_id).where(RunItem.run_id == run_id, RunItem.seq == seq)
    row = (await work.session.execute(asked)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such item.")
    item, run = row
    work.run_id = run_id
    workflow_id = workflow_of_item(run, seq)
    given = {
        "run": run_id, "seq": seq, "workflow": workflow_id, "temporal": temporal_run_id,
        "kind": workflow_ids.parse(workflow_id)[0], "dialog": item.dialog_id,
    }  # fmt: skip
    work.moment = await work.session.scalar(_BEGIN, given)
    if work.moment is None:
        await close_reactions(work.session, workflow_id)
        return None
    if kinds := topologies.uses_listen(run.canonical):
        await _listen(work, run, item, workflow_id, kinds)
    redact = await redacted_names(work.session, run.canonical)
    return brief_of(run, item, await snapshot_of_item(work.session, item), redact=redact)


async def _listen(work: Work, run: Run, item: RunItem, workflow_id: str, kinds: tuple[str, ...]) -> None:
    """From now on events of these kinds become the item's reactions: none is lost between a message and its answer."""
    if await work.session.get(Subscription, workflow_id) is not None:
        return
    work.session.add(
        Subscription(
            workflow_id=workflow_id, run_id=run.id, seq=item.seq, dialog_id=item.dialog_id,
            contact_id=item.contact_id, kinds=list(kinds),
            from_seq=await work.session.scalar(_EVENTS_SO_FAR) or 0,
        )
    )  # fmt: skip
