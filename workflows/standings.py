"""What a workflow knows of its item from its rows: paused or cancelled, what was heard, what was written down so far.

Rows are the truth: a `ring` only says that something changed, a look tells what (DECISIONS 1).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from temporalio import workflow

from domain.run_messages import Bearings, Glimpse, Heard, Sight
from domain.walks.ports import Decided, Event, Snapshot, StepRecord, Stopped, SubEnded
from workflows import options

T = TypeVar("T")

MOST_HEARD = 100
SAME_CLOCK = timedelta(milliseconds=250)
_STOPS = frozenset({"finish_step", "now"})


class EndedElsewhere(Exception):
    """The item's row says that it has ended: nothing is left to do here."""


class Standing:
    """`stops_always`: any way of cancelling stops it, as it does the phases before and after the items."""

    def __init__(self, workflow_id: str, run_id: UUID, seq: int, *, stops_always: bool = False) -> None:
        self.workflow_id, self.run_id, self.seq = workflow_id, run_id, seq
        self.is_rung = False
        self.is_paused = False
        self.cancel_mode: str | None = None
        self.inbox: list[Heard] = []
        self.decided: dict[str, Decided] = {}
        self.ended: dict[str, SubEnded] = {}
        self.approvals: set[str] = set()
        self.subs: set[str] = set()
        self.running: set[workflow.ActivityHandle[Any]] = set()
        self.strands = 1
        self.ahead = timedelta(0)
        self._stops_always = stops_always
        self._has_ended = False
        self._waits: list[dict[str, Any]] = []
        self._is_parked = False
        self._records: dict[int, StepRecord] = {}
        self._known: set[int] = set()
        self._heard_at: dict[int, int] = {}
        self._turn = asyncio.Lock()
        self._pump: asyncio.Task[None] | None = None

    # ---- looking ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Answer rings with looks from now on."""
        self._pump = asyncio.create_task(self._look_when_rung())

    async def end(self) -> None:
        """No look is under way any more, and none will begin."""
        await workflow.wait_condition(lambda: not self._turn.locked())
        if self._pump is not None:
            self._pump.cancel()

    def reckon(self, database_now: datetime | None) -> None:
        """How far the database's clock is ahead of Temporal's; less than a transaction takes counts as nothing."""
        ahead = timedelta(0) if database_now is None else database_now - workflow.now()
        self.ahead = ahead if abs(ahead) > SAME_CLOCK else timedelta(0)

    def notice(self, status: str, cancel_mode: str | None) -> None:
        self.is_paused = status == "paused"
        self.cancel_mode = cancel_mode
        if cancel_mode == "now":
            for handle in self.running:
                handle.cancel()

    @property
    def must_stop(self) -> bool:
        if self._stops_always:
            return self.cancel_mode is not None
        return self.cancel_mode in _STOPS

    async def look(self, *, parks: dict[str, Any] | None = None, wants_snapshot: bool = False) -> Snapshot | None:
        """One look at a time: what a later one tells is newer. Raises EndedElsewhere."""
        async with self._turn:
            self.is_rung = False
            glimpse = Glimpse(
                self.bearings(), tuple(sorted(self.approvals)), tuple(sorted(self.subs)), parks, wants_snapshot
            )
            sight = await self.transaction("look_at_item", glimpse, Sight)
        if sight.status == "ended":
            self._has_ended = True
            raise EndedElsewhere
        self.notice(sight.status, sight.cancel_mode)
        self.decided.update(sight.decided)
        self.ended.update(sight.ended)
        for heard in sight.heard:
            if heard.reaction not in self._known:
                self._known.add(heard.reaction)
                self._heard_at[heard.reaction] = workflow.info().get_current_history_length()
                self.inbox.append(heard)
        self.inbox.sort(key=lambda heard: heard.reaction)
        del self.inbox[:-MOST_HEARD]
        return sight.snapshot

    async def _look_when_rung(self) -> None:
        while not self._has_ended:
            await workflow.wait_condition(lambda: self.is_rung)
            with contextlib.suppress(EndedElsewhere):
                await self.look()

    async def until(
        self, is_so: Callable[[], bool], deadline: datetime | None = None, *, summary: str, stops: bool = True
    ) -> bool:
        """Wait; False when the deadline came first. Raises Stopped when the item is cancelled (unless not `stops`)."""

        def is_over() -> bool:
            return is_so() or self._has_ended or (stops and self.must_stop)

        left = None if deadline is None else max(timedelta(0), deadline - workflow.now() - self.ahead)
        try:
            await workflow.wait_condition(is_over, timeout=left, timeout_summary=summary if left else None)
        except TimeoutError:
            return False
        if self._has_ended:
            raise EndedElsewhere
        if not is_so():
            raise Stopped
        return True

    # ---- writing down -------------------------------------------------------------------------------------------

    def record(self, record: StepRecord) -> None:
        self._records[record.n] = record

    def bearings(self, *, is_cleanup: bool = False) -> Bearings:
        """What the next activity writes down by the way."""
        records, self._records = tuple(self._records.values()), {}
        is_back = self._is_parked and len(self._waits) < self.strands
        if is_back:
            self._is_parked = False
        return Bearings(self.workflow_id, self.run_id, self.seq, records, self._settled(), is_back, is_cleanup)

    def _settled(self) -> tuple[int, ...]:
        """Reactions whose hearing is in the history. One heard within this very task is not: should the worker die
        now, the look is carried out again, and the row must still be open.
        """
        length = workflow.info().get_current_history_length()
        settled = tuple(r for r, at in self._heard_at.items() if at < length)
        for reaction in settled:
            del self._heard_at[reaction]
        return settled

    async def transaction(self, name: str, order: object, answer: type[T]) -> T:
        """A local activity that is waited for even by a strand that was cancelled: what it commits has happened."""
        handle = workflow.start_local_activity(name, order, result_type=answer, **options.HOUSEKEEPING)
        try:
            return await asyncio.shield(handle)
        except asyncio.CancelledError:
            await workflow.wait_condition(handle.done)
            raise

    # ---- parking ------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def parked(self, **waits_for: Any) -> AsyncIterator[None]:
        """While every strand waits, the item is parked: it takes nobody's turn. Begins with a look."""
        self._waits.append(waits_for)
        try:
            if len(self._waits) >= self.strands:
                self._is_parked = True
                await self.look(parks=waits_for)
            else:
                await self.look()
            yield
        finally:
            self._waits.remove(waits_for)

    async def park_when_all_wait(self) -> None:
        """After a strand has ended: the others may all be waiting, and what it did is to be seen."""
        if self._waits and len(self._waits) >= self.strands and (self._records or not self._is_parked):
            self._is_parked = True
            await self.look(parks=self._waits[-1])

    def consume(self, wanted: Callable[[Event], bool]) -> Event | None:
        """Take the first event wanted out of what was heard."""
        for index, heard in enumerate(self.inbox):
            if wanted(heard.event):
                del self.inbox[index]
                return heard.event
        return None
