"""What was reckoned becomes rows, events and, where something earlier is to be waited for, a ring. One statement."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text, Uuid

from domain.clocks.clocks import Clock, Firing, Interval
from domain.clocks.lives import Life, to_json
from domain.clocks.metrics import Metric
from domain.events import Fact
from domain.workflow_ids import of_clocks

if TYPE_CHECKING:
    from store.transactions import Work

RUNG = "clocks_changed"
#: Clocks that ended come first: their place among the open ones is free when those that began are written.
_WRITE = text("""
WITH lives AS (
    INSERT INTO timed_dialogs (dialog_id, life, wakes_at)
    SELECT dialog_id, life, wakes_at
    FROM jsonb_to_recordset(:lives) AS told (dialog_id uuid, life jsonb, wakes_at timestamptz)
    ON CONFLICT (dialog_id) DO UPDATE SET life = excluded.life, wakes_at = excluded.wakes_at
), begun AS (
    UPDATE dialogs SET keeps_time = true WHERE id = ANY(:begun)
), sleeping AS (
    UPDATE timed_dialogs SET wakes_at = told.wakes_at
    FROM jsonb_to_recordset(:sleeping) AS told (dialog_id uuid, wakes_at timestamptz)
    WHERE timed_dialogs.dialog_id = told.dialog_id
), told AS (
    INSERT INTO clocks (id, dialog_id, metric, alias, status, cycle, started_at, state, target, warn, warned,
                        policy_key, policy_version, calendar_key, calendar_version, topic_key, team_key, priority,
                        due_at, next_at, breached_at, ended_at, result)
    SELECT id, dialog_id, metric, alias, status, cycle, started_at, state, target, warn, warned,
           policy_key, policy_version, calendar_key, calendar_version, topic_key, team_key, priority,
           due_at, next_at, breached_at, ended_at, result
    FROM ROWS FROM (jsonb_to_recordset(:clocks) AS (
        id uuid, dialog_id uuid, metric text, alias text, status text, cycle bigint, started_at timestamptz,
        state text, target bigint, warn jsonb, warned jsonb, policy_key text, policy_version bigint,
        calendar_key text, calendar_version bigint, topic_key text, team_key text, priority text,
        due_at timestamptz, next_at timestamptz, breached_at timestamptz, ended_at timestamptz, result text
    )) WITH ORDINALITY AS clock ORDER BY ordinality
    ON CONFLICT (id) DO UPDATE SET
        alias = excluded.alias, state = excluded.state, target = excluded.target, warn = excluded.warn,
        warned = excluded.warned, policy_key = excluded.policy_key, policy_version = excluded.policy_version,
        calendar_key = excluded.calendar_key, calendar_version = excluded.calendar_version,
        topic_key = CASE WHEN excluded.state = 'ended' THEN clocks.topic_key ELSE excluded.topic_key END,
        team_key = CASE WHEN excluded.state = 'ended' THEN clocks.team_key ELSE excluded.team_key END,
        priority = CASE WHEN excluded.state = 'ended' THEN clocks.priority ELSE excluded.priority END,
        due_at = excluded.due_at, next_at = excluded.next_at, breached_at = excluded.breached_at,
        ended_at = excluded.ended_at, result = excluded.result
), ledger AS (
    INSERT INTO clock_intervals (clock_id, number, state, began_at, ended_at, cause, actor_kind, actor_id, changed)
    SELECT clock_id, number, state, began_at, ended_at, cause, actor_kind, actor_id, changed
    FROM ROWS FROM (jsonb_to_recordset(:lines) AS (
        clock_id uuid, number bigint, state text, began_at timestamptz, ended_at timestamptz, cause text,
        actor_kind text, actor_id uuid, changed jsonb
    )) WITH ORDINALITY AS line ORDER BY ordinality
    ON CONFLICT (clock_id, number) DO UPDATE SET
        state = excluded.state, began_at = excluded.began_at, ended_at = excluded.ended_at, cause = excluded.cause,
        actor_kind = excluded.actor_kind, actor_id = excluded.actor_id, changed = excluded.changed
)
INSERT INTO reactions (workflow_id, kind) SELECT unnest(CAST(:rung AS text[])), CAST(:kind AS text)
""").bindparams(
    *(bindparam(name, type_=JSONB) for name in ("lives", "sleeping", "clocks", "lines")),
    bindparam("begun", type_=ARRAY(Uuid)),
    bindparam("rung", type_=ARRAY(Text)),
)
_LATE = {Metric.ACCEPT: Fact.ACCEPT_LATE, Metric.RESPOND: Fact.ANSWER_LATE}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dialog stands, for what is told of its clocks and kept with them."""

    dialog_id: UUID
    contact_id: UUID
    team: str
    topic: str | None
    priority: str | None


