"""The self-check: what should never be found. Each finding is mended, and told as an anomaly."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from domain.distribution import plan
from domain.events import Fact
from store.candidates import candidates_in
from store.distribution import drain, methods_of, waiting_in
from store.engines import Sessions
from store.exclusions import lift_lone_exclusions, lone_ends
from store.loads import recount
from store.reactions import drains_due, finish
from store.transactions import Work, transact


@dataclass(frozen=True, slots=True)
class Findings:
    """`missed`: dialogs that waited although somebody had room. `late_offers`, `lapsed`: nobody looked in time.
    `miscounted`: people whose load was not that of their slots.
    """

    missed: int
    late_offers: tuple[UUID, ...]
    lapsed: tuple[UUID, ...]
    miscounted: int = 0


async def drain_team(sessions: Sessions, team: str, done: list[int] | None = None) -> tuple[int, set[str]]:
    """Carry out due `drain_due` rows of a team: one round of its queue; answers how many went."""

    async def story(work: Work) -> int:
        await work.lock_teams([team])
        await work.read_clock()
        if done:
            await finish(work.session, done)
        return len(await drain(work, {team}, cause="drain_due"))

    return await transact(sessions, story)


async def due_drains(sessions: Sessions) -> dict[str, list[int]]:
    async with sessions() as session:
        return await drains_due(session)


async def sweep(sessions: Sessions) -> tuple[Findings, set[str]]:
    """Look over everything once. A finding is an anomaly: an event, and mended."""
    async with sessions() as session:
        teams = [r[0] for r in await session.execute(text("SELECT key FROM teams WHERE auto AND active"))]
        late = await session.execute(
            text(
                "SELECT id FROM transfers WHERE state = 'pending'"
                " AND deadline < clock_timestamp() - interval '5 seconds' ORDER BY deadline"
            )
        )
        late_offers = tuple(r[0] for r in late)
        gone = await session.execute(
            text(
                "SELECT l.operator_id FROM presence_leases l JOIN operators o ON o.user_id = l.operator_id"
                " WHERE l.lapsed_at IS NULL AND l.lease_until < clock_timestamp() - interval '5 seconds'"
                " AND o.status <> 'offline'"
            )
        )
        lapsed = tuple(r[0] for r in gone)
    miscounted = await recount(sessions)
    missed, rings = 0, set[str]()
    for team in teams:
        found, more = await transact(sessions, lambda work, key=team: _check_team(work, key))  # type: ignore[misc]
        missed += found
        rings |= more
    return Findings(missed, late_offers, lapsed, miscounted), rings


async def _check_team(work: Work, team: str) -> int:
    await work.lock_teams([team])
    await work.read_clock()
    methods = await methods_of(work, [team])
    waiting = await waiting_in(work, methods, forced=False) if methods else []
    if not waiting:
        return 0
    candidates = await candidates_in(work, methods, {w.contact_id for w in waiting})
    waiting = lift_lone_exclusions(waiting, candidates, work.now, await lone_ends(work, waiting))
    could_go = plan(waiting, candidates, methods, now=work.now)
    due = await work.session.scalar(
        text(
            "SELECT count(*) FROM reactions WHERE done_at IS NULL AND workflow_id = 'team:' || :team"
            " AND not_before <= clock_timestamp()"
        ),
        {"team": team},
    )
    if not could_go or due:
        return 0
    work.record(Fact.ANOMALY_FOUND, team=team, missed=[str(d.dialog_id) for d in could_go])
    await drain(work, {team}, cause="sweep")
    return len(could_go)
