"""One call to a channel's provider, and what it means when no answer came: asked by our id, never sent on a guess."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from temporalio import activity

from domain.messages import Delivery
from gateways.channels.outgoing import (
    AnswerLostError,
    CannotAskError,
    ChannelGateway,
    Letter,
    NotTakenError,
    RefusedError,
)
from store.engines import Sessions
from store.messages import Outgoing
from store.transactions import Work, transact

T = TypeVar("T")

_HEARTBEAT = 1.0
#: seconds between questions to a provider that cannot be asked
_ASK_AGAIN_AFTER = (1.0, 2.0, 4.0)
#: seconds a known answer waits for the database, well within the activity's own time
_HOLD_ON = 30.0


@dataclass(frozen=True, slots=True)
class Posted:
    """How the provider's part ended: sent, failed (it refused for good) or unknown; `error` is for a person."""

    delivery: Delivery
    error: str | None = None
    provider_id: str | None = None


class Postman:
    """`gateways`: channel kind → gateway; kinds without one of their own use `generic`."""

    def __init__(self, gateways: Mapping[str, ChannelGateway]) -> None:
        self._gateways = gateways

    async def post(self, outgoing: Outgoing) -> Posted:
        """Raises NotTakenError when the provider surely took nothing."""
        gateway = self._gateways.get(outgoing.channel_kind) or self._gateways["generic"]
        letter = Letter(
            outgoing.message_id, outgoing.channel_key, outgoing.address, outgoing.text, outgoing.attachments,
            outgoing.channel_settings,
        )  # fmt: skip
        if outgoing.is_doubtful:
            return await self._clear_up(gateway, letter)
        try:
            return Posted(Delivery.SENT, provider_id=await gateway.send(letter))
        except RefusedError as refused:
            return Posted(Delivery.FAILED, refused.reason)
        except AnswerLostError as lost:
            return await self._clear_up(gateway, letter, reason=lost.reason)

    async def _clear_up(self, gateway: ChannelGateway, letter: Letter, reason: str = "The sender stopped.") -> Posted:
        """Nobody knows whether the provider has it: ask by our id; never send a second time on a guess."""
        has_it, why = await self._ask_patiently(gateway, letter)
        reason = why or reason
        if has_it is None:
            return Posted(Delivery.UNKNOWN, reason)
        if has_it:
            return Posted(Delivery.SENT)
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


async def write_down(sessions: Sessions, story: Callable[[Work], Awaitable[T]]) -> T:
    """In a transaction, even if the database is away for a while: what the provider said is known here only."""
    until = asyncio.get_running_loop().time() + _HOLD_ON
    while True:
        try:
            return (await transact(sessions, story))[0]
        except (DBAPIError, OSError):
            if asyncio.get_running_loop().time() > until:
                raise
        await asyncio.sleep(0.5)


async def to_the_end(work: Awaitable[T]) -> T:
    """With heartbeats, and to its end even if the activity is cancelled: nobody else would know how a call ended."""
    beat = asyncio.create_task(_beat())
    delivery = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(delivery)
    except asyncio.CancelledError:
        return await delivery
    finally:
        beat.cancel()


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(_HEARTBEAT)
