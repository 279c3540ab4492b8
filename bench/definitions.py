"""Definitions published straight into the tables, runs watched there, dialogs that are somebody's."""

from __future__ import annotations

import asyncio
import json
import time

import psycopg

from domain import topologies
from domain.definitions.loading import load
from domain.runs import ENDED

LONGEST = 600.0
"""Seconds; a run that takes longer is given up."""


async def publish(db: psycopg.AsyncConnection, source: str) -> str:
    """Version 1, active; answers its key."""
    loaded = load(source)
    if loaded.canonical is None:
        raise RuntimeError(f"the definition is not valid: {loaded.diagnostics}")
    canonical, key = loaded.canonical, loaded.canonical["name"]
    granted = sorted(topologies.capabilities_of(canonical))
    await db.execute(
        "INSERT INTO definitions (key, kind, title, draft, active_version, latest_version, target)"
        " VALUES (%s, %s, %s, %s, 1, 1, 'dialog')",
        [key, canonical["kind"], canonical["title"], source],
    )
    await db.execute(
        "INSERT INTO definition_versions (definition_key, number, source, canonical, sha256, capabilities, granted)"
        " VALUES (%s, 1, %s, %s, %s, %s, %s)",
        [key, source, json.dumps(canonical), loaded.sha256, granted, granted],
    )
    return str(key)


async def own_dialogs(db: psycopg.AsyncConnection, team: str, holders: int) -> None:
    """Share the queued dialogs of a team among the first `holders` of its members."""
    await db.execute(
        """
        WITH d AS (
            SELECT id, row_number() OVER () AS n FROM dialogs WHERE team_key = %(team)s AND place = 'queued'
        ), o AS (
            SELECT user_id, row_number() OVER () AS n
            FROM (SELECT user_id FROM team_members WHERE team_key = %(team)s ORDER BY user_id LIMIT %(holders)s) AS few
        ), pairs AS (SELECT d.id, o.user_id FROM d JOIN o ON o.n = 1 + d.n %% %(holders)s
        ), taken AS (
            INSERT INTO reservations (dialog_id, operator_id, kind, channel_key)
            SELECT id, user_id, 'held', %(team)s FROM pairs
        )
        UPDATE dialogs SET place = 'owned', status = 'open', operator_id = user_id, assigned_at = now(),
               waiting_since = NULL
        FROM pairs WHERE pairs.id = dialogs.id
        """,
        {"team": team, "holders": holders},
    )
    await db.execute("ANALYZE dialogs, reservations, operators, team_members")


async def ended(db: psycopg.AsyncConnection, run_id: str) -> dict[str, int]:
    """Its items by state, once the run has ended."""
    until = time.perf_counter() + LONGEST
    while time.perf_counter() < until:
        row = await (await db.execute("SELECT status FROM runs WHERE id = %s", [run_id])).fetchone()
        if row and row[0] in ENDED:
            found = await db.execute("SELECT state, count(*) FROM run_items WHERE run_id = %s GROUP BY 1", [run_id])
            return dict(await found.fetchall())
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the run {run_id} has not ended within {LONGEST} s")
