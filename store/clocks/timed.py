"""Dialogs as far as their time goes: their clocks, their lives and what they are promised now, read for looking."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text, Uuid

from domain.calendars.calendars import ALWAYS, Calendar
from domain.calendars.reading import calendar_of
from domain.clocks.clocks import Clock, Interval
from domain.clocks.lives import TIMELY, Happening, Life, begun, from_json
from domain.clocks.metrics import Metric, Plan
from domain.clocks.policies import Chosen, Norms, plan_for, policy_of
from domain.events import Fact

#: a clock `c` with its calendar and its ledger, as clock_of reads it
OPEN_CLOCK = """to_jsonb(c) || jsonb_build_object(
                   'body', (SELECT body FROM calendar_versions v
                            WHERE v.key = c.calendar_key AND v.version = c.calendar_version),
                   'ledger', (SELECT jsonb_agg(to_jsonb(i) ORDER BY i.number)
                              FROM clock_intervals i WHERE i.clock_id = c.id))"""
_FOUND = text(f"""
SELECT d.id, d.number, d.kind, d.priority, d.contact_id, d.team_key, d.topic_key, d.operator_id, d.opened_at,
       d.keeps_time, CASE WHEN d.status = 'pending' THEN d.pending_until END AS pending_until, td.life, td.wakes_at,
       p.key AS policy_key, p.version AS policy_version, pv.body AS policy,
       tc.key AS calendar_key, tc.version AS calendar_version, tcv.body AS calendar,
       pc.key AS own_key, pc.version AS own_version, pcv.body AS own,
       coalesce(tm.accept_norm, (SELECT value::bigint FROM settings WHERE key = 'accept_norm' AND value <> 'null'))
           AS accept_norm,
       coalesce(tm.respond_norm, (SELECT value::bigint FROM settings WHERE key = 'respond_norm' AND value <> 'null'))
           AS respond_norm,
       (SELECT coalesce(jsonb_agg({OPEN_CLOCK}), '[]'::jsonb) FROM clocks c
        WHERE c.dialog_id = d.id AND c.state <> 'ended') AS clocks
