"""Copies the histories of closed runs to PostgreSQL before Temporal forgets them (DECISIONS 11)."""

import asyncio
from collections.abc import Iterator

import structlog
from temporalio.client import Client

from domain.errors import UnavailableError
from gateways.histories import GoneError, copy_of, describe
from store import histories
from store.engines import Sessions

log = structlog.get_logger("archiver")
AT_ONCE = 1000
_IN_FLIGHT = 4


async def archive_once(sessions: Sessions, client: Client, *, limit: int = AT_ONCE) -> int:
    """Look at up to `limit` runs and keep the closed ones; answers how many were kept. Repeating it is harmless.

    A Temporal that is away ends the turn early; a run it no longer has is marked lost.
    """
    async with sessions() as session:
        runs = iter(await histories.runs_to_look_at(session, limit=limit))
    kept = await asyncio.gather(*(_archive_on(sessions, client, runs) for _ in range(_IN_FLIGHT)))
    return sum(kept)


async def _archive_on(sessions: Sessions, client: Client, runs: Iterator[tuple[str, str]]) -> int:
    kept = 0
    for workflow_id, run_id in runs:
        try:
            kept += await _archive(sessions, client, workflow_id, run_id)
        except UnavailableError:
            log.warning("archiver.waits", kept=kept)
            break
    return kept


async def _archive(sessions: Sessions, client: Client, workflow_id: str, run_id: str) -> bool:
    try:
        described = await describe(client, workflow_id, run_id)
        if described.is_running:
            return False
        history, events = await copy_of(client, workflow_id, run_id)
    except GoneError:
        log.warning("archiver.lost", workflow_id=workflow_id, run_id=run_id)
        async with sessions.begin() as session:
            return await histories.keep(session, workflow_id, run_id, status=histories.LOST)
    async with sessions.begin() as session:
        return await histories.keep(
            session, workflow_id, run_id, status=described.status, closed_at=described.closed_at,
            history=history, events=events,
        )  # fmt: skip
