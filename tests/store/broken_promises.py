"""Whether the rows keep what was promised (I1, I2, I3), asked of the database directly."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

#: promise → a query that answers one row for each breach of it
PROMISES = {
    "I1 exactly one place": """
        SELECT id FROM dialogs
        WHERE (status = 'closed') <> (place IS NULL)
           OR (place IS NOT DISTINCT FROM 'owned') <> (operator_id IS NOT NULL)
    """,
    "I1 no run speaks where people do": """
        SELECT id FROM dialogs WHERE bot_run IS NOT NULL AND place IS DISTINCT FROM 'bot'
    """,
    "I1 an offer stands on an owned dialog": """
        SELECT t.id, d.place FROM transfers t JOIN dialogs d ON d.id = t.dialog_id
        WHERE t.state = 'pending' AND d.place IS DISTINCT FROM 'owned'
    """,
    "I1 a queue only where distribution is automatic": """
        SELECT d.id, t.key, d.place FROM dialogs d JOIN teams t ON t.key = d.team_key
        WHERE d.place IN ('queued', 'unassigned') AND (d.place = 'queued') <> t.auto
    """,
    "I2 within limits": """
        SELECT o.user_id, count(*), o.max_dialogs FROM operators o JOIN reservations r ON r.operator_id = o.user_id
        WHERE NOT r.over_limit AND (r.expires_at IS NULL OR r.expires_at > clock_timestamp())
        GROUP BY o.user_id HAVING count(*) > o.max_dialogs
    """,
    "I2 within channel limits": """
        SELECT o.user_id, r.channel_key, count(*) FROM operators o JOIN reservations r ON r.operator_id = o.user_id
        WHERE NOT r.over_limit AND (r.expires_at IS NULL OR r.expires_at > clock_timestamp())
        GROUP BY o.user_id, r.channel_key HAVING count(*) > (o.channel_limits ->> r.channel_key)::bigint
    """,
    "I2 loads kept as they are counted": """
        SELECT operator_id, l.held, l.channels, c.n, c.channels FROM operator_loads l FULL JOIN (
            SELECT operator_id, sum(n) AS n, jsonb_object_agg(channel_key, n) AS channels
            FROM (SELECT operator_id, channel_key, count(*) AS n FROM reservations WHERE kind = 'held'
                  GROUP BY 1, 2) AS counted GROUP BY operator_id) AS c USING (operator_id)
        WHERE coalesce(l.held, 0) <> coalesce(c.n, 0) OR coalesce(l.channels, '{}') <> coalesce(c.channels, '{}')
    """,
    "I2 a slot for every held dialog": """
        SELECT d.id, d.status FROM dialogs d
        WHERE d.place = 'owned' AND d.status IN ('new', 'open', 'in_progress') AND NOT EXISTS (
            SELECT 1 FROM reservations r
            WHERE r.dialog_id = d.id AND r.kind = 'held' AND r.operator_id = d.operator_id)
    """,
    "I2 no slot for what nobody holds": """
        SELECT r.dialog_id, r.operator_id, d.place, d.status FROM reservations r JOIN dialogs d ON d.id = r.dialog_id
        WHERE r.kind = 'held' AND (d.operator_id IS DISTINCT FROM r.operator_id
                                   OR d.status NOT IN ('new', 'open', 'in_progress'))
    """,
    "I2 a slot for every pending offer": """
        SELECT t.id FROM transfers t WHERE t.state = 'pending' AND NOT EXISTS (
            SELECT 1 FROM reservations r WHERE r.kind = 'offer' AND r.transfer_id = t.id AND r.dialog_id = t.dialog_id
            AND r.operator_id = t.to_operator AND r.expires_at = t.deadline)
    """,
    "I2 no slot for an offer that has ended": """
        SELECT r.id FROM reservations r LEFT JOIN transfers t ON t.id = r.transfer_id
        WHERE r.kind = 'offer' AND t.state IS DISTINCT FROM 'pending'
    """,
    "I3 one pending offer per dialog": """
        SELECT dialog_id FROM transfers WHERE state = 'pending' GROUP BY 1 HAVING count(*) > 1
    """,
    "I3 every offer ends exactly once": """
        SELECT t.id, t.state, count(e.id) FROM transfers t
        LEFT JOIN events e ON e.dialog_id = t.dialog_id AND e.data ->> 'transfer_id' = t.id::text
             AND e.kind IN ('transfer.accepted', 'transfer.declined', 'transfer.cancelled', 'transfer.rescinded',
                            'transfer.expired')
        WHERE t.to_operator IS NOT NULL
        GROUP BY t.id HAVING count(e.id) <> (t.state <> 'pending')::int
    """,
    "I3 an accepted offer was accepted in time": """
        SELECT id FROM transfers WHERE state IN ('accepted', 'declined', 'cancelled') AND ended_at > deadline
    """,
    "I3 an expired offer ended at its deadline": """
        SELECT id FROM transfers WHERE state = 'expired' AND ended_at <> deadline
    """,
    "one open chat per thread": """
        SELECT channel_key, identity_id, thread FROM dialogs WHERE status <> 'closed' AND kind <> 'ticket'
        GROUP BY 1, 2, 3 HAVING count(*) > 1
    """,
    "messages are numbered without gaps": """
        SELECT d.id FROM dialogs d LEFT JOIN messages m ON m.dialog_id = d.id
        GROUP BY d.id HAVING count(m.id) <> d.last_message_seq OR coalesce(max(m.seq), 0) <> d.last_message_seq
    """,
    "the last event of a place tells where a dialog is": """
        SELECT d.id, d.place, last.kind FROM dialogs d CROSS JOIN LATERAL (
            SELECT kind FROM events e WHERE e.dialog_id = d.id AND e.kind IN (
                'dialog.opened', 'dialog.queued', 'dialog.assigned', 'dialog.unassigned', 'dialog.closed',
                'dialog.reopened', 'ticket.closed', 'ticket.reopened')
            ORDER BY id DESC LIMIT 1) AS last
        WHERE last.kind <> ALL (CASE
            WHEN d.place IS NULL THEN ARRAY['dialog.closed', 'ticket.closed']
            WHEN d.place = 'owned' THEN ARRAY['dialog.assigned']
            WHEN d.place = 'bot' THEN ARRAY['dialog.opened', 'dialog.reopened'] ELSE ARRAY['dialog.queued'] END)
    """,
    "an assignment has a decision": """
        SELECT e.id FROM events e WHERE e.kind = 'dialog.assigned' AND NOT EXISTS (
            SELECT 1 FROM decisions x WHERE x.dialog_id = e.dialog_id AND x.winner_id = e.operator_id)
    """,
    "nobody is excluded from what they hold": """
        SELECT x.dialog_id FROM exclusions x JOIN dialogs d ON d.id = x.dialog_id
        WHERE d.status = 'closed' OR d.operator_id = x.operator_id
    """,
}


_ALL = text(
    " UNION ALL ".join(
        f"SELECT '{promise}' AS promise, broken::text AS row FROM ({query}) AS broken"
        for promise, query in PROMISES.items()
    )
)


async def broken_promises(session: AsyncSession) -> list[str]:
    """Every breach as a line; empty = all promises kept."""
    return [f"{row.promise}: {row.row}" for row in await session.execute(_ALL)]
