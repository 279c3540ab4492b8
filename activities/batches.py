"""Items by the hundred: each one a transaction of its own, or a workflow of its own to be started."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.commands import Ring
from domain import workflow_ids
from domain.permissions import Viewer
from domain.run_messages import BatchDone, BatchOrder, ProcessStart, StartItems
from domain.walks.ports import Outcome, StepError
from store import run_items, runs
from store.acting import viewer_of
from store.deeds.stages import TeamsNeededError
from store.dry_walks import AskSafely, walk_dry
from store.engines import Sessions
from store.item_beginnings import Target
from store.item_closings import make_lasting
from store.item_walks import plan_of, targets_of, walk_whole
from store.tables import Run
from store.transactions import Work, transact

log = structlog.get_logger("runs")
_HEARTBEAT = 1.0
_STARTERS = 8
#: seconds for which what was read of a launcher's rights counts as now
_FRESH = 1.0

Connect = Callable[[], Awaitable[Client]]


class BatchActivities:
    """`connect`: the client with which items' workflows are started, on the queue `queue`."""

    def __init__(self, sessions: Sessions, ring: Ring, connect: Connect, ask: AskSafely, queue: str) -> None:
        self._sessions = sessions
        self._ring = ring
        self._connect = connect
        self._ask = ask
        self._queue = queue

    @activity.defn
    async def run_batch(self, order: BatchOrder) -> BatchDone:
        """Ends as many items of its lane as there are, up to the limit, or until the run no longer goes on."""
        beat = asyncio.create_task(_beat())
        try:
            return await self._run_batch(order)
        finally:
            beat.cancel()

    async def _run_batch(self, order: BatchOrder) -> BatchDone:
        done = await self._walk(order)
        await make_lasting(self._sessions)  # whoever ended the items: an attempt before this one may have been cut off
        return done

    async def _walk(self, order: BatchOrder) -> BatchDone:
        async with self._sessions() as session:
            run = await runs.get_run(session, order.run_id)
            seqs = await run_items.next_seqs(session, run, lane=order.lane, lanes=order.lanes, limit=order.limit)
            targets = await targets_of(session, run.id, seqs)
        batch, ended = _Batch(run), 0
        for target in targets:
            outcome = await self._end_item(batch, target)
            if outcome is not None:
                ended += 1
            elif not await self._goes_on(run.id, target.seq):
                return BatchDone(ended, has_more=False)
            if outcome is not None and outcome.state == "failed" and await self._must_stop(run):
                return BatchDone(ended, has_more=False)
        return BatchDone(ended, has_more=len(seqs) == order.limit)

    async def _end_item(self, batch: "_Batch", target: Target) -> Outcome | None:
        run = batch.plan.run
        if run.is_dry:
            return await self._end_dry(run, target.seq)

        async def story(work: Work) -> Outcome | None:
            try:
                viewer = await batch.viewer(work.session)
                return await walk_whole(work, batch.plan, target, teams=frozenset(batch.teams), viewer=viewer)
            except TeamsNeededError as needed:
                batch.teams.update(needed.keys)
                raise

        outcome, rings = await transact(self._sessions, story)
        self._ring(rings)
        return outcome

    async def _end_dry(self, run: Run, seq: int) -> Outcome | None:
        outcome, records = await walk_dry(self._sessions, run, seq, self._ask)

        async def story(work: Work) -> Outcome | None:
            item = await run_items.claim(work, run.id, seq)
            if item is None:
                return None
            await work.read_clock()
            await run_items.end_claimed(work, run, item, outcome, records)
            return outcome

        return (await transact(self._sessions, story))[0]

    async def _goes_on(self, run_id: UUID, seq: int) -> bool:
        async with self._sessions() as session:
            status, cancel_mode = await run_items.standing(session, run_id, seq)
        return status == "running" and cancel_mode is None

    async def _must_stop(self, run: Run) -> bool:
        async def story(work: Work) -> bool:
            return await run_items.must_stop(work, await runs.lock_run(work, run.id))

        async with self._sessions() as session:
            if await run_items.too_many(session, run) is None:
                return False
        return (await transact(self._sessions, story))[0]

    @activity.defn
    async def start_items(self, order: StartItems) -> int:
        """Start the workflows of items that were claimed; those that run already are left alone. Then they are noted,
        so that nobody hands them out again.
        """
        client, left, started = await self._connect(), list(order.seqs), dict[int, str]()

        async def start_on() -> None:
            while left:
                seq = left.pop(0)
                started[seq] = await self._start(client, order, seq)
                activity.heartbeat(len(left))

        await asyncio.gather(*(start_on() for _ in range(_STARTERS)))
        await transact(self._sessions, lambda work: run_items.note_started(work, order.run_id, started))
        return len(order.seqs)

    async def _start(self, client: Client, order: StartItems, seq: int) -> str:
        """The Temporal run of the item's workflow; its id where the server does not tell."""
        workflow_id = workflow_ids.of_item(order.run_id, seq)
        try:
            handle = await client.start_workflow(
                "ProcessWorkflow", ProcessStart(order.run_id, seq), id=workflow_id,
                task_queue=self._queue, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                priority=Priority(priority_key=order.priority),
            )  # fmt: skip
        except WorkflowAlreadyStartedError as ended:
            log.warning("item.has_ended", run_id=str(order.run_id), seq=seq)
            return ended.run_id or workflow_id
        return handle.first_execution_run_id or handle.result_run_id or workflow_id


class _Batch:
    """`teams`: locks that the items before turned out to need; the next ones are likely to need them, too."""

    def __init__(self, run: Run) -> None:
        self.plan = plan_of(run)
        self.teams = set[str]()
        self._viewer: Viewer | None = None
        self._read_at = float("-inf")

    async def viewer(self, session: AsyncSession) -> Viewer | None:
        """As whom the run acts, at most a moment old; None when its launcher may do nothing any more."""
        if time.monotonic() - self._read_at > _FRESH:
            try:
                self._viewer = await viewer_of(session, self.plan.run)
            except StepError:
                return None
            self._read_at = time.monotonic()
        return self._viewer


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(_HEARTBEAT)
