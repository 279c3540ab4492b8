"""What a run says to a client, on its way out: its gates, its turn under the rates, its claim, its effect's end.

The message's row is the ledger (DECISIONS 31): whoever finds it claimed asks the provider and never sends on a guess.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.messages import UNSETTLED, Delivery
from domain.rates import Rate, parse_rate
from domain.run_messages import Bearings
from store import effects, item_gates, messages, rates, settings
from store.messages import Outgoing
from store.tables import Effect, Message
from store.transactions import Work

_FACTS = text("""
SELECT c.kind, c.rate, c.sending_stopped_at IS NOT NULL AS is_stopped,
       (SELECT canonical #> '{mass,rate}' FROM runs WHERE id = :run) AS rates
FROM channels c WHERE c.key = :channel
""")
_TURN = text("UPDATE messages SET not_before = CAST(:now AS timestamptz) + make_interval(secs => :wait) WHERE id = :id")
STOPPED = "Sending is stopped for this channel."
CANCELLED = "The run was cancelled before this was sent."


@dataclass(frozen=True, slots=True)
class StepClaim:
    """state: claimed; settled (`delivery` says how); behind (an earlier message goes first); waits (`wait` seconds for
    its turn); halted (`halted` says why, and nothing will be sent unless the run was only paused); stopped (by the
    kill switch).
    """

    state: str
    outgoing: Outgoing | None = None
    wait: float = 0.0
    halted: str | None = None
    delivery: str | None = None
    error: str | None = None
    attempts: int = 0


async def claim(work: Work, message_id: UUID, key: str, bearings: Bearings) -> StepClaim:
    """Claim a run's message for one call to its provider, when everything lets it through.

    `key` of the step's effect, which is let go where nothing will be sent. A claimed row is never gated: somebody has
    to find out what became of it.
    """
    work.run_id = bearings.run_id
    row = await work.session.scalar(select(Message).where(Message.id == message_id).with_for_update())
    if row is None:
        return StepClaim("settled", delivery=Delivery.FAILED, error="The message is gone.")
    if row.delivery not in UNSETTLED:
        return StepClaim("settled", delivery=row.delivery, error=row.delivery_error, attempts=row.attempts)
    if row.delivery == Delivery.SENDING:
        return StepClaim("claimed", await messages.take(work, row))
    await work.read_clock()
    halted = await item_gates.halted(work, bearings)
    if halted is not None:
        if halted != item_gates.PAUSED:
            await settle(work, row.id, key, Delivery.FAILED, error=CANCELLED)
        return StepClaim("halted", halted=halted)
    facts = (await work.session.execute(_FACTS, {"run": bearings.run_id, "channel": row.channel_key})).one()
    if facts.is_stopped or await settings.value_of(work.session, "sending_stopped"):
        await settle(work, row.id, key, Delivery.FAILED, error=STOPPED)
        return StepClaim("stopped", error=STOPPED)
    if await messages.goes_after_another(work.session, row):
        return StepClaim("behind")
    wait = await _wait_for_turn(work, row, facts, bearings.run_id)
    return StepClaim("waits", wait=wait) if wait > 0 else StepClaim("claimed", await messages.take(work, row))


async def _wait_for_turn(work: Work, row: Message, facts: Row[Any], run_id: UUID) -> float:
    """Seconds until the message may go. A turn once taken is kept in its row, so that asking again takes no other."""
    closed = await rates.closed_for(work.session, _closed_key(row.channel_key), work.now)
    if row.not_before is not None and closed <= 0:
        return max(0.0, (row.not_before - work.now).total_seconds())
    waits = [closed]
    for bucket, rate in _limits(row.channel_key, facts, run_id):
        waits.append(await rates.reserve(work.session, bucket, rate, work.now))
    wait = max(waits)
    await work.session.execute(_TURN, {"id": row.id, "now": work.now, "wait": wait})
    return wait


def _limits(channel: str, facts: Row[Any], run_id: UUID) -> list[tuple[str, Rate]]:
    """The account's own rate, and the run's for this channel or kind; in the order in which their rows are locked."""
    limits = []
    if facts.rate is not None:
        limits.append((f"channel:{channel}", parse_rate(facts.rate)))
    for name in (channel, facts.kind, "default"):
        if name in (facts.rates or {}):
            limits.append((f"run:{run_id}:{name}", parse_rate(facts.rates[name])))
            break
    return sorted(limits)


def _closed_key(channel: str) -> str:
    return f"closed:{channel}"


async def put_back_limited(work: Work, outgoing: Outgoing, reason: str, wait: float) -> None:
    """The provider says that we send too much: this was no attempt, and no turn here is before then."""
    await messages.put_back(work, outgoing.message_id, reason, counts=False)
    await work.read_clock()
    await rates.close(work.session, _closed_key(outgoing.channel_key), work.now, wait)
    await rates.close(work.session, f"channel:{outgoing.channel_key}", work.now, wait)


async def settle(
    work: Work,
    message_id: UUID,
    key: str,
    delivery: Delivery,
    *,
    error: str | None = None,
    provider_id: str | None = None,
) -> None:
    """How the delivery ended, in the row and in the ledger, at once. What surely was not sent may be done again."""
    await messages.settle_delivery(work, message_id, delivery, error=error, provider_id=provider_id)
    if delivery == Delivery.FAILED:
        await effects.let_go(work, key)
    else:
        await effects.settle(work, key, "done" if delivery == Delivery.SENT else "unknown")


async def withdraw_in(work: Work, run_id: UUID, seq: int) -> int:
    """What an item has prepared and nobody is sending will never be sent. Answers how many messages that were."""
    rows = await work.session.execute(
        select(Message.id, Effect.key)
        .join(Effect, Effect.provider_ref == text("messages.id::text"))
        .where(
            Effect.run_id == run_id, Effect.seq == seq, Effect.status == "started",
            Message.delivery == Delivery.QUEUED,
        )
        .order_by(Message.id)
        .with_for_update(of=Message)
    )  # fmt: skip
    found = rows.all()
    for message_id, key in found:
        await settle(work, message_id, key, Delivery.FAILED, error=CANCELLED)
    return len(found)


async def is_in_doubt(work: Work, run_id: UUID, seq: int) -> bool:
    """Whether a message of the item is with its provider and nobody has heard what became of it."""
    query = select(Message.id).join(Effect, Effect.provider_ref == text("messages.id::text")).where(
        Effect.run_id == run_id, Effect.seq == seq, Message.delivery.in_((Delivery.SENDING, Delivery.UNKNOWN))
    )  # fmt: skip
    return await work.session.scalar(query.limit(1)) is not None


async def planned_result(session: AsyncSession, key: str) -> dict[str, Any]:
    """What the step answers once its message is sent, as it was prepared."""
    found: dict[str, Any] | None = await session.scalar(select(Effect.result).where(Effect.key == key))
    return found or {}
