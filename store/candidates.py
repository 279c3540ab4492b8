"""Who could get a dialog: the members of teams as this moment finds them, with what they hold."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from domain.capacity import Limits, Load
from domain.distribution import Candidate
from store.statements import Statement
from store.transactions import Work

#: loads are read as kept (ADR 17), of channels only where one is limited; offers are counted while they last
CANDIDATES = Statement("""
SELECT o.user_id, u.name, o.max_dialogs, nullif(o.channel_limits, '{}') AS channel_limits, o.daily_quota, o.status,
       o.last_assigned_at, o.last_closed_at, coalesce(l.lease_until > clock_timestamp(), false) AS connected,
       m.teams, coalesce(k.held, 0) AS held, f.offers,
       CASE WHEN o.channel_limits <> '{}' THEN k.channels END AS channels,
       NOT EXISTS (SELECT 1 FROM user_roles ur JOIN role_permissions rp ON rp.role_key = ur.role_key
                   WHERE ur.user_id = o.user_id AND rp.permission = 'dialog.hold') AS is_light
FROM (SELECT user_id, array_agg(team_key) AS teams FROM team_members
      WHERE team_key = ANY(:teams) GROUP BY user_id) m
JOIN operators o ON o.user_id = m.user_id
JOIN users u ON u.id = o.user_id AND u.is_active
LEFT JOIN presence_leases l ON l.operator_id = o.user_id
LEFT JOIN operator_loads k ON k.operator_id = o.user_id
LEFT JOIN (SELECT operator_id, array_agg(channel_key) AS offers FROM reservations
           WHERE kind = 'offer' AND expires_at > clock_timestamp() GROUP BY operator_id) f ON f.operator_id = o.user_id
ORDER BY o.user_id
""")
_TOUCHES = Statement("""
SELECT operator_id, count(*) AS met, array_agg(contact_id) FILTER (WHERE contact_id = ANY(:contacts)) AS known
FROM contact_touches
WHERE operator_id = ANY(:operators)
  AND day = (clock_timestamp() AT TIME ZONE coalesce(
        (SELECT value #>> '{}' FROM settings WHERE key = 'time_zone'), 'Europe/Kyiv'))::date
GROUP BY operator_id
""")
_ABLE = Statement("""
SELECT o.user_id FROM operators o
WHERE o.status = 'online' AND o.user_id IN (SELECT user_id FROM team_members WHERE team_key = ANY(:teams))
ORDER BY o.user_id FOR NO KEY UPDATE OF o
""")
_NOBODY: frozenset[UUID] = frozenset()


async def candidates_in(work: Work, teams: Iterable[str], contacts: Iterable[UUID]) -> list[Candidate]:
    """Every active member of the teams as this moment finds them."""
    rows = await work.ask(CANDIDATES, teams=list(teams))
    limited = [r.user_id for r in rows if r.daily_quota is not None]
    met: dict[UUID, Any] = {}
    if limited:
        touched = await work.ask(_TOUCHES, operators=limited, contacts=list(contacts))
        met = {t.operator_id: t for t in touched}
    return [_candidate(r, met.get(r.user_id)) for r in rows]


def _candidate(r: Any, met: Any) -> Candidate:
    """`met`: the clients of today, known only of whom a daily quota limits."""
    load = Load(r.held, r.channels or {})
    for channel in r.offers or ():
        load = load.plus(channel)
    return Candidate(
        operator_id=r.user_id, teams=frozenset(r.teams), limits=Limits(r.max_dialogs, r.channel_limits or {}),
        load=load, status=r.status, is_connected=r.connected, is_light=r.is_light,
        last_assigned_at=r.last_assigned_at, last_closed_at=r.last_closed_at,
        contacts_today=met.met if met else 0, daily_quota=r.daily_quota,
        known_contacts=frozenset(met.known or ()) if met else _NOBODY, name=r.name,
    )  # fmt: skip


async def lock_able(work: Work, teams: Iterable[str]) -> None:
    """Lock everybody who could get a dialog now, so that one look at their loads is enough."""
    await work.ask(_ABLE, teams=list(teams))
