"""A run's message on its way out: one attempt, and what the step is told of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.posting import Posted, Postman, write_down
from domain.messages import Delivery
from domain.run_messages import Acted, Deliver, Trouble
from domain.walks.ports import Done
from gateways.channels.outgoing import LimitedError, NotTakenError
from store import deliveries, item_gates, messages
from store.deliveries import StepClaim
from store.engines import Sessions
from store.messages import Outgoing
from store.snapshots import snapshot_of
from store.transactions import Work, transact

#: seconds of waiting for a turn that are not worth another attempt of the activity
_SHORT = 2.0
_BEHIND = timedelta(seconds=1)
BENIGN, UNSPECIFIED = ApplicationErrorCategory.BENIGN, ApplicationErrorCategory.UNSPECIFIED
_GONE = frozenset({Delivery.SENT, Delivery.DELIVERED, Delivery.READ})


class StepDelivery:
    def __init__(self, sessions: Sessions, postman: Postman, order: Deliver) -> None:
        self._sessions, self._postman, self._order = sessions, postman, order
        self._id, self._key, self._retry = UUID(order.message_id), order.deed.key, order.deed.retry

    async def carry_out(self) -> Acted:
        claim = await self._claim()
        while claim.state == "waits" and claim.wait <= _SHORT:
            await asyncio.sleep(claim.wait)
            claim = await self._claim()
        if claim.outgoing is None:
            return await self._unclaimed(claim)
        outgoing = claim.outgoing
        try:
            posted = await self._postman.post(outgoing)
        except LimitedError as limited:
            return await self._limited(outgoing, limited)
        except NotTakenError as refused:
            return await self._not_taken(outgoing, refused)
        return await self._settle(posted, outgoing.attempts)

    async def _claim(self) -> StepClaim:
        async def story(work: Work) -> StepClaim:
            await item_gates.write_down(work, self._order.bearings)
            return await deliveries.claim(work, self._id, self._key, self._order.bearings)

        return (await transact(self._sessions, story))[0]

    async def _unclaimed(self, claim: StepClaim) -> Acted:
        match claim.state:
            case "halted":
                return Acted(halted=claim.halted)
            case "stopped":
                return _failed("channel_error", claim.error or "", kill_switch=True)
            case "behind":
                return await self._later("An earlier message of this dialog is on its way.", "behind", _BEHIND)
            case "waits":
                return await self._later("It waits for its turn.", "rate_limited", timedelta(seconds=claim.wait))
        posted = Posted(Delivery(claim.delivery or Delivery.FAILED), claim.error)
        return await self._told(posted, claim.attempts)

    async def _limited(self, outgoing: Outgoing, limited: LimitedError) -> Acted:
        """The provider asks us to slow down: no attempt of ours failed, and the channel is closed until then."""
        if "rate_limited" not in self._retry.on:
            return await self._settle(Posted(Delivery.FAILED, limited.reason), outgoing.attempts, "rate_limited")
        wait = limited.wait or timedelta(seconds=self._retry.pause_after(max(1, outgoing.attempts)))

        async def story(work: Work) -> None:
            await deliveries.put_back_limited(work, outgoing, limited.reason, wait.total_seconds())

        await write_down(self._sessions, story)
        return await self._later(limited.reason, "rate_limited", wait)

    async def _not_taken(self, outgoing: Outgoing, refused: NotTakenError) -> Acted:
        attempts = outgoing.attempts
        if attempts >= self._retry.max_attempts or "unavailable" not in self._retry.on:
            return await self._settle(Posted(Delivery.FAILED, refused.reason), attempts, "unavailable")
        await write_down(self._sessions, lambda work: messages.put_back(work, self._id, refused.reason))
        pause = timedelta(seconds=self._retry.pause_after(max(1, attempts)))
        return await self._later(refused.reason, "unavailable", max(pause, refused.wait or pause))

    async def _later(self, why: str, type: str, delay: timedelta) -> Acted:
        """Raises the error that makes the activity be tried again, unless its time is over by then."""
        info = activity.info()
        if info.schedule_to_close_timeout:
            left = info.scheduled_time + info.schedule_to_close_timeout - datetime.now(UTC)
            if delay >= left:
                error = f"It could not be sent in time. {why}"
                return await self._settle(Posted(Delivery.FAILED, error), info.attempt, "timeout")
        category = BENIGN if type in ("behind", "rate_limited") else UNSPECIFIED
        raise ApplicationError(
            why, type=type, next_retry_delay=max(delay, timedelta(milliseconds=50)), category=category
        )

    async def _settle(self, posted: Posted, attempts: int, type: str = "channel_error") -> Acted:
        async def story(work: Work) -> None:
            work.run_id = self._order.bearings.run_id
            await deliveries.settle(
                work, self._id, self._key, posted.delivery, error=posted.error, provider_id=posted.provider_id
            )

        await write_down(self._sessions, story)
        return await self._told(posted, attempts, type)

    async def _told(self, posted: Posted, attempts: int, type: str = "channel_error") -> Acted:
        """What the step is told of a delivery that has ended."""
        attempts = max(1, attempts)
        if posted.delivery == Delivery.UNKNOWN:
            why = posted.error or "The provider never said."
            message = f"Nobody knows whether the message was sent; it is not sent again. {why}"
            return Acted(trouble=Trouble("unknown_effect", message, attempts=attempts, needs_attention=True))
        if posted.delivery not in _GONE:
            return _failed(type, posted.error or "The message was not sent.", attempts)
        async with self._sessions() as session:
            result = await deliveries.planned_result(session, self._key)
            dialog = result.get("dialog_id") or self._order.deed.dialog_id
            contact = self._order.deed.contact_id
            snapshot = await snapshot_of(session, UUID(dialog) if dialog else None, UUID(contact) if contact else None)
        return Acted(Done(result, attempts, snapshot))


def _failed(type: str, message: str, attempts: int = 1, **details: bool) -> Acted:
    """The attempts are made already: the step does not begin anew."""
    return Acted(trouble=Trouble(type, message, details, attempts, again=False))
