"""Deadlines that nobody's fact came before: one dialog's on waking, and others' in the order of their moments."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from domain.clocks.reckoning import settle
from store.clocks.timed import OPEN_CLOCK, Reading, clock_of
from store.clocks.writing import Change, Place, write

if TYPE_CHECKING:
    from store.transactions import Work

BATCH = 100
#: seconds: whose moment passed longer ago has nobody looking
UNSEEN = 30.0
#: one worker at a time carries out what is due of others
_TURN = text("SELECT pg_try_advisory_xact_lock(8, 1)")
_LOCK = text("SELECT id FROM dialogs WHERE id = :dialog FOR NO KEY UPDATE")
#: whoever holds a row settles it, or wakes up for it
_LOCK_DUE = text("""
SELECT id FROM dialogs WHERE id IN (
    SELECT dialog_id FROM clocks WHERE next_at <= clock_timestamp() ORDER BY next_at LIMIT :most)
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
""")
_DUE = text(f"""
WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now)
SELECT clock.now, d.id, d.contact_id, d.team_key, d.topic_key, d.priority, d.operator_id, td.wakes_at,
       td.dialog_id IS NOT NULL AS keeps_time,
       CASE WHEN d.status = 'pending' THEN d.pending_until END AS pending_until,
       (SELECT min(next_at) FROM clocks c WHERE c.dialog_id = d.id AND c.next_at > clock.now) AS later,
       (SELECT coalesce(jsonb_agg({OPEN_CLOCK}), '[]'::jsonb) FROM clocks c
        WHERE c.dialog_id = d.id AND c.next_at <= clock.now) AS clocks
FROM clock CROSS JOIN dialogs d LEFT JOIN timed_dialogs td ON td.dialog_id = d.id
WHERE d.id = ANY(:ids)
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_OTHERS_DUE = text(
    "SELECT EXISTS (SELECT FROM clocks WHERE next_at <= clock_timestamp() AND dialog_id <> :dialog)"
)  # fmt: skip
_UNSEEN = text("""
WITH late AS (SELECT clock_timestamp() - make_interval(secs => :age) AS moment)
SELECT dialog_id FROM clocks, late WHERE next_at < late.moment
UNION SELECT id FROM dialogs, late WHERE pending_until < late.moment AND status = 'pending'
LIMIT 500
""")


@dataclass(frozen=True, slots=True)
class Seen:
    """`next_at`: when there is something to look at again. `is_pending_due`: the ticket is to open again now."""

    now: datetime
    next_at: datetime | None = None
    is_pending_due: bool = False
    others_due: bool = False
    is_known: bool = True


async def look(work: "Work", dialog_id: UUID) -> Seen:
    """Fire what is due of this dialog, each dated at its own moment, and write down when its workflow wakes again."""
    if await work.session.scalar(_LOCK, {"dialog": dialog_id}) is None:
        return Seen(await work.read_clock(), is_known=False)
    row = (await work.session.execute(_DUE, {"ids": [dialog_id]})).one()
    work.moment = row.now
    change = _settled(row, Reading())
    moments = [*(clock.next_at for clock in change.after), row.later, row.pending_until]
    next_at: datetime | None = min((m for m in moments if m is not None), default=None)
    if row.keeps_time:
        change.wakes = (row.wakes_at, next_at)
    await write(work, [change])
    others = await work.session.scalar(_OTHERS_DUE, {"dialog": dialog_id})
    is_due = row.pending_until is not None and row.pending_until <= row.now
    return Seen(row.now, next_at, is_due, bool(others))


async def settle_burst(work: "Work") -> int:
    """Fire what is due of up to BATCH dialogs, the earliest first; answers of how many. 0 too while another worker is
    at it, and where whoever holds the rows will do it.
    """
    if not await work.session.scalar(_TURN):
        return 0
    ids = list(await work.session.scalars(_LOCK_DUE, {"most": BATCH}))
    if not ids:
        return 0
    rows = (await work.session.execute(_DUE, {"ids": ids})).all()
    work.moment = rows[0].now
    read = Reading()
    changes = [_settled(row, read) for row in rows]
    await write(work, sorted((c for c in changes if c.fired), key=lambda c: c.fired[0][0].at))
    return len(ids)


async def unseen(session: AsyncSession) -> tuple[UUID, ...]:
    """Dialogs whose moment passed a while ago, and nobody has looked."""
    return tuple(await session.scalars(_UNSEEN, {"age": UNSEEN}))


def _settled(row: Any, read: Reading) -> Change:
    clocks = tuple(clock_of(told, read) for told in row.clocks)
    settled = settle(clocks, row.now)
    return Change(
        Place(row.id, row.contact_id, row.team_key, row.topic_key, row.priority), clocks, settled.clocks,
        tuple((firing, row.operator_id) for firing in settled.firings), (row.wakes_at, row.wakes_at),
    )  # fmt: skip
