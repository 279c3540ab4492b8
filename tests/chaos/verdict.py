"""What must be true whatever was killed; each finding is a sentence."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from store.engines import Sessions
from store.sweeps import sweep
from tests.chaos.load import Ledger

#: sentence → a query that finds what must not be
NEVER = {
    "a dialog is in no place, or in two": """
        SELECT id FROM dialogs WHERE (status = 'closed') <> (place IS NULL)
        OR (place = 'owned') IS DISTINCT FROM (operator_id IS NOT NULL) AND status <> 'closed'""",
    "a held dialog has no slot, or a slot no dialog": """
        SELECT coalesce(d.id, r.dialog_id) FROM (SELECT * FROM dialogs WHERE place = 'owned'
            AND status IN ('new','open','in_progress')) d
        FULL JOIN (SELECT * FROM reservations WHERE kind = 'held') r
        ON r.dialog_id = d.id AND r.operator_id = d.operator_id WHERE d.id IS NULL OR r.id IS NULL""",
    "an operator is beyond the limit": """
        SELECT o.user_id FROM operators o JOIN reservations r ON r.operator_id = o.user_id AND NOT r.over_limit
        AND (r.expires_at IS NULL OR r.expires_at > clock_timestamp())
        GROUP BY o.user_id HAVING count(*) > o.max_dialogs""",
    "an offer is late by more than two seconds": """
        SELECT id FROM transfers WHERE state = 'pending' AND deadline < clock_timestamp() - interval '2 seconds'""",
    "an ended offer keeps its slot": """
        SELECT r.id FROM reservations r JOIN transfers t ON t.id = r.transfer_id
        WHERE r.kind = 'offer' AND t.state <> 'pending'""",
    "an offer ended more than once, or without an event": """
        SELECT t.id FROM transfers t LEFT JOIN events e ON e.data ->> 'transfer_id' = t.id::text
        AND e.kind IN ('transfer.accepted','transfer.declined','transfer.cancelled','transfer.rescinded',
            'transfer.expired')
        WHERE t.state <> 'pending' AND t.to_operator IS NOT NULL GROUP BY t.id HAVING count(e.id) <> 1""",
    "a message number is missing or double": """
        SELECT dialog_id FROM messages GROUP BY dialog_id HAVING max(seq) <> count(*)""",
    "event numbers have gaps": """
        SELECT max(seq) FROM events HAVING max(seq) <> count(seq)""",
}


async def findings(sessions: Sessions, ledger: Ledger) -> list[str]:
    """What holds at any moment after readiness."""
    found: list[str] = []
    async with sessions() as session:
        for sentence, query in NEVER.items():
            if rows := (await session.execute(text(query))).all():
                found.append(f"{sentence}: {len(rows)}, e.g. {rows[0][0]}")
        found += await _messages(session, ledger)
    report, _ = await sweep(sessions)
    if report.missed:
        found.append(f"{report.missed} dialogs waited although somebody had room")
    return found


async def _messages(session: AsyncSession, ledger: Ledger) -> list[str]:
    rows = await session.execute(text("SELECT external_id, count(*) FROM messages WHERE direction = 'in' GROUP BY 1"))
    stored = Counter({r[0]: r[1] for r in rows})
    found = []
    if lost := [i for i in ledger.acknowledged if stored[i] == 0]:
        found.append(f"{len(lost)} acknowledged messages are lost, e.g. {lost[0]}")
    if twice := [i for i, n in stored.items() if n > 1]:
        found.append(f"{len(twice)} messages are there twice")
    return found


async def command_findings(sessions: Sessions, ledger: Ledger, outcomes: dict[str, int]) -> list[str]:
    """`outcomes`: final status of every command that was answered 202."""
    async with sessions() as session:
        rows = await session.execute(text("SELECT text, count(*) FROM messages WHERE direction = 'note' GROUP BY 1"))
        notes = Counter({r[0]: r[1] for r in rows})
    found = []
    for key, (_, _, note) in ledger.answered.items():
        if note and notes[note] != 1:
            found.append(f"a note answered 201 is there {notes[note]} times (key {key})")
    for key, (_, note) in ledger.pending.items():
        wanted = {200: 1, 201: 1}.get(outcomes.get(key, 0), 0)
        if note and notes[note] != wanted:
            found.append(f"a note answered 202, then {outcomes.get(key)}, is there {notes[note]} times (key {key})")
    for key, (_, note) in ledger.unanswered.items():
        if note and notes[note] > 1:
            found.append(f"a note without an answer is there {notes[note]} times (key {key})")
    return found


async def unsettled(sessions: Sessions) -> dict[str, int]:
    """What is still on its way: must come to nothing once the load has stopped."""
    async with sessions() as session:
        row = (
            await session.execute(
                text("""
                SELECT (SELECT count(*) FROM reactions WHERE done_at IS NULL AND not_before < clock_timestamp()
                        AND workflow_id NOT LIKE 'presence:%') AS reactions,
                       (SELECT count(*) FROM messages WHERE delivery IN ('queued','sending')) AS deliveries,
                       (SELECT count(*) FROM transfers WHERE state = 'pending') AS offers,
                       (SELECT count(*) FROM pending_commands p WHERE expired_at IS NULL AND NOT EXISTS
                        (SELECT 1 FROM command_results r WHERE r.caller = p.caller AND r.key = p.key)) AS commands
                """)
            )
        ).one()
    return dict(row._mapping)
