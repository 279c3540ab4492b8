"""The life of one dialog: people's commands, its open reactions, its outgoing messages in order.

Rows are the truth and rebuild every wait; this workflow says what is going on (DECISIONS 1, 8, 9).
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.common import RawValue, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, WorkflowAlreadyStartedError

from domain import workflow_ids
from domain.commands import KINDS, TO_OFFER, DialogStart, Glance, Outcome, Reaction, Seen, TransferStart
from workflows import options, renewals
from workflows.refusals import refusal, require_request

LINGER = timedelta(seconds=2)
PATIENCE = timedelta(seconds=30)
TO_DIALOG = KINDS - TO_OFFER


@workflow.defn
class DialogWorkflow:
    """One per dialog from its first message to its closing; reopening continues it or starts a new run."""

    @workflow.init
    def __init__(self, start: DialogStart) -> None:
        self._dialog_id = start.dialog_id
        self._fresh: list[Reaction] = []
        self._known: set[int] = set()
        self._outbox: list[str] = []
        self._is_rung = False
        self._is_closed = False
        self._turned_by = 0  # the newest reaction that closed or reopened the dialog
        self._is_renewing = False
        self._is_turning = False
        self._arrivals = 0
        self._postman: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, start: DialogStart) -> None:
        await self._look(first=True)
        while True:
            await self._act()
            if renewals.wants_renewal():
                await self._renew(start)
            elif self._is_closed and not self._has_work():
                if await self._lingered():
                    return
            else:
                await workflow.wait_condition(
                    lambda: self._is_rung or bool(self._fresh) or renewals.wants_renewal() or self._may_end()
                )

    @workflow.signal
    def ring(self) -> None:
        """Something was committed that concerns this dialog: look at the rows."""
        self._is_rung = True
        self._arrivals += 1

    @workflow.update(dynamic=True)
    async def command(self, name: str, args: Sequence[RawValue]) -> Outcome:
        """A person's command, named by its kind, with one Request. A refusal fails the update with its code."""
        self._arrivals += 1
        try:
            outcome = await workflow.execute_local_activity(
                "apply_command", args[0], result_type=Outcome, summary=name, **options.TRANSACTION
            )
        except ActivityError:
            raise ApplicationError(
                "The command could not be carried out in time.", type="command_expired", non_retryable=True
            ) from None
        self._notice(outcome.reactions)
        if outcome.is_repeated:
            self._is_rung = True
        if outcome.refusal is not None:
            raise refusal(outcome)
        return Outcome(outcome.status, outcome.answer)

    @command.validator
    def _has_a_request(self, name: str, args: Sequence[RawValue]) -> None:
        if self._is_turning:
            raise renewals.turning()
        require_request(name, args, among=TO_DIALOG)

    async def _look(self, *, first: bool = False) -> None:
        self._is_rung = False
        turned_by = self._turned_by
        info = workflow.info()
        seen = await workflow.execute_local_activity(
            "look_at_dialog",
            Glance(info.workflow_id, info.run_id if first else None),
            result_type=Seen,
            **options.HOUSEKEEPING,
        )
        is_newest = self._turned_by == turned_by
        self._notice(seen.reactions)
        if is_newest:
            self._is_closed = seen.is_closed
        else:
            self._is_rung = True

    def _notice(self, reactions: Sequence[Reaction]) -> None:
        for reaction in reactions:
            if reaction.id in self._known:
                continue
            self._known.add(reaction.id)
            self._fresh.append(reaction)
            if reaction.kind in ("dialog_closed", "dialog_reopened") and reaction.id > self._turned_by:
                self._turned_by = reaction.id
                self._is_closed = reaction.kind == "dialog_closed"

    async def _act(self) -> None:
        if self._is_rung:
            await self._look()
        fresh, self._fresh = self._fresh, []
        for reaction in fresh:
            if reaction.kind == "message_queued":
                self._outbox.append(reaction.payload["message_id"])
            elif reaction.kind == "transfer_offered":
                await self._open_window(reaction)
        if self._outbox and (self._postman is None or self._postman.done()):
            self._postman = asyncio.create_task(self._deliver_in_order())

    async def _open_window(self, reaction: Reaction) -> None:
        start = TransferStart(UUID(reaction.payload["transfer_id"]), self._dialog_id)
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                "TransferWorkflow",
                start,
                id=workflow_ids.of_transfer(start.transfer_id),
                task_timeout=options.TASK_TIMEOUT,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )

    async def _deliver_in_order(self) -> None:
        while self._outbox and not self._is_renewing:
            message_id = self._outbox[0]
            try:
                await workflow.execute_activity("deliver_message", message_id, **options.DELIVERY)
            except ActivityError as error:
                if isinstance(error.cause, CancelledError):
                    return
                await workflow.execute_local_activity("give_up_delivery", message_id, **options.HOUSEKEEPING)
            self._outbox.pop(0)

    def _is_delivering(self) -> bool:
        return self._postman is not None and not self._postman.done()

    def _has_work(self) -> bool:
        return self._is_rung or bool(self._fresh) or self._is_delivering() or not workflow.all_handlers_finished()

    def _may_end(self) -> bool:
        return self._is_closed and not self._has_work()

    async def _lingered(self) -> bool:
        """True when nothing new came for a while. Nothing is awaited between this check and the end of the run."""
        before = self._arrivals
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._arrivals != before, timeout=LINGER)
        return self._arrivals == before and self._may_end()

    async def _renew(self, start: DialogStart) -> None:
        """Start a fresh run. Deliveries still waiting for their provider are picked up from their rows."""
        self._is_renewing = True
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: not self._is_delivering(), timeout=PATIENCE)
        if self._postman is not None and self._is_delivering():
            self._postman.cancel()
            await workflow.wait_condition(lambda: not self._is_delivering())
        self._is_turning = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        renewals.renew(start)
