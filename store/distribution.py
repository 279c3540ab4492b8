"""Giving waiting dialogs to those who have room, in the transaction that made the room or brought the dialog."""

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError

from domain.dialogs import Kind
from domain.distribution import Decision, Waiting, decide, plan
from domain.events import Fact
from domain.workflow_ids import of_team
from store.candidates import candidates_in, lock_able
from store.decisions import store_decisions
from store.exclusions import lift_lone_exclusions, lone_ends
from store.tables import ContactTouch, Dialog
from store.transactions import SYSTEM, GroundMovedError, Work

MOST = 100
_READ_AT_MOST = 3000
#: the SQLSTATE of the trigger that refuses a slot beyond a limit
OVERFLOW = "SB001"

_WAITING = text("""
SELECT d.id, d.team_key, d.channel_key, d.contact_id, coalesce(p.priority, 0) AS priority, d.weight,
       d.waiting_since, d.reserved_for, d.is_forced, d.kind,
       ARRAY(SELECT operator_id FROM exclusions x WHERE x.dialog_id = d.id) AS excluded,
       (SELECT max(ends_alone_at) FROM exclusions x WHERE x.dialog_id = d.id) AS ends_alone_at
FROM dialogs d LEFT JOIN topics p ON p.key = d.topic_key
JOIN teams t ON t.key = d.team_key
WHERE d.place = 'queued' AND d.team_key = ANY(:teams) AND (:forced OR NOT d.is_forced)
  AND (CAST(:only AS uuid) IS NULL OR d.id = :only)
  AND d.status IN ('new', 'open', 'in_progress')
ORDER BY CASE WHEN t.distribution = 'topic_priority' THEN coalesce(p.priority, 0) ELSE 0 END DESC, d.weight DESC,
         d.waiting_since LIMIT :most
""")
TODAY = text(
    "(clock_timestamp() AT TIME ZONE coalesce("
    "(SELECT value #>> '{}' FROM settings WHERE key = 'time_zone'), 'Europe/Kyiv'))::date"
)
_DRAINING = text("""
SELECT EXISTS (SELECT 1 FROM reactions WHERE done_at IS NULL AND workflow_id = ANY(:addresses)
               AND not_before <= clock_timestamp())
""")
TAKE_SLOTS = text("""
INSERT INTO reservations (dialog_id, operator_id, kind, channel_key)
SELECT dialog_id, operator_id, 'held', channel_key
FROM unnest(CAST(:dialogs AS uuid[]), CAST(:operators AS uuid[]), CAST(:channels AS text[]))
     AS given (dialog_id, operator_id, channel_key)
""")
HAND_OVER = text(f"""
WITH given AS (
    SELECT * FROM unnest(CAST(:dialogs AS uuid[]), CAST(:operators AS uuid[]), CAST(:contacts AS uuid[]))
                  AS given (dialog_id, operator_id, contact_id)
), moved AS (
    UPDATE dialogs SET place = 'owned', operator_id = given.operator_id, last_operator_id = given.operator_id,
           reserved_for = NULL, is_forced = false, bot_run = NULL, assigned_at = :now,
           first_assigned_at = coalesce(first_assigned_at, :now),
           status = CASE WHEN status = 'new' THEN 'open' ELSE status END
    FROM given WHERE dialogs.id = given.dialog_id
), told AS (
    UPDATE operators SET last_assigned_at = turns.at
    FROM unnest(CAST(:winners AS uuid[]), CAST(:turns AS timestamptz[])) AS turns (operator_id, at)
    WHERE operators.user_id = turns.operator_id
), met AS (
    INSERT INTO contact_touches (operator_id, day, contact_id)
    SELECT DISTINCT operator_id, {TODAY.text}, contact_id FROM given ORDER BY operator_id, contact_id
    ON CONFLICT DO NOTHING
)
DELETE FROM exclusions USING given WHERE exclusions.dialog_id = given.dialog_id
""")


async def methods_of(work: Work, teams: Iterable[str]) -> dict[str, str]:
    """team → method, for those of `teams` that are active and automatic."""
    rows = await work.session.execute(
        text("SELECT key, distribution FROM teams WHERE key = ANY(:teams) AND auto AND active"),
        {"teams": list(teams)},
    )
    return {r.key: r.distribution for r in rows}


async def waiting_in(
    work: Work, teams: Iterable[str], *, forced: bool = True, only: UUID | None = None
) -> list[Waiting]:
    rows = await work.session.execute(
        _WAITING, {"teams": list(teams), "forced": forced, "only": only, "most": _READ_AT_MOST}
    )
    return [
        Waiting(
            r.id, r.team_key, r.channel_key, r.contact_id, r.priority, r.weight, r.waiting_since,
            frozenset(r.excluded), r.reserved_for, r.is_forced, r.kind,
        )
        for r in rows
    ]  # fmt: skip


