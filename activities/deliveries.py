"""Sending a message to its client: claim the row, call the provider once, write what became of it."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.commands import Ring
from activities.posting import Posted, Postman, to_the_end, write_down
from activities.step_deliveries import StepDelivery
from domain.messages import Delivery
from domain.run_messages import Acted, Deliver
from gateways.channels.outgoing import ChannelGateway, NotTakenError
from store import messages
from store.engines import Sessions
from store.tables import Message
from store.transactions import Work, transact


class DeliveryActivities:
    """`gateways`: channel kind → gateway; kinds without one of their own use `generic`."""

    def __init__(self, sessions: Sessions, gateways: Mapping[str, ChannelGateway], ring: Ring) -> None:
        self._sessions = sessions
        self._postman = Postman(gateways)
        self._ring = ring

    @activity.defn
    async def deliver_message(self, message_id: str) -> str:
        """Answers the delivery state. Raises a retryable ApplicationError when the provider surely took nothing.

        Being cancelled (a new run of the dialog, a worker that stops) does not break off a call under way: nobody
        would know what became of it.
        """
        return await to_the_end(self._deliver(UUID(message_id)))

    @activity.defn
    async def give_up_delivery(self, message_id: str) -> str:
        """After a day of refusals: failed; a row still claimed: unknown."""

        async def story(work: Work) -> str:
            state = await work.session.scalar(select(Message.delivery).where(Message.id == UUID(message_id)))
            delivery = Delivery.UNKNOWN if state == Delivery.SENDING else Delivery.FAILED
            error = await work.session.scalar(select(Message.delivery_error).where(Message.id == UUID(message_id)))
            await messages.settle_delivery(
                work, UUID(message_id), delivery, error=error or "The provider never took it."
            )
            return delivery.value

        return (await transact(self._sessions, story))[0]

    async def _deliver(self, message_id: UUID) -> str:
        claim, _ = await transact(self._sessions, lambda work: messages.claim_delivery(work, message_id))
        if claim.state == "behind":
            raise ApplicationError("An earlier message of this dialog is still on its way.", type="behind")
        if claim.outgoing is None:
            return "settled"
        try:
            posted = await self._postman.post(claim.outgoing)
        except NotTakenError as refused:
            reason = refused.reason
            await transact(self._sessions, lambda work: messages.put_back(work, message_id, reason))
            raise ApplicationError(reason, type="not_taken", next_retry_delay=refused.wait) from None
        return await self._settle(message_id, posted)

    @activity.defn
    async def deliver_for_step(self, order: Deliver) -> Acted:
        """Delivers what a step prepared, one attempt at a time; ledger and row end together.

        Raises a retryable ApplicationError that says when to try again. Waiting for a turn under a rate limit is no
        attempt; the message's row counts those that are.
        """
        return await to_the_end(StepDelivery(self._sessions, self._postman, order).carry_out())

    async def _settle(self, message_id: UUID, posted: Posted) -> str:
        async def story(work: Work) -> None:
            await messages.settle_delivery(
                work, message_id, posted.delivery, error=posted.error, provider_id=posted.provider_id
            )

        await write_down(self._sessions, story)
        return posted.delivery.value
