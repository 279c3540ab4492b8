"""The queues as a leader looks at them: every waiting dialog with the reason it waits."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.decisions import OUT, WAITS
from domain.distribution import Candidate, Waiting
from domain.errors import InvalidError
from domain.permissions import Viewer
from domain.queues import Ground, Wait, why_waiting
from store.candidates import candidates_in
from store.dialog_rows import Page
from store.exclusions import lift_lone_exclusions
from store.transactions import Work

#: urgency counts where the team distributes by it; then weight, then age: the order in which dialogs leave
_ORDER = "(CASE WHEN g.distribution = 'topic_priority' THEN -coalesce(p.priority, 0) ELSE 0 END)"
_QUEUE = f"""
SELECT d.id, d.number, d.kind, d.status, d.place, d.team_key, g.name AS team_name, d.channel_key,
       c.name AS channel_name, c.kind AS channel_kind, d.contact_id, o.name AS contact_name, d.topic_key,
       p.name AS topic_name, coalesce(p.priority, 0) AS topic_priority, d.priority, d.weight, d.is_forced,
       d.waiting_since, d.awaiting_reply_since, d.reserved_for, r.name AS reserved_for_name, d.tags, d.cycle,
       g.distribution, g.auto, g.active, {_ORDER} AS urgency, clock_timestamp() AS now,
       ARRAY(SELECT operator_id FROM exclusions x WHERE x.dialog_id = d.id) AS excluded,
       (SELECT max(ends_alone_at) FROM exclusions x WHERE x.dialog_id = d.id) AS ends_alone_at
FROM dialogs d JOIN teams g ON g.key = d.team_key JOIN channels c ON c.key = d.channel_key
JOIN contacts o ON o.id = d.contact_id
LEFT JOIN topics p ON p.key = d.topic_key LEFT JOIN users r ON r.id = d.reserved_for
WHERE d.place IN ('queued', 'unassigned') AND (:everything OR d.team_key = ANY(:teams))
  AND (:first OR ({_ORDER}, -d.weight, d.waiting_since, d.id)
                 > (:urgency, :lightness, CAST(:since AS timestamptz), CAST(:id AS uuid)))
ORDER BY urgency, -d.weight, d.waiting_since, d.id LIMIT :limit
"""
_TOTALS = text("""
SELECT d.team_key AS team, count(*) FILTER (WHERE d.place = 'queued') AS queued,
       count(*) FILTER (WHERE d.place = 'unassigned') AS unassigned, min(d.waiting_since) AS oldest
FROM dialogs d WHERE d.place IN ('queued', 'unassigned') AND (:everything OR d.team_key = ANY(:teams))
GROUP BY 1 ORDER BY 1
""")


def teams_seen(viewer: Viewer, asked: frozenset[str] = frozenset()) -> tuple[bool, list[str]]:
    """(whether all teams, which ones): the viewer's, narrowed to `asked`."""
    if viewer.sees_all:
        return not asked, sorted(asked)
    return False, sorted(viewer.teams & asked if asked else viewer.teams)


async def list_queue(
    session: AsyncSession, viewer: Viewer, *, teams: frozenset[str], after: str | None, limit: int
) -> tuple[Page, list[dict[str, Any]]]:
    """A page of waiting dialogs in the order they leave, and how many wait in each team."""
    everything, keys = teams_seen(viewer, teams)
    given: dict[str, Any] = {"everything": everything, "teams": keys, "limit": limit + 1, **_read_cursor(after)}
    rows = (await session.execute(text(_QUEUE), given)).all()
    has_more, rows = len(rows) > limit, rows[:limit]
    totals = await session.execute(_TOTALS, {"everything": everything, "teams": keys})
    waits = await _judge(session, rows)
    page = Page([_row(r, waits[r.id]) for r in rows], _cursor(rows[-1]) if has_more else None, None)
    return page, [dict(t._mapping) for t in totals]


async def _judge(session: AsyncSession, rows: Sequence[Any]) -> dict[UUID, Wait]:
    teams = sorted({r.team_key for r in rows})
    candidates = await candidates_in(Work(session), teams, {r.contact_id for r in rows}) if teams else []
    return {r.id: _wait(r, candidates) for r in rows}


def _wait(r: Any, candidates: Sequence[Candidate]) -> Wait:
    waiting = Waiting(
        r.id, r.team_key, r.channel_key, r.contact_id, r.topic_priority, r.weight, r.waiting_since,
        frozenset(r.excluded), r.reserved_for, r.is_forced,
    )  # fmt: skip
    ends = {r.id: r.ends_alone_at} if r.ends_alone_at else {}
    [waiting] = lift_lone_exclusions([waiting], candidates, r.now, ends)
    ground = Ground(r.distribution, r.auto, r.active)
    return why_waiting(waiting, r.place, ground, candidates, now=r.now, ends_alone_at=r.ends_alone_at)


def _row(r: Any, wait: Wait) -> dict[str, Any]:
    out = dict(wait.decision.excluded) if wait.decision else {}
    return {
        "id": r.id,
        "number": r.number,
        "kind": r.kind,
        "status": r.status,
        "place": r.place,
        "team": r.team_key,
        "team_name": r.team_name,
        "channel": {"key": r.channel_key, "kind": r.channel_kind, "name": r.channel_name},
        "contact": {"id": r.contact_id, "name": r.contact_name},
        "topic": r.topic_key,
        "topic_name": r.topic_name,
        "topic_priority": r.topic_priority,
        "priority": r.priority,
        "weight": r.weight,
        "forced": r.is_forced,
        "tags": r.tags,
        "waiting_since": r.waiting_since,
        "age": round((r.now - r.waiting_since).total_seconds(), 1) if r.waiting_since else None,
        "awaiting_reply_since": r.awaiting_reply_since,
        "reserved_for": {"id": r.reserved_for, "name": r.reserved_for_name} if r.reserved_for else None,
        "reason": wait.reason,
        "says": WAITS.get(wait.reason, wait.reason),
        "until": wait.until,
        "out": out,
        "out_says": [f"{n} {OUT.get(reason, reason)}" for reason, n in sorted(out.items())],
    }


def _cursor(r: Any) -> str:
    told = json.dumps([r.urgency, -r.weight, r.waiting_since.isoformat(), str(r.id)])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> dict[str, Any]:
    """Raises InvalidError."""
    if cursor is None:
        return {"first": True, "urgency": 0, "lightness": 0, "since": None, "id": None}
    try:
        urgency, lightness, since, id_ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(since)
        if moment.tzinfo is None or not all(type(n) is int and abs(n) < 2**63 for n in (urgency, lightness)):
            raise ValueError
        return {"first": False, "urgency": urgency, "lightness": lightness, "since": moment, "id": UUID(id_)}
    except (ValueError, TypeError, AttributeError):
        raise InvalidError("This cursor is not one of ours.", field="after") from None
