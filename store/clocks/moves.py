"""Whose clocks an edit would move, and to when: reckoned from rows, changing none."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from domain.clocks.clocks import Clock
from domain.clocks.lives import Happening
from domain.clocks.metrics import NORMS, Metric
from domain.clocks.reckoning import reckon
from domain.events import Fact
from store.clocks.timed import Timed, timed_of
from store.ids import new_id

#: dialogs looked at between two breaths of the process
_CHUNK = 100
#: a topic says what its dialogs are promised; clocks that run by what was edited belong to dialogs of any topic
_CONCERNED = text("""
WITH said AS (
    SELECT t.key FROM topics t
    LEFT JOIN sla_policies p ON p.key = t.sla_key
    LEFT JOIN sla_policy_versions v ON v.key = p.key AND v.version = p.version
    WHERE t.key = ANY(:topics) OR t.sla_key = ANY(:policies) OR t.calendar_key = ANY(:calendars)
       OR v.body ->> 'calendar' = ANY(:calendars)
)
SELECT d.id, d.number FROM dialogs d
WHERE d.status <> 'closed' AND d.number > :after AND (
    :everywhere OR d.team_key = ANY(:teams) OR d.topic_key IN (SELECT key FROM said)
    OR d.id IN (SELECT dialog_id FROM clocks
                WHERE state <> 'ended' AND (policy_key = ANY(:policies) OR calendar_key = ANY(:calendars))))
ORDER BY d.number
""").bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("topics", "policies", "calendars", "teams")))


@dataclass(frozen=True, slots=True)
class Concern:
    """What was edited; the open dialogs it promises something to are looked at. `everywhere`: the global norms.

    Norms move norms and policies the rest, so that an edit moves no clock that was kept in an edit of the other.
    """

    policies: frozenset[str] = frozenset()
    calendars: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    everywhere: bool = False

    @property
    def metrics(self) -> frozenset[str]:
        """Whose clocks may move; none named: of all."""
        if self.calendars or self.topics or (self.policies and (self.teams or self.everywhere)):
            return frozenset()
        return frozenset(map(str, NORMS if self.teams or self.everywhere else frozenset(Metric) - NORMS))


@dataclass(frozen=True, slots=True)
class Move:
    """A clock that would be due at another moment, warn at others or, standing still, go on by other hours.
    `due_before` None: it would begin; `due_after` None: it would end, or never be due.
    """

    dialog_id: UUID
    number: int
    metric: str
    status: str
    due_before: datetime | None
    due_after: datetime | None

    def as_json(self) -> dict[str, Any]:
        return {
            "dialog_id": str(self.dialog_id), "number": self.number, "metric": self.metric, "status": self.status,
            "due_before": self.due_before.isoformat() if self.due_before else None,
            "due_after": self.due_after.isoformat() if self.due_after else None,
        }  # fmt: skip


def moves_of(timed: Timed, now: datetime, metrics: Collection[str] = ()) -> list[Move]:
    """What the promises in force now would change of a dialog's clocks, of these metrics where some are named."""
    before = {clock.key: clock for clock in timed.clocks if clock.state != "ended"}
    happening = Happening(str(Fact.SLA_MOVED), now, "system", None, {"metrics": sorted(metrics)} if metrics else {})
    reckoned = reckon(timed.clocks, timed.life, timed.plan, happening, aims_anew=True, new_id=new_id)
    after = {clock.key: clock for clock in reckoned.clocks if clock.state != "ended"}
    return [
        Move(timed.dialog_id, timed.number, str(key[0]), key[1], _due(before.get(key)), _due(after.get(key)))
        for key in sorted({*before, *after})
        if _aim(before.get(key)) != _aim(after.get(key))
    ]


def _due(clock: Clock | None) -> datetime | None:
    return clock.due_at if clock else None


def _aim(clock: Clock | None) -> tuple[Any, ...] | None:
    """What stands still is due at no known moment: it moves by the hours by which it will go on."""
    if clock is None:
        return None
    return clock.id, clock.due_at, clock.target, clock.warn, clock.calendar if clock.state == "paused" else None


async def moves(
    session: AsyncSession, concern: Concern, now: datetime, *, after: int = 0
) -> AsyncGenerator[list[Move]]:
    """By dialog, in the order of their numbers, those above `after`; dialogs with nothing to move are left out."""
    given = {
        "topics": sorted(concern.topics), "policies": sorted(concern.policies), "calendars": sorted(concern.calendars),
        "teams": sorted(concern.teams), "everywhere": concern.everywhere, "after": after,
    }  # fmt: skip
    ids = [row.id for row in await session.execute(_CONCERNED, given)]
    for some in _chunks(ids):
        for timed in await timed_of(session, some):
            if found := moves_of(timed, now, concern.metrics):
                yield found
        await asyncio.sleep(0)  # thousands of dialogs are seconds of reckoning: others are served meanwhile


def _chunks(ids: list[UUID]) -> Iterable[list[UUID]]:
    return (ids[n : n + _CHUNK] for n in range(0, len(ids), _CHUNK))
