"""The clocks of a dialog as somebody who may read it is told of them."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.clocks.aims import settle
from domain.clocks.clocks import Clock
from domain.clocks.deadlines import earliest
from domain.clocks.explanations import Reader
from domain.clocks.tellings import told
from domain.permissions import Viewer
from store import settings
from store.clocks.timed import OPEN_CLOCK, Reading, clock_of
from store.dialog_rows import require_readable
from store.threads import names_of

_CLOCKS = text(f"""
SELECT {OPEN_CLOCK} AS clock, c.ended_at, c.result FROM clocks c WHERE c.dialog_id = :dialog
ORDER BY c.state = 'ended', coalesce(c.ended_at, c.started_at) DESC, c.metric, c.status LIMIT :limit
""")
_COUNT = text("SELECT now() AS now, (SELECT count(*) FROM clocks WHERE dialog_id = :dialog) AS total")


async def clocks_of(
    session: AsyncSession, viewer: Viewer, dialog_id: UUID, *, language: str, limit: int = 50
) -> dict[str, Any]:
    """The open ones, then those that ended, the latest first. Changes nothing, but a passed deadline is told as passed.

    Moments are told in the zone of the clock's calendar; without one in that of the house, as timelines are.
    Raises NotFoundError, also for a dialog the viewer may not read.
    """
    await require_readable(session, viewer, dialog_id)
    known = (await session.execute(_COUNT, {"dialog": dialog_id})).one()
    rows = (await session.execute(_CLOCKS, {"dialog": dialog_id, "limit": limit})).all()
    read = Reading()
    kept = (replace(clock_of(r.clock, read), ended_at=r.ended_at, result=r.result) for r in rows)
    clocks = settle(kept, known.now).clocks
    reader = await _reader(session, clocks, language, known.now)
    of_the_house = replace(reader, zone=await settings.value_of(session, "time_zone"))
    due_at = earliest(clocks)
    return {
        "dialog_id": dialog_id,
        "now": known.now,
        "due_at": due_at,
        "is_overdue": due_at is not None and due_at <= known.now,
        "clocks": [told(clock, reader if clock.calendar_ref else of_the_house) for clock in clocks],
        "left_off": known.total - len(clocks),
    }


async def _reader(session: AsyncSession, clocks: tuple[Clock, ...], language: str, now: datetime) -> Reader:
    people = {line.actor_id for clock in clocks for line in clock.ledger if line.actor_id is not None}
    return Reader(language, now, (await names_of(session, people)).get)