FROM dialogs d
LEFT JOIN timed_dialogs td ON td.dialog_id = d.id
LEFT JOIN teams tm ON tm.key = d.team_key
LEFT JOIN topics t ON t.key = d.topic_key
LEFT JOIN sla_policies p ON p.key = t.sla_key
LEFT JOIN sla_policy_versions pv ON pv.key = p.key AND pv.version = p.version
LEFT JOIN calendars tc ON tc.key = t.calendar_key
LEFT JOIN calendar_versions tcv ON tcv.key = tc.key AND tcv.version = tc.version
LEFT JOIN calendars pc ON pc.key = pv.body ->> 'calendar'
LEFT JOIN calendar_versions pcv ON pcv.key = pc.key AND pcv.version = pc.version
WHERE d.id = ANY(:ids) ORDER BY d.number
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_FACTS = text("""
SELECT dialog_id, kind, at, CASE WHEN run_id IS NULL THEN actor_kind ELSE 'process' END AS actor_kind, actor_id, data
FROM events WHERE dialog_id = ANY(:ids) AND kind = ANY(:kinds) ORDER BY id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("kinds", type_=ARRAY(Text)))
_KINDS = sorted({str(fact) for fact in TIMELY} | {str(Fact.DIALOG_OPENED)})


@dataclass(frozen=True, slots=True)
class Timed:
    """`clocks`: the open ones. `plan`: what is promised now, whatever they began with."""

    dialog_id: UUID
    number: int
    clocks: tuple[Clock, ...]
    life: Life
    plan: Plan


@dataclass(frozen=True, slots=True)
class Standing:
    """A dialog as the rows have it. `clocks`: the open ones. `life`: None of one that has kept no time so far.
    `pending_until`: when a ticket that is pending opens again by itself. `wakes_at`: its workflow sleeps until then.
    """

    row: Any
    clocks: tuple[Clock, ...]
    life: Life | None
    plan: Plan

    @property
    def dialog_id(self) -> UUID:
        found: UUID = self.row.id
        return found

    @property
    def keeps_time(self) -> bool:
        """Whether there is, or was, anything to keep; all others cost nobody anything."""
        return self.row.keeps_time or self.life is not None or bool(self.plan.targets)


async def standings_of(session: AsyncSession, ids: Iterable[UUID]) -> list[Standing]:
    """In the order of their numbers. What is not flushed yet is not seen."""
    read = Reading()
    return [
        Standing(
            row, tuple(clock_of(told, read) for told in row.clocks),
            from_json(row.life) if row.life is not None else None, _plan(row, read),
        )
        for row in await session.execute(_FOUND, {"ids": list(ids)})
    ]  # fmt: skip


async def timed_of(session: AsyncSession, ids: Iterable[UUID]) -> list[Timed]:
    """In the order of their numbers; those that neither run a clock nor are promised anything are left out."""
    wanted = [s for s in await standings_of(session, ids) if s.clocks or s.plan.targets]
    folded = await lives_of(session, [s.dialog_id for s in wanted if s.life is None])
    found = []
    for s in wanted:
        life = s.life or folded.get(s.dialog_id)
        if life is not None:
            found.append(Timed(s.dialog_id, s.row.number, s.clocks, life, s.plan))
    return found


async def lives_of(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Life]:
    """Lives folded from the facts written so far; dialogs without any are left out."""
    lives: dict[UUID, Life] = {}
    wanted = list(ids)
    if not wanted:
        return lives
    for row in await session.execute(_FACTS, {"ids": wanted, "kinds": _KINDS}):
        happening = Happening(row.kind, row.at, row.actor_kind, row.actor_id, row.data)
        known = lives.get(row.dialog_id)
        lives[row.dialog_id] = known.after(in_turn(known, happening)) if known is not None else begun(happening)
    return lives


def in_turn(life: Life, happening: Happening) -> Happening:
    """The fact, no earlier than what went before it: a long drain dates what it does by the moment it began."""
    moments = (
        life.cycle_at, life.status_since, life.responded_at, life.waiting_since, life.queued_since, life.held_since,
        *(moment for pause in life.pauses for moment in pause),
    )  # fmt: skip
    latest = max(moment for moment in moments if moment is not None)
    return happening if happening.at >= latest else replace(happening, at=latest)


class Reading:
    """Calendars and policies are few, dialogs many: each body is read once."""

    def __init__(self) -> None:
        self._calendars: dict[tuple[str, int], Calendar] = {}
        self._policies: dict[tuple[str, int], Any] = {}

    def calendar(self, key: str, version: int, body: Mapping[str, Any]) -> Calendar:
        if (key, version) not in self._calendars:
            self._calendars[key, version] = calendar_of(body)
        return self._calendars[key, version]

    def chosen(self, key: str | None, version: int, body: Mapping[str, Any]) -> Chosen | None:
        return Chosen(self.calendar(key, version, body), (key, version)) if key is not None else None

    def policy(self, key: str | None, version: int, body: Mapping[str, Any]) -> Any:
        if key is None:
            return None
        if (key, version) not in self._policies:
            self._policies[key, version] = policy_of(body)
        return self._policies[key, version]


def _plan(row: Any, read: Reading) -> Plan:
    return plan_for(
        read.policy(row.policy_key, row.policy_version, row.policy), row.kind, row.priority,
        read.chosen(row.calendar_key, row.calendar_version, row.calendar), Norms(row.accept_norm, row.respond_norm),
        policy_ref=(row.policy_key, row.policy_version) if row.policy_key else None,
        policy_calendar=read.chosen(row.own_key, row.own_version, row.own),
    )  # fmt: skip


def clock_of(told: Mapping[str, Any], read: Reading) -> Clock:
    ref = (told["calendar_key"], told["calendar_version"]) if told["calendar_key"] is not None else None
    is_kept = ref is not None and told["body"] is not None
    return Clock(
        UUID(told["id"]), Metric(told["metric"]), told["cycle"], datetime.fromisoformat(told["started_at"]),
        told["target"], read.calendar(*ref, told["body"]) if is_kept and ref else ALWAYS,
        tuple(_interval(line) for line in told["ledger"] or ()), told["state"], told["status"], told["alias"],
        tuple(told["warn"]), tuple(told["warned"]),
        (told["policy_key"], told["policy_version"]) if told["policy_key"] is not None else None, ref,
        _moment(told["due_at"]), _moment(told["next_at"]), _moment(told["breached_at"]),
    )  # fmt: skip


def _interval(line: Mapping[str, Any]) -> Interval:
    return Interval(
        line["number"], line["state"], datetime.fromisoformat(line["began_at"]), line["cause"], line["actor_kind"],
        UUID(line["actor_id"]) if line["actor_id"] else None, _moment(line["ended_at"]), line["changed"],
    )  # fmt: skip


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
