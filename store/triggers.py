"""Starting processes without a person: an event, a firing of a schedule, a delivery of a webhook, each once per
definition (PROCESS_LANGUAGE 7, 9.5, 9.15).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import triggers as rules
from domain.durations import parse_duration
from domain.errors import DomainError, InvalidError
from domain.expressions import ExpressionError, compile_condition, render, to_json
from domain.launches import LaunchOrder, Selected
from domain.triggers import Occasion
from domain.walks.scopes import names_of
from store.launches import launch
from store.snapshots import snapshot_of
from store.tables import Definition, Run, Trigger
from store.transactions import Work

log = structlog.get_logger("triggers")

#: a mark taken before stands, unless its time is over
_MARK = text("""
INSERT INTO trigger_marks (definition_key, kind, key, until) VALUES (:definition, :kind, :key, :until)
ON CONFLICT (definition_key, kind, key) DO UPDATE SET until = excluded.until, made_at = clock_timestamp(), run_id = NULL
WHERE trigger_marks.until <= clock_timestamp()
RETURNING key
""")
_POINT = text("""
UPDATE trigger_marks SET run_id = :run WHERE definition_key = :definition AND kind = :kind AND key = :key
""")
_MARKED = text("SELECT run_id FROM trigger_marks WHERE definition_key = :definition AND kind = :kind AND key = :key")
#: a definition is started by its own targets' events; others take the selection it carries itself
_OWN_TARGET = {"dialog": "dialog_id", "contact": "contact_id", "operator": "operator_id"}


async def triggers_of(session: AsyncSession, kind: str, matches: Iterable[str]) -> list[Trigger]:
    """Automatic triggers of active versions."""
    rows = await session.scalars(
        select(Trigger)
        .where(Trigger.kind == kind, Trigger.match.in_(list(matches)))
        .order_by(Trigger.definition_key, Trigger.position)
    )
    return list(rows)


async def chain_of(session: AsyncSession, run_id: UUID | None) -> tuple[UUID, ...]:
    """The runs that led to what `run_id` did, oldest first, itself last."""
    if run_id is None:
        return ()
    cause = await session.scalar(select(Run.cause).where(Run.id == run_id))
    return (*(cause or ()), run_id)


async def start(work: Work, trigger: Trigger, occasion: Occasion) -> dict[str, Any] | None:
    """Launch what `trigger` starts on this occasion; None when its conditions say no, or it was taken already.

    Reads the clock. Raises DomainError when the launch is refused: the mark then stays, so nothing is tried twice.
    """
    now = await work.read_clock()
    definition = await work.session.get_one(Definition, trigger.definition_key)
    if await _why_not(work.session, definition.key, occasion.cause) is not None:
        return None
    names = await _names(work.session, occasion)
    body = trigger.body
    if not _holds(definition.key, body.get("if"), names, now):
        return None
    if not await _take(work.session, definition.key, occasion.kind, occasion.key, None):
        return None
    if body.get("once_per") is not None and not await _is_first(work.session, definition, body, occasion, names, now):
        return None
    inputs = _rendered(body.get("inputs") or {}, "inputs", names, now)
    if trigger.kind == "webhook":
        inputs = _from_body(trigger, occasion) | inputs
    told = await launch(work, _order_of(definition, trigger, occasion, inputs))
    await work.session.execute(
        _POINT,
        {"run": UUID(told["run_id"]), "definition": definition.key, "kind": occasion.kind, "key": occasion.key},
    )
    return told


async def taken_by(session: AsyncSession, definition: str, occasion: Occasion) -> tuple[bool, UUID | None]:
    """Whether this occasion was taken by the definition before, and the run it started."""
    row = (
        await session.execute(_MARKED, {"definition": definition, "kind": occasion.kind, "key": occasion.key})
    ).one_or_none()
    return row is not None, row.run_id if row is not None else None


async def start_all(work: Work, found: Iterable[Trigger], occasion: Occasion) -> list[dict[str, Any]]:
    """Start each of them that wants to; a refusal, or a fault in one definition, stops none of the others."""
    started = []
    for trigger in found:
        try:
            async with work.savepoint():
                told = await start(work, trigger, occasion)
        except (DomainError, ExpressionError) as error:
            log.warning(
                "trigger.refused", definition=trigger.definition_key, kind=occasion.kind, error=str(error)[:300]
            )
            await _take(work.session, trigger.definition_key, occasion.kind, occasion.key, None)
            continue
        if told is not None:
            started.append(told)
    return started


async def _why_not(session: AsyncSession, definition: str, cause: tuple[UUID, ...]) -> str | None:
    if not cause:
        return None
    rows = await session.scalars(select(Run.definition_key).where(Run.id.in_(cause)))
    why = rules.why_not(definition, list(rows))
    if why is not None:
        log.info("trigger.not_again", definition=definition, why=why)
    return why


async def _names(session: AsyncSession, occasion: Occasion) -> dict[str, Any]:
    snapshot = await snapshot_of(session, occasion.dialog_id, occasion.contact_id)
    return {**names_of(snapshot), "trigger": dict(occasion.payload)}


def _holds(definition: str, condition: str | None, names: Mapping[str, Any], now: datetime) -> bool:
    if condition is None:
        return True
    try:
        return compile_condition(condition).evaluate_condition(names, now=now)
    except ExpressionError as error:
        log.warning("trigger.condition_failed", definition=definition, condition=condition, error=error.message)
        return False


async def _take(session: AsyncSession, definition: str, kind: str, key: str, until: datetime | None) -> bool:
    given = {"definition": definition, "kind": kind, "key": key, "until": until}
    return (await session.execute(_MARK, given)).one_or_none() is not None


async def _is_first(
    session: AsyncSession,
    definition: Definition,
    body: Mapping[str, Any],
    occasion: Occasion,
    names: Mapping[str, Any],
    now: datetime,
) -> bool:
    """`once_per`: the first of its key in that time."""
    if body.get("once_key") is not None:
        key = sha256(str(_rendered(body["once_key"], "once_key", names, now)).encode("utf-8", "replace")).hexdigest()
    else:
        key = str(getattr(occasion, _OWN_TARGET.get(definition.target, "dialog_id")) or occasion.operator_id)
    window: timedelta = parse_duration(body["once_per"])
    return await _take(session, definition.key, "once", f"{body.get('event') or 'hook'}:{key}", now + window)


def _rendered(value: Any, what: str, names: Mapping[str, Any], now: datetime) -> Any:
    """Raises InvalidError where what came with the occasion does not let it be read."""
    try:
        return to_json(render(value, names, now=now))
    except ExpressionError as error:
        raise InvalidError(f"The trigger's {what} cannot be read: {error.message}", field=what) from error


def _from_body(trigger: Trigger, occasion: Occasion) -> dict[str, Any]:
    """A webhook's body names inputs by their own names; the launch refuses what is no input of the definition's."""
    body = occasion.payload.get("body")
    wanted = trigger.body.get("takes")
    if not isinstance(body, Mapping) or not isinstance(wanted, list):
        return {}
    return {name: body[name] for name in wanted if name in body}


def _order_of(definition: Definition, trigger: Trigger, occasion: Occasion, inputs: dict[str, Any]) -> LaunchOrder:
    target = getattr(occasion, _OWN_TARGET.get(definition.target, ""), None) if definition.target != "none" else None
    return LaunchOrder(
        kind=definition.kind, key=definition.key, inputs=inputs,
        selected=Selected(ids=(target,)) if target is not None else Selected(), version=trigger.version,
        trigger_kind=occasion.kind, trigger=dict(occasion.payload), cause=occasion.cause,
    )  # fmt: skip
