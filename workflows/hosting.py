"""A walk's host in a workflow: transactions are local activities, calls and messages ordinary ones, waits timers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from domain.actions.catalogue import catalogue
from domain.actions.manifests import Placement
from domain.run_messages import (
    Act,
    Acted,
    Ask,
    Asked,
    Deliver,
    StartSub,
    SubStarted,
    Trouble,
    WorkingMoment,
    WorkingTime,
)
from domain.walks.ports import (
    Asking,
    Decided,
    Deed,
    Done,
    Effects,
    Event,
    Listening,
    StepError,
    StepRecord,
    Stopped,
    SubEnded,
    SubRun,
)
from workflows import options, strands
from workflows.standings import EndedElsewhere, Standing

T = TypeVar("T")


class WorkflowEffects:
    """`until`: for the clean-up after a cancellation, which nothing stops but its own end."""

    def __init__(self, standing: Standing, *, until: datetime | None = None) -> None:
        self._standing = standing
        self._until = until

    def now(self) -> datetime:
        """By the database's clock, which says when events happened."""
        return workflow.now() + self._standing.ahead

    @strands.stoppable
    async def gate(self) -> None:
        standing = self._standing
        self._require_time()
        if standing.is_paused and not self._is_unstoppable:
            await standing.until(lambda: not standing.is_paused, summary="paused")
        if standing.must_stop and self._until is None:
            raise Stopped

    # ---- acts ---------------------------------------------------------------------------------------------------

    @strands.stoppable
    async def act(self, deed: Deed) -> Done:
        placement = catalogue()[deed.action].placement
        if placement is Placement.NONE:
            return Done({})
        if placement is Placement.OUTSIDE:
            return await self._act_outside(deed)
        return await self._act_here(deed, sends=placement is Placement.SEND)

    async def _act_here(self, deed: Deed, *, sends: bool) -> Done:
        """Attempts are few and quick, and each is a transaction: the pauses between them are timers of the workflow."""
        name = "prepare_message" if sends else "act"
        give_up = None if deed.timeout is None else self.now() + timedelta(seconds=deed.timeout)
        attempt = 1
        while True:
            acted = await self._through(name, lambda: Act(self._bearings(), deed), Acted)
            if acted.message_id is not None:
                acted = _with_prepared(acted, await self._deliver(deed, acted.message_id))
            if acted.done is not None:
                return replace(acted.done, attempts=max(attempt, acted.done.attempts))
            trouble = acted.trouble or Trouble("internal", "The activity answered nothing.")
            if trouble.type not in deed.retry.on or attempt >= deed.retry.max_attempts or not trouble.again:
                raise _error_of(trouble, max(attempt, trouble.attempts))
            pause = self.now() + timedelta(seconds=deed.retry.pause_after(attempt))
            if give_up is not None and pause > give_up:
                raise StepError("timeout", f"{deed.action} was not done in time: {trouble.message}", attempts=attempt)
            await self._standing.until(
                lambda: False, pause, summary=f"{deed.step}: attempt {attempt + 1}", stops=self._until is None
            )
            attempt += 1

    async def _deliver(self, deed: Deed, message_id: str) -> Acted:
        while True:
            try:
                acted = await self._outside("deliver_for_step", Deliver(self._bearings(), deed, message_id), deed)
            except Stopped:
                if not self._standing.must_stop:
                    raise
                # Between two attempts nobody was there to tell: the gate sees to it that it is not sent any more.
                acted = await self._outside("deliver_for_step", Deliver(self._bearings(), deed, message_id), deed)
                if acted.done is None:
                    raise
            if acted.halted is None:
                return acted
            await self._halt(acted.halted)

    async def _act_outside(self, deed: Deed) -> Done:
        while True:
            acted = await self._outside("act_outside", Act(self._bearings(), deed), deed)
            if acted.halted is not None:
                await self._halt(acted.halted)
            elif acted.done is not None:
                return acted.done
            else:
                trouble = acted.trouble or Trouble("internal", "The activity answered nothing.")
                raise _error_of(trouble, trouble.attempts)

    async def _outside(self, name: str, order: Act | Deliver, deed: Deed) -> Acted:
        """An activity that leaves the house. Its retries count their attempts in the ledger."""
        handle = workflow.start_activity(
            name, order, result_type=Acted, summary=f"{deed.step}: {deed.action}",
            **options.outside(deed.timeout, deed.retry),
        )  # fmt: skip
        self._standing.running.add(handle)
        try:
            acted: Acted = await handle
            return acted
        except ActivityError as error:
            cause = error.cause
            if isinstance(cause, CancelledError):
                raise Stopped from None
            why = cause.message if isinstance(cause, ApplicationError) else "it did not answer in time"
            raise StepError("timeout", f"{deed.action} was not done in time: {why}") from None
        finally:
            self._standing.running.discard(handle)

    @strands.stoppable
    async def working_time(self, calendar: str, start: datetime, seconds: float) -> datetime:
        order = WorkingTime(calendar, start, seconds)
        moment = await self._standing.transaction("reckon_working_time", order, WorkingMoment)
        if moment.at is None:
            raise _error_of(moment.trouble or Trouble("not_found", f"There is no calendar {calendar!r}."), 1)
        return moment.at

    # ---- waits --------------------------------------------------------------------------------------------------

    @strands.stoppable
    async def wait(self, until: datetime, *, step: str, path: str) -> None:
        if until <= self.now():
            return
        async with self._standing.parked(kind="wait", step=step, until=_text(until)):
            await self._sleep(lambda: False, until, summary=f"{step}: wait")

    @strands.stoppable
    async def listen(self, listening: Listening) -> tuple[Event, ...]:
        deadline = self.now() + timedelta(seconds=listening.seconds)
        heard: list[Event] = []
        missing = list(listening.kinds) if listening.count != 1 else []
        standing = self._standing

        def wanted(event: Event) -> bool:
            at = datetime.fromisoformat(event.at)
            is_in_time = (listening.since is None or at >= listening.since) and at <= deadline
            is_awaited = event.event in (missing if listening.count != 1 else listening.kinds)
            return is_in_time and is_awaited and listening.wanted(event)

        def is_complete() -> bool:
            if heard and listening.count == 1:
                return True
            while (event := standing.consume(wanted)) is not None:
                heard.append(event)
                if listening.count == 1:
                    return True
                missing.remove(event.event)
            return listening.count != 1 and not missing

        if is_complete():
            return tuple(heard)
        async with standing.parked(
            kind="listen", step=listening.step, events=list(listening.kinds), until=_text(deadline)
        ):
            if not await self._sleep(is_complete, deadline, summary=f"{listening.step}: listen"):
                await standing.look()
                if not is_complete():
                    return ()
        return tuple(heard)

    @strands.stoppable
    async def approve(self, asking: Asking) -> Decided:
        asked = await self._through("ask_people", lambda: Ask(self._bearings(), asking), Asked)
        if asked.trouble is not None:
            raise _error_of(asked.trouble, 1)
        if asked.decided is not None:
            return asked.decided
        standing, key = self._standing, asked.approval_id
        deadline = None if asked.wait is None else self.now() + timedelta(seconds=asked.wait)
        standing.approvals.add(key)
        try:
            async with standing.parked(kind="approve", step=asking.step, approval=key, until=_text(deadline)):
                while not await self._sleep(
                    lambda: key in standing.decided, deadline, summary=f"{asking.step}: approve"
                ):
                    # The timer only wakes; the row's deadline decides, by the database's clock.
                    await standing.look()
                    deadline = self.now() + timedelta(seconds=1)
        finally:
            standing.approvals.discard(key)
        return standing.decided[key]

    @strands.stoppable
    async def run(self, sub: SubRun) -> SubEnded:
        started = await self._through("start_sub", lambda: StartSub(self._bearings(), sub), SubStarted)
        if started.trouble is not None:
            raise _error_of(started.trouble, 1)
        if started.ended is not None or sub.mode == "detach":
            return started.ended or SubEnded(started.run_id, "queued")
        standing, key = self._standing, started.run_id
        deadline = None if sub.timeout is None else self.now() + timedelta(seconds=sub.timeout)
        standing.subs.add(key)
        try:
            async with standing.parked(kind="run", step=sub.step, run=key, until=_text(deadline)):
                if not await self._sleep(lambda: key in standing.ended, deadline, summary=f"{sub.step}: run"):
                    raise StepError("timeout", f"{sub.name} has not ended in time.", details={"run_id": key})
        finally:
            standing.subs.discard(key)
        return standing.ended[key]

    async def _sleep(self, is_so: Callable[[], bool], until: datetime | None, *, summary: str) -> bool:
        if self._until is not None:
            until = self._until if until is None else min(until, self._until)
        return await self._standing.until(is_so, until, summary=summary, stops=self._until is None)

    @strands.stoppable
    async def together(
        self, parts: Sequence[Callable[[], Awaitable[T]]], *, at_once: int, compete: bool = False
    ) -> list[T | BaseException | None]:
        return await strands.together(self._standing, parts, at_once=at_once, compete=compete)

    # ---- the rest -----------------------------------------------------------------------------------------------

    def record(self, record: StepRecord) -> None:
        self._standing.record(record)

    def for_cleanup(self, seconds: float) -> Effects:
        return WorkflowEffects(self._standing, until=self.now() + timedelta(seconds=seconds))

    @property
    def _is_unstoppable(self) -> bool:
        return self._until is not None and self._standing.must_stop

    def _require_time(self) -> None:
        if self._until is not None and self.now() >= self._until:
            raise Stopped

    def _bearings(self) -> Any:
        return self._standing.bearings(is_cleanup=self._until is not None)

    async def _through(self, name: str, order: Callable[[], object], answer: type[T]) -> T:
        """The transaction, once the run lets it through."""
        while True:
            found = await self._standing.transaction(name, order(), answer)
            halted: str | None = getattr(found, "halted", None)
            if halted is None:
                return found
            await self._halt(halted)

    async def _halt(self, why: str) -> None:
        """The transaction found the run paused or cancelled, or the item ended. What is so now, a look tells."""
        if why == "ended":
            raise EndedElsewhere
        await self._standing.look()
        await self.gate()


def _with_prepared(prepared: Acted, delivered: Acted) -> Acted:
    """What the preparing transaction saw and said, completed by what became of the message."""
    if prepared.done is None or delivered.done is None:
        return delivered
    result = {**prepared.done.result, **delivered.done.result}
    snapshot = delivered.done.snapshot or prepared.done.snapshot
    return replace(delivered, done=replace(delivered.done, result=result, snapshot=snapshot))


def _error_of(trouble: Trouble, attempts: int) -> StepError:
    return StepError(
        trouble.type, trouble.message, details=trouble.details, attempts=attempts,
        needs_attention=trouble.needs_attention,
    )  # fmt: skip


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
