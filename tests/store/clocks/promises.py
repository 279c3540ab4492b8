"""Promises for a stage: a calendar, a policy, a topic that names them; the rows they lead to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from store.clocks import settling
from store.ids import new_id
from store.tables import CalendarVersion, SlaPolicy, SlaPolicyVersion
from store.tables.clocks import Calendar
from store.transactions import transact
from tests.store.stage import Stage

TFR = {"metric": "tfr", "alias": "First answer", "target": 900, "warn": [50, 80]}
NRT = {"metric": "nrt", "target": 1800, "warn": [80]}
TTC = {"metric": "ttc", "target": 32_400}
TIS = {"metric": "tis", "status": "in_progress", "target": 14_400}
BOTH_KINDS = ["chat", "ticket"]


async def policy(stage: Stage, name: str, *metrics: dict[str, Any], **body: Any) -> str:
    key = stage.key(name)
    async with stage.sessions.begin() as session:
        session.add(SlaPolicy(key=key, name=name))
        await session.flush()
        told = {"kinds": BOTH_KINDS, "calendar": None, "metrics": list(metrics), **body}
        session.add(SlaPolicyVersion(key=key, version=1, body=told))
    return key


async def calendar(stage: Stage, name: str, **body: Any) -> str:
    key = stage.key(name)
    async with stage.sessions.begin() as session:
        session.add(Calendar(key=key, name=name))
        await session.flush()
        session.add(CalendarVersion(key=key, version=1, body=body))
    return key


async def promised(stage: Stage, *metrics: dict[str, Any], **body: Any) -> str:
    """A topic `paid` of team support whose dialogs are promised these metrics; answers its name on the stage."""
    key = await policy(stage, f"p{new_id().hex[-6:]}", *metrics, **body)
    await stage.topic("paid", "support", sla_key=key)
    return "paid"


async def clocks(stage: Stage, dialog: UUID, metric: str | None = None) -> list[Any]:
    rows = await stage.sql(
        "SELECT * FROM clocks WHERE dialog_id = :d ORDER BY started_at, metric, status, state", d=dialog
    )
    return [r for r in rows if metric is None or r.metric == metric]


async def ledger(stage: Stage, clock: Any) -> list[Any]:
    return await stage.sql("SELECT * FROM clock_intervals WHERE clock_id = :c ORDER BY number", c=clock.id)


async def sla_events(stage: Stage, dialog: UUID) -> list[Any]:
    return await stage.sql(
        "SELECT * FROM events WHERE dialog_id = :d AND (kind LIKE 'sla.%' OR kind LIKE '%_late') ORDER BY id", d=dialog
    )


async def look(stage: Stage, dialog: UUID) -> settling.Seen:
    """What the dialog's clock workflow does on waking."""
    return (await transact(stage.sessions, lambda work: settling.look(work, dialog)))[0]


async def burst(stage: Stage) -> int:
    return (await transact(stage.sessions, settling.settle_burst))[0]


async def age(stage: Stage, dialog: UUID, seconds: float) -> None:
    """Let everything about the dialog's time have happened so many seconds earlier."""
    given = {"d": dialog, "s": seconds}
    await stage.sql(
        "UPDATE clocks SET started_at = started_at - make_interval(secs => :s), due_at = due_at - make_interval(secs"
        " => :s), next_at = next_at - make_interval(secs => :s), breached_at = breached_at - make_interval(secs => :s),"
        " ended_at = ended_at - make_interval(secs => :s) WHERE dialog_id = :d",
        **given,
    )
    await stage.sql(
        "UPDATE clock_intervals SET began_at = began_at - make_interval(secs => :s), ended_at = ended_at -"
        " make_interval(secs => :s) WHERE clock_id IN (SELECT id FROM clocks WHERE dialog_id = :d)",
        **given,
    )
    await stage.sql(
        "UPDATE timed_dialogs SET wakes_at = wakes_at - make_interval(secs => :s), life = (SELECT jsonb_object_agg("
        " key, CASE WHEN key LIKE '%_at' OR key LIKE '%_since' THEN to_jsonb((value #>> '{}')::timestamptz -"
        " make_interval(secs => :s)) ELSE value END) FROM jsonb_each(life)) WHERE dialog_id = :d",
        **given,
    )
