"""Which schedules active definitions want, and what a firing launches."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, text

from domain.run_launches import FiringLook, FiringSeen
from domain.runs import ENDED
from domain.triggers import Occasion
from store.engines import Sessions
from store.reactions import finish as finish_reactions
from store.tables import Run, Trigger
from store.transactions import Work
from store.triggers import start_all, taken_by
from store.workflow_runs import note_run

#: triggers a definition may have; positions beyond them never had a schedule
MOST = 20

_DUE = text("""
SELECT substr(workflow_id, 10) AS definition, array_agg(id) AS ids FROM reactions
WHERE done_at IS NULL AND workflow_id LIKE 'schedule:%' AND not_before <= clock_timestamp() GROUP BY 1
""")
_DONE = text("UPDATE reactions SET done_at = clock_timestamp() WHERE workflow_id = :me AND done_at IS NULL")


async def due(sessions: Sessions) -> dict[str, list[int]]:
    """definition → ids of its open reactions."""
    async with sessions() as session:
        return {r.definition: list(r.ids) for r in await session.execute(_DUE)}


async def finish(sessions: Sessions, ids: Iterable[int]) -> None:
    async with sessions.begin() as session:
        await finish_reactions(session, ids)


async def timetables_of(sessions: Sessions, definition: str) -> dict[int, dict[str, Any]]:
    """position → timetable."""
    return (await all_timetables(sessions, definition)).get(definition, {})


async def all_timetables(sessions: Sessions, definition: str | None = None) -> dict[str, dict[int, dict[str, Any]]]:
    asked = select(Trigger).where(Trigger.kind == "schedule")
    if definition is not None:
        asked = asked.where(Trigger.definition_key == definition)
    found: dict[str, dict[int, dict[str, Any]]] = {}
    async with sessions() as session:
        for row in await session.scalars(asked):
            found.setdefault(row.definition_key, {})[row.position] = row.body["schedule"]
    return found


async def fire(work: Work, look: FiringLook) -> FiringSeen:
    """Launch what this firing is for, once; a repeated look answers how that run is. Nothing when it is not active."""
    await work.read_clock()
    if look.temporal_run_id is not None:
        await note_run(work.session, look.workflow_id, look.temporal_run_id)
    await work.session.execute(_DONE, {"me": look.workflow_id})
    firing = look.firing
    trigger = await work.session.get(Trigger, (firing.definition, firing.position))
    occasion = Occasion("schedule", look.workflow_id, {"event": "schedule", "workflow_id": look.workflow_id})
    is_taken, run_id = await taken_by(work.session, firing.definition, occasion)
    if not is_taken:
        if trigger is None or trigger.kind != "schedule":
            return FiringSeen(why="not active")
        started = await start_all(work, [trigger], occasion)
        if not started:
            return FiringSeen(why="refused")
        _, run_id = await taken_by(work.session, firing.definition, occasion)
    if run_id is None:
        return FiringSeen(why="refused")
    status = await work.session.scalar(select(Run.status).where(Run.id == run_id))
    return FiringSeen(str(run_id), is_over=status is None or status in ENDED)
