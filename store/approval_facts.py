"""What whoever decides about a run is shown: how many items, what the first clients would read, how the dry run went,
what is new in the version.
"""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.actions.catalogue import catalogue
from domain.actions.manifests import Placement
from domain.publishing import changes
from domain.runs import ENDED
from domain.topologies import sends
from domain.walks.ports import Brief, StepRecord
from domain.walks.rehearsals import rehearse_once
from store.item_beginnings import brief_of, snapshot_of_item
from store.runs import counts_of, totals_of
from store.tables import DefinitionVersion, QuickReply, Run, RunItem
from store.transactions import Work

log = structlog.get_logger("approvals")
#: items looked at until one is found to which something would be said
_LOOKED_AT = 3
MOST_CHANGES = 100
_FUEL = 100_000
_PREFIX = "call:"


async def facts_of(work: Work, run: Run, seq: int) -> dict[str, Any]:
    """Counts of the run's items; `messages` of its first item (of item `seq`, where that asks), as far as they can be
    told beforehand; for a question about the whole run also `dry_run` and `changes`. The clock is read.
    """
    session, totals = work.session, await totals_of(work.session, run.id)
    told: dict[str, Any] = {
        **counts_of(totals), "pending": totals.pending, "definition": run.definition_key, "version": run.version,
        "messages": await _messages(session, run, seq, work.now),
    }  # fmt: skip
    if seq <= 0:
        told |= {"dry_run": await _dry_run(session, run), "changes": await _changes(session, run)}
    return told


async def _dry_run(session: AsyncSession, run: Run) -> dict[str, Any] | None:
    """The latest one that its launcher made of the same document."""
    found = await session.scalar(
        select(Run)
        .where(
            Run.is_dry, Run.definition_key == run.definition_key, Run.sha256 == run.sha256,
            Run.launched_by.is_not_distinct_from(run.launched_by), Run.status.in_(sorted(ENDED)),
        )
        .order_by(Run.number.desc())
        .limit(1)
    )  # fmt: skip
    if found is None:
        return None
    return {
        "run_id": str(found.id), "number": found.number, "status": found.status,
        "finished_at": found.finished_at.isoformat() if found.finished_at else None,
        "same_inputs": found.inputs == run.inputs, "same_selection": found.selection == run.selection,
        "items": counts_of(await totals_of(session, found.id)),
    }  # fmt: skip


async def _changes(session: AsyncSession, run: Run) -> dict[str, Any] | None:
    """By path, against the version before; None for the first, and for a draft."""
    if run.version is None:
        return None
    before = await session.scalar(
        select(DefinitionVersion)
        .where(DefinitionVersion.definition_key == run.definition_key, DefinitionVersion.number < run.version)
        .order_by(DefinitionVersion.number.desc())
        .limit(1)
    )
    if before is None:
        return None
    paths = [one["path"] for one in changes(before.canonical, run.canonical)]
    return {"before": before.number, "after": run.version, "count": len(paths), "paths": paths[:MOST_CHANGES]}


async def _messages(session: AsyncSession, run: Run, seq: int, now: datetime) -> list[dict[str, Any]]:
    """[{item, step, action, text, …, error}]: what the walk in memory of one item would say, values as now known."""
    if not sends(run.canonical):
        return []
    asked = select(RunItem).where(RunItem.run_id == run.id)
    asked = asked.where(RunItem.seq == seq) if seq > 0 else asked.where(RunItem.state == "pending")
    found: list[dict[str, Any]] = []
    for item in list(await session.scalars(asked.order_by(RunItem.seq).limit(_LOOKED_AT))):
        brief = brief_of(run, item, await snapshot_of_item(session, item))
        records = await asyncio.to_thread(_rehearsed, brief, now)
        found = [await _told(session, item.seq, record) for record in records]
        if found:
            break
    return found


def _rehearsed(brief: Brief, now: datetime) -> list[StepRecord]:
    try:
        if brief.canonical.get("before") and not brief.before:
            whole = replace(brief, items={"total": 1}, item_key="0")
            before = rehearse_once(whole, phase="before", start=now, fuel=_FUEL).outcome
            brief = replace(brief, before=before.names)
        records = rehearse_once(brief, start=now, fuel=_FUEL).records
    except Exception as error:  # a preview that cannot be made holds up no question
        log.warning("preview.failed", error=type(error).__name__)
        return []
    known = catalogue()
    said = [r for r in records if r.kind.startswith(_PREFIX) and isinstance(r.inputs, dict)]
    return [r for r in said if known[r.kind.removeprefix(_PREFIX)].placement is Placement.SEND]


async def _told(session: AsyncSession, seq: int, record: StepRecord) -> dict[str, Any]:
    said: dict[str, Any] = record.inputs
    text = said.get("text", said.get("question"))
    if "quick_reply" in said:
        reply = await session.get(QuickReply, str(said["quick_reply"]))
        text = reply.text if reply is not None else None
    result = record.result if isinstance(record.result, dict) else {}
    return {
        "item": seq, "step": record.step, "action": record.kind.removeprefix(_PREFIX), "text": text,
        "template": said.get("template"), "channel": said.get("channel") or result.get("channel"),
        "sent": record.status == "succeeded" and result.get("sent") is not False,
        "reason": result.get("reason") or (record.error or {}).get("type"),
    }  # fmt: skip
