"""The relay's rounds: ring for rows nobody acted on, resend commands, drain on, look everything over.

One leader at a time, by an advisory lock on a connection of its own: when that breaks, another takes over.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain import workflow_ids
from domain.commands import Request
from domain.errors import DomainError, UnavailableError
from relay import schedules
from relay.ringing import Bell
from relay.sending import AnswerPendingError, send
from store import matching, pending_commands, reactions, sweeps
from store.clocks import settling
from store.engines import Sessions
from store.orphans import orphans
from store.run_retention import prune_runs

log = structlog.get_logger("relay")

ROUND = 0.5
OLD = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between two rings for the same open rows."""
SWEEP_EVERY = 60.0
PRUNE_EVERY = 3600.0
GATHER = 0.1
"""Seconds: events of one moment are matched together."""
_LEADER_LOCK = 4

Archive = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class _Rung:
    """A workflow was reached for its open rows up to `row`; not again for the same before `until`."""

    row: int
    pause: float
    until: float


class Relay:
    """`database_url` in libpq's form (postgresql://…), for the leader's own connection."""

    def __init__(self, sessions: Sessions, bell: Bell, database_url: str, archive: Archive | None = None) -> None:
        self._sessions = sessions
        self._bell = bell
        self._url = database_url
        self._archive = archive
        self._resends: set[str] = set()
        self._rung: dict[str, _Rung] = {}
        self._ringing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._are_schedules_known = False

    async def run(self) -> None:
        """Take turns at leading until cancelled; a database that is away is waited for."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, connect_timeout=3) as own:
                    await self._lead(own)
            except (psycopg.Error, OSError) as error:
                log.warning("relay.waits", error=str(error).splitlines()[0][:200] if str(error) else "connection")
            await asyncio.sleep(1)

    async def _lead(self, own: psycopg.AsyncConnection) -> None:
        while not await self._try_lock(own):  # noqa: ASYNC110
            await asyncio.sleep(1)
        log.info("relay.leads")
        await own.execute("LISTEN drains")
        beside = [asyncio.create_task(self._archive_on()), asyncio.create_task(self._match_on())]
        try:
            await self._rounds(own)
        finally:
            for task in beside:
                task.cancel()

    async def _rounds(self, own: psycopg.AsyncConnection) -> None:
        clock = asyncio.get_running_loop().time
        sweep_at = clock() + SWEEP_EVERY / 4
        prune_at = clock() + SWEEP_EVERY
        while True:
            await self._attempt("rounds", self._round)
            if clock() >= sweep_at:
                sweep_at = clock() + SWEEP_EVERY
                await self._attempt("sweep", self._sweep)
            if clock() >= prune_at:
                prune_at = clock() + PRUNE_EVERY
                await self._attempt("prune", self._prune)
            async for _ in own.notifies(timeout=ROUND, stop_after=1):
                pass

    async def _try_lock(self, own: psycopg.AsyncConnection) -> bool:
        row = await (await own.execute("SELECT pg_try_advisory_lock(%s)", [_LEADER_LOCK])).fetchone()
        return bool(row and row[0])

    async def _attempt(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """One broken round must not end the relay."""
        try:
            await work()
        except (SQLAlchemyError, DomainError, OSError) as error:
            log.warning("relay.round_failed", what=what, error=str(error)[:300])
        except Exception as error:
            log.error("relay.round_broken", what=what, exc_info=error)

    async def _round(self) -> None:
        for team, ids in (await sweeps.due_drains(self._sessions)).items():
            _, rings = await sweeps.drain_team(self._sessions, team, ids)
            self._bell.ring(rings)
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._attempt("rings", self._ring_overdue))
        async with self._sessions.begin() as session:
            await pending_commands.expire(session)
            waiting = await pending_commands.open_commands(session)
        if self._bell.is_away:
            return
        for request in waiting:
            if request.update_id not in self._resends and len(self._resends) < 50:
                self._resends.add(request.update_id)
                task = asyncio.create_task(self._resend(request))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _ring_overdue(self) -> None:
        """A row may stay open for hours (a provider is away, no worker runs): who was reached is rung ever more rarely
        for the same rows, or signals alone would fill the history.
        """
        clock = asyncio.get_running_loop().time
        paused = {i: rung.row for i, rung in self._rung.items() if rung.until > clock()}
        async with self._sessions() as session:
            overdue = await reactions.overdue_workflows(session, older_than=OLD, known=paused)
        reached = await self._bell.ring_each(overdue)
        before, self._rung = self._rung, {i: self._rung[i] for i in paused}
        for workflow_id in reached:
            row, former = overdue[workflow_id], before.get(workflow_id)
            pause = min(LONGEST_PAUSE, former.pause * 2) if former is not None and former.row == row else OLD
            self._rung[workflow_id] = _Rung(row, pause, clock() + pause)

    async def _resend(self, request: Request) -> None:
        try:
            with contextlib.suppress(AnswerPendingError, UnavailableError):
                await send(await self._bell.client(), self._sessions, request, within=timedelta(seconds=10))
        except Exception as error:
            log.warning("relay.resend_failed", key=request.key, error=str(error)[:200])
        finally:
            self._resends.discard(request.update_id)

    async def _archive_on(self) -> None:
        """Beside the rounds: a backlog of closed runs takes seconds, and nobody may wait for it."""
        while self._archive is not None:
            await self._attempt("archive", self._archive_once)
            await asyncio.sleep(SWEEP_EVERY)

    async def _match_on(self) -> None:
        """Events to those who listen for them and to what they start; schedules equal to their definitions."""
        clock = asyncio.get_running_loop().time
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, connect_timeout=3) as news:
                    await news.execute("LISTEN events")
                    schedules_at = 0.0
                    while True:
                        await self._attempt("matching", self._match)
                        if not self._bell.is_away and clock() >= schedules_at:
                            schedules_at = clock() + ROUND
                            await self._attempt("schedules", self._keep_schedules)
                        async for _ in news.notifies(timeout=ROUND, stop_after=1):
                            pass
                        async for _ in news.notifies(timeout=GATHER):
                            pass
            except (psycopg.Error, OSError) as error:
                log.warning("relay.waits", for_="events", error=str(error).strip()[:200])
            await asyncio.sleep(ROUND)

    async def _match(self) -> None:
        count = matching.BATCH
        while count == matching.BATCH:
            count, rings = await matching.match_next(self._sessions)
            self._bell.ring(rings)

    async def _keep_schedules(self) -> None:
        client = await self._bell.client()
        if not self._are_schedules_known:
            await schedules.equalise_all(self._sessions, client)
            self._are_schedules_known = True
        await schedules.carry_out_due(self._sessions, client)

    async def _archive_once(self) -> None:
        if self._archive is not None:
            await self._archive()

    async def _sweep(self) -> None:
        findings, rings = await sweeps.sweep(self._sessions)
        self._bell.ring(rings)
        self._bell.ring(workflow_ids.of_transfer(i) for i in findings.late_offers)
        self._bell.ring(workflow_ids.of_presence(i) for i in findings.lapsed)
        abandoned = await orphans(self._sessions)
        self._bell.ring(abandoned)
        async with self._sessions() as session:
            late_clocks = await settling.unseen(session)
        self._bell.ring(workflow_ids.of_clocks(i) for i in late_clocks)
        found = findings.missed or findings.late_offers or findings.lapsed or findings.miscounted
        if found or abandoned or late_clocks:
            log.warning(
                "sweep.found",
                missed=findings.missed,
                late_offers=len(findings.late_offers),
                lapsed=len(findings.lapsed),
                miscounted=findings.miscounted,
                orphans=len(abandoned),
                late_clocks=len(late_clocks),
            )

    async def _prune(self) -> None:
        async with self._sessions.begin() as session:
            await reactions.prune(session)
            await prune_runs(session)
