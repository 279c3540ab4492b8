"""Sending a message to its client: claim the row, call the provider once, write what became of it."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.commands import Ring
from domain.messages import Delivery
from gateways.channels.outgoing import (
    AnswerLostError,
    CannotAskError,
    ChannelGateway,
    Letter,
    NotTakenError,
    RefusedError,
)
from store import messages
from store.engines import Sessions
from store.messages import Outgoing
from store.tables import Message
from store.transactions import Work, transact

_HEARTBEAT = 1.0
#: seconds between questions to a provider that cannot be asked
_ASK_AGAIN_AFTER = (1.0, 2.0, 4.0)
#: seconds a known answer waits for the database, well within the activity's own time
_HOLD_ON = 30.0


class DeliveryActivities:
    """`gateways`: channel kind → gateway; kinds without one of their own use `generic`."""

    def __init__(self, sessions: Sessions, gateways: Mapping[str, ChannelGateway], ring: Ring) -> None:
        self._sessions = sessions
        self._gateways = gateways
        self._ring = ring

    @activity.defn
    async def deliver_message(self, message_id: str) -> str:
        """Answers the delivery state. Raises a retryable ApplicationError when the provider surely took nothing.

        Being cancelled (a new run of the dialog, a worker that stops) does not break off a call under way: nobody
        would know what became of it.
        """
        beat = asyncio.create_task(_beat())
        delivery = asyncio.create_task(self._deliver(UUID(message_id)))
        try:
            return await asyncio.shield(delivery)
        except asyncio.CancelledError:
            return await delivery
        finally:
            beat.cancel()

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
        outgoing = claim.outgoing
        gateway = self._gateways.get(outgoing.channel_kind) or self._gateways["generic"]
        letter = Letter(
            outgoing.message_id, outgoing.channel_key, outgoing.address, outgoing.text, outgoing.attachments,
            outgoing.channel_settings,
        )  # fmt: skip
        try:
            if outgoing.is_doubtful:
                return await self._clear_up(gateway, letter)
            return await self._settle(message_id, Delivery.SENT, provider_id=await gateway.send(letter))
        except NotTakenError as refused:
            await self._put_back(outgoing, refused)
            raise ApplicationError(refused.reason, type="not_taken", next_retry_delay=refused.wait) from None
        except RefusedError as refused:
            return await self._settle(message_id, Delivery.FAILED, error=refused.reason)
        except AnswerLostError as lost:
            return await self._clear_up(gateway, letter, reason=lost.reason)

    async def _clear_up(self, gateway: ChannelGateway, letter: Letter, reason: str = "The sender stopped.") -> str:
        """Nobody knows whether the provider has it: ask by our id; never send a second time on a guess."""
        has_it, why = await self._ask_patiently(gateway, letter)
        reason = why or reason
        if has_it is None:
            return await self._settle(letter.message_id, Delivery.UNKNOWN, error=reason)
        if has_it:
            return await self._settle(letter.message_id, Delivery.SENT)
        raise NotTakenError(reason)

    async def _ask_patiently(self, gateway: ChannelGateway, letter: Letter) -> tuple[bool | None, str | None]:
        """A provider that cannot be asked is asked again a few times; then nobody knows. The row stays claimed."""
        why = None
        for pause in _ASK_AGAIN_AFTER:
            try:
                return await gateway.ask(letter), None
            except CannotAskError as error:
                why = error.reason
            await asyncio.sleep(pause)
        return None, why

    async def _put_back(self, outgoing: Outgoing, refused: NotTakenError) -> None:
        await transact(self._sessions, lambda work: messages.put_back(work, outgoing.message_id, refused.reason))

    async def _settle(
        self, message_id: UUID, delivery: Delivery, *, error: str | None = None, provider_id: str | None = None
    ) -> str:
        """Write it even if the database is away for a while: what the provider said is known here only."""

        async def story(work: Work) -> None:
            await messages.settle_delivery(work, message_id, delivery, error=error, provider_id=provider_id)

        until = asyncio.get_running_loop().time() + _HOLD_ON
        while True:
            try:
                await transact(self._sessions, story)
                return delivery.value
            except (DBAPIError, OSError):
                if asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(0.5)


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(_HEARTBEAT)