async def drain(work: Work, teams: Iterable[str], *, cause: str, arrived: Dialog | None = None) -> list[Decision]:
    """Give waiting dialogs of `teams` (all locked by this transaction) to whoever has room; at most MOST of them.

    `arrived` is a dialog this transaction just put into the queue: without it every waiting dialog may go, forced
    ones too; with it forced ones stay (DECISIONS 17), and its decision is stored even when it must wait. Arriving
    makes no room, so nobody who waits already can go now: only the newcomer is looked at, unless a long drain is
    still under way, whose dialogs it must not overtake.
    """
    began = time.perf_counter()
    work.require_teams(teams)
    await work.session.flush()
    methods = await methods_of(work, teams)
    if not methods:
        return []
    alone = arrived if arrived is not None and not await _is_draining(work, methods) else None
    if alone is not None:
        waiting = await waiting_in(work, methods, forced=False, only=alone.id)
        await lock_able(work, methods)
    else:
        waiting = await waiting_in(work, methods, forced=arrived is None)
    if not waiting:
        return []
    contacts = {w.contact_id for w in waiting}
    candidates = await candidates_in(work, methods, contacts)
    waiting = lift_lone_exclusions(waiting, candidates, work.now, await lone_ends(work, waiting))
    drafts = plan(waiting, candidates, methods, now=work.now, most=MOST)
    made: list[Decision] = []
    if drafts and alone is not None:
        made = drafts
        await _carry_out(work, made, waiting, cause, began)
    elif drafts:
        chosen = {d.dialog_id for d in drafts}
        if chosen != {arrived.id if arrived else None}:
            await lock_dialogs(work, chosen)
        await work.lock_operators(d.winner for d in drafts)
        candidates = await candidates_in(work, methods, contacts)
        made = plan([w for w in waiting if w.dialog_id in chosen], candidates, methods, now=work.now, most=MOST)
        await _carry_out(work, made, waiting, cause, began)
        if len(drafts) >= MOST or len(made) < len(drafts):
            for team in sorted(methods):
                work.react(of_team(team), "drain_due")
            await work.session.execute(text("SELECT pg_notify('drains', '')"))
    if arrived is not None and arrived.id not in {d.dialog_id for d in made}:
        mine = next((w for w in waiting if w.dialog_id == arrived.id), None)
        if mine is not None:
            decision = decide(mine, candidates, methods[mine.team])
            await store_decisions(work, [decision], cause, began)
    return made


async def _is_draining(work: Work, teams: Iterable[str]) -> bool:
    found = await work.session.scalar(_DRAINING, {"addresses": [of_team(t) for t in teams]})
    return bool(found)


async def lock_dialogs(work: Work, ids: Iterable[UUID]) -> None:
    await work.session.execute(
        select(Dialog.id).where(Dialog.id.in_(sorted(ids))).order_by(Dialog.id).with_for_update(key_share=True)
    )


async def _carry_out(
    work: Work, made: Sequence[Decision], waiting: Sequence[Waiting], cause: str, began: float
) -> None:
    if not made:
        return
    facts = {w.dialog_id: w for w in waiting}
    now = work.now
    pairs = [(d.dialog_id, d.winner, facts[d.dialog_id]) for d in made]
    given = {
        "dialogs": [i for i, _, _ in pairs], "operators": [o for _, o, _ in pairs],
        "channels": [w.channel for _, _, w in pairs],
    }  # fmt: skip
    try:
        await work.session.execute(TAKE_SLOTS, given)
    except DBAPIError as error:
        # Deciding again under the locks may choose somebody whose row is not locked, and who filled up meanwhile.
        if getattr(error.orig, "sqlstate", None) != OVERFLOW:
            raise
        raise GroundMovedError from error
    turns = {o: now + timedelta(microseconds=i) for i, (_, o, _) in enumerate(pairs)}
    await work.session.execute(
        HAND_OVER,
        {
            "dialogs": given["dialogs"], "operators": given["operators"],
            "contacts": [w.contact_id for _, _, w in pairs], "now": now,
            "winners": list(turns), "turns": list(turns.values()),
        },
    )  # fmt: skip
    for dialog_id, operator_id, w in pairs:
        work.record(
            Fact.DIALOG_ASSIGNED, dialog_id=dialog_id, contact_id=w.contact_id, team=w.team,
            operator_id=operator_id, before={"place": "queued"}, after={"place": "owned"}, cause=cause,
        )  # fmt: skip
        if w.kind == Kind.TICKET:  # whoever made the room did not choose to whom it goes
            work.record(
                Fact.TICKET_REASSIGNED, dialog_id=dialog_id, contact_id=w.contact_id, team=w.team, actor=SYSTEM,
                operator_id=operator_id, before={"operator": None}, after={"operator": str(operator_id)}, cause=cause,
            )  # fmt: skip
    await store_decisions(work, made, cause, began)
    for row in [o for o in work.session.identity_map.values() if isinstance(o, Dialog) and o.id in facts]:
        await work.session.refresh(row)


async def touch_contacts(work: Work, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Count the client among those the operator met today."""
    rows = [{"operator_id": o, "contact_id": c} for o, c in sorted(set(pairs))]
    if rows:
        statement = upsert(ContactTouch).values(day=TODAY).on_conflict_do_nothing()
        await (await work.session.connection()).execute(
            statement.values(operator_id=bindparam("operator_id"), contact_id=bindparam("contact_id")), rows
        )
