"""Who is there: the chosen status, the lease a connection keeps alive, and what follows when either ends."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import presence as rules
from domain.errors import NotFoundError
from domain.events import Fact
from domain.presence import Presence
from domain.workflow_ids import of_presence
from store import transfers
from store.distribution import drain
from store.exclusions import teams_of_ended_exclusions
from store.tables import Operator, PresenceInterval, PresenceLease
from store.transactions import GroundMovedError, Work, team_keys_of

_RENEW = text("""
UPDATE presence_leases SET seen_at = clock_timestamp(),
       lease_until = greatest(lease_until, clock_timestamp() + make_interval(secs => :lease))
WHERE operator_id = :id AND lapsed_at IS NULL AND lease_until > clock_timestamp()
RETURNING lease_until
""")


async def renew(session: AsyncSession, operator_id: UUID) -> datetime | None:
    """A heartbeat: one small row, no locks, no workflow. None when the lease had ended: then `come_back`."""
    until: datetime | None = await session.scalar(_RENEW, {"id": operator_id, "lease": rules.LEASE.total_seconds()})
    return until


async def choose_status(
    work: Work, operator_id: UUID, status: Presence, *, reason: str | None, lease: int | None, forced_by: UUID | None
) -> dict[str, Any]:
    """Set the chosen status. Going online drains the queues in this transaction; leaving rescinds offers.

    Raises NotFoundError, InvalidError for a lease out of range.
    """
    if lease is not None:
        rules.require_lease(lease)
    operator = await _lock(work, operator_id)
    before = operator.status
    until = await _extend(work, operator_id, lease=lease, by_owner=forced_by is None)
    if before != status or operator.status_reason != reason:
        operator.status, operator.status_reason = status, reason
        if before != status:
            operator.status_since = work.now
            await _turn_interval(work, operator_id, status, forced_by)
        work.record(
            _fact(before, status), operator_id=operator_id, before={"status": before},
            after={"status": status.value, "reason": reason}, forced=forced_by is not None,
        )  # fmt: skip
    await work.session.flush()
    await _follow_up(work, operator_id, can_receive=rules.can_receive(status, until, work.now), reason=status.value)
    if status == Presence.ONLINE or before == Presence.ONLINE:
        work.react(of_presence(operator_id), "presence_changed")
    return {"status": status.value, "reason": reason, "lease_until": until.isoformat() if until else None}


async def come_back(work: Work, operator_id: UUID) -> dict[str, Any]:
    """Somebody whose lease had ended is heard of again: their chosen status counts again, and queues move."""
    operator = await _lock(work, operator_id)
    lapsed = await work.session.scalar(select(PresenceLease.lapsed_at).where(PresenceLease.operator_id == operator_id))
    until = await _extend(work, operator_id, lease=None, by_owner=True)
    if lapsed is not None and operator.status != Presence.OFFLINE:
        work.record(Fact.OPERATOR_BACK, operator_id=operator_id, after={"status": operator.status})
    await work.session.flush()
    if operator.status == Presence.ONLINE:
        await _follow_up(work, operator_id, can_receive=True, reason="back")
        work.react(of_presence(operator_id), "presence_changed")
    return {"status": operator.status, "lease_until": until.isoformat() if until else None}


async def judge(work: Work, operator_id: UUID, *, grace: timedelta) -> datetime | None:
    """What the presence workflow does on waking: answers when to look again, None when there is nothing to wait for.

    A lease that ended blocks new dialogs and rescinds offers; after the grace `operator.absent` is told once.
    """
    operator = await _lock(work, operator_id)
    lease = await work.session.scalar(
        select(PresenceLease).where(PresenceLease.operator_id == operator_id).with_for_update()
    )
    if operator.status == Presence.OFFLINE or lease is None:
        return None
    if lease.lease_until > work.now:
        return lease.lease_until
    if lease.lapsed_at is None:
        lease.lapsed_at = lease.lease_until
        work.record(
            Fact.OPERATOR_LOST, operator_id=operator_id, at=lease.lease_until, last_seen=lease.seen_at.isoformat()
        )
        await work.session.flush()
        await _follow_up(work, operator_id, can_receive=False, reason="connection_lost")
    absent_from = lease.lapsed_at + grace
    if lease.absent_at is None and absent_from <= work.now:
        lease.absent_at = absent_from
        held = await work.session.scalar(
            text("SELECT count(*) FROM dialogs WHERE operator_id = :id"), {"id": operator_id}
        )
        work.record(Fact.OPERATOR_ABSENT, operator_id=operator_id, at=absent_from, holds=held)
    return absent_from if lease.absent_at is None else None


async def _lock(work: Work, operator_id: UUID) -> Operator:
    """Teams first (the person's and those of offers to them), then the person's row, then the clock."""
    offers = await transfers.teams_of_offers_to(work, operator_id)
    await work.lock_teams(await team_keys_of(work.session, [operator_id]) | offers)
    if not await transfers.teams_of_offers_to(work, operator_id) <= work.teams:
        raise GroundMovedError
    operator = await work.session.scalar(
        select(Operator).where(Operator.user_id == operator_id).with_for_update(key_share=True)
    )
    if operator is None:
        raise NotFoundError("There is no such operator.")
    await work.read_clock()
    return operator


async def _follow_up(work: Work, operator_id: UUID, *, can_receive: bool, reason: str) -> None:
    if can_receive:
        teams = await team_keys_of(work.session, [operator_id])
        if teams:
            await drain(work, teams, cause="online")
    else:
        await transfers.rescind_offers_to(work, operator_id, reason=f"target_{reason}")
        if alone := await teams_of_ended_exclusions(work, await team_keys_of(work.session, [operator_id])):
            await drain(work, alone, cause="left_alone")


async def _extend(work: Work, operator_id: UUID, *, lease: int | None, by_owner: bool) -> datetime | None:
    """A person's own act renews the lease; an asked-for lease sets it. Somebody else's act leaves it."""
    if not by_owner and lease is None:
        return await work.session.scalar(
            select(PresenceLease.lease_until).where(PresenceLease.operator_id == operator_id)
        )
    until = work.now + (timedelta(seconds=lease) if lease is not None else rules.LEASE)
    row = upsert(PresenceLease).values(operator_id=operator_id, lease_until=until, seen_at=work.now)
    kept = until if lease is not None else func.greatest(PresenceLease.lease_until, row.excluded.lease_until)
    return await work.session.scalar(
        row.on_conflict_do_update(
            index_elements=["operator_id"],
            set_={"lease_until": kept, "seen_at": work.now, "lapsed_at": None, "absent_at": None},
        ).returning(PresenceLease.lease_until)
    )


async def _turn_interval(work: Work, operator_id: UUID, status: Presence, by: UUID | None) -> None:
    await work.session.execute(
        text("UPDATE presence_intervals SET ended_at = :now WHERE operator_id = :id AND ended_at IS NULL"),
        {"now": work.now, "id": operator_id},
    )
    work.session.add(PresenceInterval(operator_id=operator_id, status=status.value, started_at=work.now, set_by=by))


def _fact(before: str, after: Presence) -> Fact:
    if after == Presence.ONLINE:
        return Fact.OPERATOR_ONLINE
    if after == Presence.OFFLINE:
        return Fact.OPERATOR_OFFLINE
    return Fact.OPERATOR_STATUS_CHANGED


async def lease_state(session: AsyncSession, operator_id: UUID) -> str:
    """none (never there, or offline by choice), alive, or ended (chosen status stands, connection lost)."""
    row = (
        await session.execute(
            text(
                "SELECT o.status, l.lapsed_at IS NULL AND l.lease_until > clock_timestamp() AS alive"
                " FROM operators o LEFT JOIN presence_leases l ON l.operator_id = o.user_id WHERE o.user_id = :id"
            ),
            {"id": operator_id},
        )
    ).one_or_none()
    if row is None or row.status == Presence.OFFLINE:
        return "none"
    return "alive" if row.alive else "ended"
