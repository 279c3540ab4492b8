"""The walk of one item within one transaction, for definitions that neither wait nor leave the house.

An action that fails leaves nothing, those before it stay. The whole item is done, or it has not begun.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import topologies
from domain.actions.catalogue import catalogue
from domain.actions.manifests import Effect, Placement
from domain.permissions import Viewer
from domain.walks.ports import (
    Asking,
    Decided,
    Deed,
    Done,
    Effects,
    Event,
    Listening,
    Outcome,
    Snapshot,
    StepError,
    StepRecord,
    Stopped,
    SubEnded,
    SubRun,
)
from domain.walks.prepared import reads_target
from domain.walks.sightings import looked_at_after
from domain.walks.walk import walk_item
from store import effects, item_closings, run_items
from store.acting import stage_for
from store.deeds.doing import do
from store.deeds.stages import Stage
from store.item_beginnings import Target
from store.item_ends import takes_turns
from store.item_undoing import undo_item, undoes_failed_items, undone
from store.tables import Run, RunItem
from store.transactions import Work

T = TypeVar("T")

_TARGETS = text(
    "SELECT seq, dialog_id, contact_id, operator_id, origin_seq FROM run_items"
    " WHERE run_id = :run AND seq = ANY(:seqs) ORDER BY seq"
)


class WorkEffects:
    """`stage`: the item's, with its locks. `looked_at`: steps after which somebody reads what is true then."""

    def __init__(self, stage: Stage, run: Run, seq: int, looked_at: frozenset[str]) -> None:
        self._stage = stage
        self._looked_at = looked_at
        self._run = run
        self._seq = seq
        self._resumes = run.effects_run != run.id
        self._began = time.monotonic()
        self._began_at = stage.work.now
        self._kept: list[effects.Kept] = []
        self.records: dict[int, StepRecord] = {}

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=time.monotonic() - self._began)

    async def gate(self) -> None:
        """The run's state was looked at as the item was claimed; the item is over before anybody could pause it."""

    async def act(self, deed: Deed) -> Done:
        if catalogue()[deed.action].placement is not Placement.LOCAL:
            raise StepError("internal", f"{deed.action} does not fit into a transaction")
        attempt = 1
        while True:
            try:
                return await self._attempt(deed, attempt)
            except StepError as error:
                error.attempts = attempt
                if error.type not in deed.retry.on or attempt >= deed.retry.max_attempts:
                    raise
                attempt += 1

    async def _attempt(self, deed: Deed, attempt: int) -> Done:
        reads = catalogue()[deed.action].effect is Effect.READ
        known = None if reads else await self._claimed(deed)
        if known is not None and not known.is_new and known.status == "done":
            return Done(known.result or {}, attempt)
        self._stage.shows = deed.step in self._looked_at
        done = await do(self._stage, deed)
        if not reads:
            await self._keep(deed, done, is_claimed=known is not None)
        return Done(done.result, attempt, done.snapshot)

    async def _claimed(self, deed: Deed) -> effects.Claimed | None:
        """The ledger's row; None where nobody can have done it before."""
        if not self._resumes:
            return None
        asked = effects.request_hash_of(deed.action, deed.params)
        return await effects.claim(
            self._stage.work, deed.key, self._run.id, self._seq, deed.step, deed.action, asked
        )  # fmt: skip

    async def _keep(self, deed: Deed, done: Done, *, is_claimed: bool) -> None:
        stage = self._stage
        if is_claimed:
            await effects.settle(stage.work, deed.key, "done", done.result, stage.undo)
            return
        asked = effects.request_hash_of(deed.action, deed.params)
        self._kept.append(effects.Kept(deed.key, deed.step, deed.action, asked, done.result, stage.undo))

    @property
    def kept(self) -> Sequence[effects.Kept]:
        """The ledger of what was done, still to be written."""
        return self._kept

    async def wait(self, until: datetime, *, step: str, path: str) -> None:
        raise _misplaced("wait")

    async def working_time(self, calendar: str, start: datetime, seconds: float) -> datetime:
        raise _misplaced("wait")

    async def listen(self, listening: Listening) -> tuple[Event, ...]:
        raise _misplaced("listen")

    async def approve(self, asking: Asking) -> Decided:
        raise _misplaced("approve")

    async def run(self, sub: SubRun) -> SubEnded:
        raise _misplaced("run")

    async def together(
        self, parts: Sequence[Callable[[], Awaitable[T]]], *, at_once: int, compete: bool = False
    ) -> list[T | BaseException | None]:
        return await in_turn(parts, compete=compete)

    def record(self, record: StepRecord) -> None:
        self.records[record.n] = record

    def for_cleanup(self, seconds: float) -> Effects:
        return self


