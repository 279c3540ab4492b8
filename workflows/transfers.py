"""The window of one offer: accept, decline, cancel or rescind before the stored deadline, else it expires."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from domain.commands import TO_OFFER, OfferLook, OfferSeen, Outcome, TransferStart
from workflows import options
from workflows.refusals import refusal, require_request


@workflow.defn
class TransferWorkflow:
    """The timer only wakes; the transaction compares with the deadline (DECISIONS 6)."""

    @workflow.init
    def __init__(self, start: TransferStart) -> None:
        self._transfer_id = start.transfer_id
        self._is_rung = False

    @workflow.run
    async def run(self, start: TransferStart) -> str:
        seen = await self._look(run_id=workflow.info().run_id)
        while seen.state == "pending":
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._is_rung, timeout=timedelta(seconds=seen.remaining))
            seen = await self._look()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return seen.state

    @workflow.signal
    def ring(self) -> None:
        """The offer was ended by something else that happened to the dialog: look at the row."""
        self._is_rung = True

    @workflow.update(dynamic=True)
    async def answer(self, name: str, args: Sequence[RawValue]) -> Outcome:
        """accept, decline or cancel, with one Request. Too late is told with the truth."""
        try:
            outcome = await workflow.execute_local_activity(
                "apply_command", args[0], result_type=Outcome, summary=name, **options.TRANSACTION
            )
        except ActivityError:
            raise ApplicationError(
                "The command could not be carried out in time.", type="command_expired", non_retryable=True
            ) from None
        self._is_rung = True
        if outcome.refusal is not None:
            raise refusal(outcome)
        return Outcome(outcome.status, outcome.answer)

    @answer.validator
    def _has_a_request(self, name: str, args: Sequence[RawValue]) -> None:
        require_request(name, args, among=TO_OFFER)

    async def _look(self, *, run_id: str | None = None) -> OfferSeen:
        self._is_rung = False
        seen: OfferSeen = await workflow.execute_local_activity(
            "look_at_offer",
            OfferLook(self._transfer_id, run_id),
            result_type=OfferSeen,
            **options.HOUSEKEEPING,
        )
        return seen