@dataclass(slots=True)
class Change:
    """Of one dialog, whose lock is held. `before`: its open clocks as the rows have them; `after`: those and the new
    ones. `fired`: each with who held the dialog then. `wakes`: (before, now) of the moment its workflow sleeps to.
    """

    place: Place
    before: tuple[Clock, ...]
    after: tuple[Clock, ...]
    fired: tuple[tuple[Firing, UUID | None], ...] = ()
    wakes: tuple[datetime | None, datetime | None] = (None, None)
    life: Life | None = None
    begins: bool = False
    rings: bool = False
    moves: bool = False


async def write(work: "Work", changes: Iterable[Change]) -> None:
    """Also tells of what fired; ends with one statement, or none where nothing changed."""
    lives, sleeping, clocks, lines, begun, rung = [], [], [], [], [], []
    for change in changes:
        who = change.place.dialog_id
        if change.life is not None:
            lives.append({"dialog_id": who, "life": to_json(change.life), "wakes_at": change.wakes[1]})
        elif change.wakes[0] != change.wakes[1]:
            sleeping.append({"dialog_id": who, "wakes_at": change.wakes[1]})
        if change.begins:
            begun.append(who)
        if change.rings:
            rung.append(of_clocks(who))
        known = {clock.id: clock for clock in change.before}
        for clock in sorted(change.after, key=lambda c: c.state != "ended"):
            was = known.get(clock.id)
            if clock != was or change.moves:
                clocks.append(_row(change.place, clock))
            kept = {line.number: line for line in was.ledger} if was is not None else {}
            lines += [_line(clock, line) for line in clock.ledger if kept.get(line.number) != line]
        for firing, holder in change.fired:
            _tell(work, change.place, firing, holder)
    if not (lives or sleeping or clocks or lines or begun or rung):
        return
    given = {"lives": lives, "sleeping": sleeping, "clocks": clocks, "lines": lines}
    plain = {name: json.loads(json.dumps(rows, default=_plain)) for name, rows in given.items()}
    await work.session.execute(_WRITE, {**plain, "begun": begun, "rung": rung, "kind": RUNG})
    work.rings |= set(rung)


def _tell(work: "Work", place: Place, firing: Firing, holder: UUID | None) -> None:
    """The event is dated at the threshold's own moment, whenever somebody got round to it; it is nobody's doing."""
    clock = firing.clock
    told: dict[str, Any] = {
        "clock_id": str(clock.id), "metric": str(clock.metric), "alias": clock.alias, "status": clock.status,
        "due_at": clock.due_at.isoformat() if clock.due_at else None, "target": clock.target,
        "policy": clock.policy[0] if clock.policy else None,
    }  # fmt: skip
    late = _LATE.get(clock.metric)
    if firing.percent is not None:
        if late is not None:
            return
        told["percent"] = firing.percent
    fact = Fact.SLA_WARNED if firing.percent is not None else late or Fact.SLA_BREACHED
    work.record(
        fact, dialog_id=place.dialog_id, contact_id=place.contact_id, team=place.team, operator_id=holder,
        at=firing.at, **told,
    )  # fmt: skip
    work.facts[-1] |= {"actor_kind": "system", "actor_id": None, "address": None, "run_id": None}


def _row(place: Place, clock: Clock) -> dict[str, Any]:
    policy, version = clock.policy or (None, None)
    calendar, edition = clock.calendar_ref or (None, None)
    return {
        "id": clock.id, "dialog_id": place.dialog_id, "metric": clock.metric, "alias": clock.alias,
        "status": clock.status, "cycle": clock.cycle, "started_at": clock.started_at, "state": clock.state,
        "target": clock.target, "warn": list(clock.warn), "warned": list(clock.warned), "policy_key": policy,
        "policy_version": version, "calendar_key": calendar, "calendar_version": edition, "topic_key": place.topic,
        "team_key": place.team, "priority": place.priority, "due_at": clock.due_at, "next_at": clock.next_at,
        "breached_at": clock.breached_at, "ended_at": clock.ended_at, "result": clock.result,
    }  # fmt: skip


def _line(clock: Clock, line: Interval) -> dict[str, Any]:
    return {
        "clock_id": clock.id, "number": line.number, "state": line.state, "began_at": line.began_at,
        "ended_at": line.ended_at, "cause": line.cause, "actor_kind": line.actor_kind, "actor_id": line.actor_id,
        "changed": line.changed,
    }  # fmt: skip


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