async def in_turn(parts: Sequence[Callable[[], Awaitable[T]]], *, compete: bool) -> list[T | BaseException | None]:
    """Parts that could go on side by side, one after the other: there is but one connection."""
    answers: list[T | BaseException | None] = []
    for part in parts:
        try:
            answers.append(await part())
        except (StepError, Stopped) as error:
            answers.append(error)
            continue
        if compete:
            return [*(None for _ in answers[:-1]), answers[-1], *(None for _ in parts[len(answers) :])]
    return answers


def _misplaced(kind: str) -> StepError:
    return StepError("internal", f"a step of the kind {kind} does not fit into a transaction")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the items of a run have in common. `heavy`: they may change who waits or has room. `sees`: they read their
    dialog, contact or operator, and do so again after the steps `looked_at`. `is_plain`: when one of them has ended,
    nobody is waiting and nothing is taken back.
    """

    run: Run
    heavy: bool
    sees: bool
    looked_at: frozenset[str] = frozenset()
    is_plain: bool = False


def plan_of(run: Run) -> Plan:
    if run.kind == "undo":
        return Plan(run, heavy=True, sees=False)
    canonical = run.canonical
    looked_at = looked_at_after(canonical, run.inputs)
    is_plain = run.kind == "process" and not (run.is_dry or takes_turns(run) or undoes_failed_items(run))
    return Plan(run, topologies.heavy(canonical, run.inputs), reads_target(canonical), looked_at, is_plain)


async def targets_of(session: AsyncSession, run_id: UUID, seqs: Sequence[int]) -> list[Target]:
    """What these items are about, in their order; it never changes."""
    found = await session.execute(_TARGETS, {"run": run_id, "seqs": list(seqs)})
    return [Target(row.seq, row.dialog_id, row.contact_id, row.operator_id, row.origin_seq) for row in found]


async def walk_whole(
    work: Work, plan: Plan, target: Target, *, teams: Iterable[str] = (), viewer: Viewer | None = None
) -> Outcome | None:
    """Claim the item, walk it, write down how it ended: all of it in this transaction. None when it is not to be
    walked (any more). Raises GroundMovedError (TeamsNeededError): begin the transaction again.
    """
    run, seq = plan.run, target.seq
    try:
        stage = await stage_for(
            work, run, target.dialog_id, target.contact_id, heavy=plan.heavy, teams=teams, viewer=viewer
        )
    except StepError as error:
        item = await run_items.claim(work, run.id, seq)
        if item is None:
            return None
        await work.read_clock()
        return await _ended(work, run, item, Outcome("failed", error_type=error.type, error_message=error.message))
    if plan.is_plain:
        return await _walk_plain(work, plan, target, stage)
    is_alone = item_closings.is_alone(run)
    item = await (run_items.claim_with_run if is_alone else run_items.claim)(work, run.id, seq)
    if item is None:
        return None
    if run.kind == "undo":
        return await _ended(work, run, item, *await undo_item(stage, run, item))
    host = WorkEffects(stage, run, seq, plan.looked_at)
    outcome = await walk_item(run_items.brief_of(run, item, await _snapshot(work, plan, item)), host)
    if outcome.state == "failed" and undoes_failed_items(run):
        await effects.keep(work, run.id, seq, host.kept)
        host.record(await undone(stage, run, item.seq, len(host.records) + 1))
    elif is_alone:
        await item_closings.close_macro(work, run, item, outcome, host.kept, tuple(host.records.values()))
        return outcome
    else:
        await effects.keep(work, run.id, seq, host.kept)
    return await _ended(work, run, item, outcome, tuple(host.records.values()))


async def _walk_plain(work: Work, plan: Plan, target: Target, stage: Stage) -> Outcome | None:
    run, seq = plan.run, target.seq
    if not await run_items.claim_at_once(work, run.id, seq):
        return None
    host = WorkEffects(stage, run, seq, plan.looked_at)
    outcome = await walk_item(run_items.brief_of(run, target, await _snapshot(work, plan, target)), host)
    await item_closings.close(work, run, seq, outcome, host.kept, tuple(host.records.values()))
    return outcome


async def _snapshot(work: Work, plan: Plan, item: RunItem | Target) -> Snapshot:
    """Who is meant, at least."""
    if plan.sees:
        return await run_items.snapshot_of_item(work.session, item)
    return Snapshot(
        dialog={"id": str(item.dialog_id)} if item.dialog_id else None,
        contact={"id": str(item.contact_id)} if item.contact_id else None,
        operator={"id": str(item.operator_id)} if item.operator_id else None,
    )


async def _ended(
    work: Work, run: Run, item: RunItem, outcome: Outcome, records: tuple[StepRecord, ...] = ()
) -> Outcome:
    await work.session.flush()
    await run_items.end_claimed(work, run, item, outcome, records)
    return outcome
