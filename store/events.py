"""Reading the numbered events."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.streams import Heard
from store.dialog_rows import relations_of
from store.tables import Event, TeamMember

PAGE = 1000
#: by one call of number_events() in the database
NUMBERED_AT_ONCE = 10_000


async def number_events(session: AsyncSession) -> int:
    """Give committed events their numbers, in id order; answers the newest number."""
    return int(await session.scalar(text("SELECT number_events()")) or 0)


async def open_snapshot(session: AsyncSession) -> int:
    """Begin a snapshot for reading; answers the newest number it knows.

    Its statements are planned for their values: a status that hardly any dialog has, or nearly all, is no average.
    """
    return int(
        await session.scalar(
            text(
                "SELECT coalesce((SELECT max(seq) FROM events), 0)"
                " FROM (SELECT set_config('plan_cache_mode', 'force_custom_plan', true)) AS planned"
            )
        )
        or 0
    )


async def newest_seq(session: AsyncSession) -> int:
    return int(await session.scalar(select(func.coalesce(func.max(Event.seq), 0))) or 0)


async def can_resume(session: AsyncSession, seq: int) -> bool:
    """Whether everything after `seq` can still be told: not from a number we never gave, nor one older than 7 days."""
    newest = await newest_seq(session)
    if seq >= newest:
        return seq == newest
    first = text("SELECT at > now() - interval '7 days' FROM events WHERE seq = :seq")
    return bool(await session.scalar(first, {"seq": seq + 1}))


async def heard_after(session: AsyncSession, seq: int, *, limit: int = PAGE) -> list[Heard]:
    """The next events in the order of their numbers, with the relations that decide who hears of them."""
    rows = (await session.scalars(select(Event).where(Event.seq > seq).order_by(Event.seq).limit(limit))).all()
    relations = await relations_of(session, list({r.dialog_id for r in rows if r.dialog_id}))
    people = {r.operator_id for r in rows if r.dialog_id is None and r.operator_id}
    teams: dict[UUID, set[str]] = {}
    if people:
        members = select(TeamMember.user_id, TeamMember.team_key).where(TeamMember.user_id.in_(people))
        for member in await session.execute(members):
            teams.setdefault(member.user_id, set()).add(member.team_key)
    return [
        Heard(
            r.seq or 0, r.kind, r.at, r.dialog_id, r.team_key, r.operator_id, r.actor_kind, r.actor_id, r.data,
            relations.get(r.dialog_id) if r.dialog_id else None,
            frozenset(teams.get(r.operator_id, ())) if r.operator_id else frozenset(),
        )
        for r in rows
    ]  # fmt: skip
