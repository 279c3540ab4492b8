"""The live board of operators: who is there, how full, since when; and why nothing comes to one of them."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.capacity import Limits, Load
from domain.diagnoses import Standing, TeamStanding, diagnose, gets_dialogs
from domain.errors import NotFoundError
from domain.permissions import Viewer
from domain.presence import can_receive, is_connected
from store.dialog_rows import Page

_ZONE = "coalesce((SELECT value #>> '{}' FROM settings WHERE key = 'time_zone'), 'Europe/Kyiv')"
_TODAY = f"(now() AT TIME ZONE {_ZONE})::date"
_BOARD = f"""
SELECT u.id, u.name, u.is_active, o.status, o.status_reason, o.status_since, o.max_dialogs, o.channel_limits,
       o.daily_quota, o.last_assigned_at, o.last_closed_at, l.lease_until, l.seen_at, l.lapsed_at, l.absent_at,
       clock_timestamp() AS now,
       EXISTS (SELECT 1 FROM user_roles ur JOIN role_permissions rp ON rp.role_key = ur.role_key
               WHERE ur.user_id = u.id AND rp.permission = 'dialog.hold') AS may_hold,
       ARRAY(SELECT team_key FROM team_members m WHERE m.user_id = u.id ORDER BY 1) AS teams,
       (SELECT count(*) FROM dialogs d WHERE d.operator_id = u.id) AS held,
       coalesce(r.taken, 0) AS taken, coalesce(r.offers, 0) AS offers, coalesce(r.channels, '{{}}') AS channels,
       (SELECT count(*) FROM contact_touches t WHERE t.operator_id = u.id AND t.day = {_TODAY}) AS contacts_today,
       (SELECT coalesce(sum(extract(epoch FROM coalesce(i.ended_at, now())
               - greatest(i.started_at, {_TODAY}::timestamp AT TIME ZONE {_ZONE}))), 0)
        FROM presence_intervals i WHERE i.operator_id = u.id AND i.status = 'online'
          AND coalesce(i.ended_at, now()) > {_TODAY}::timestamp AT TIME ZONE {_ZONE}
          AND i.started_at < now()) AS online_today
FROM users u JOIN operators o ON o.user_id = u.id
LEFT JOIN presence_leases l ON l.operator_id = u.id
LEFT JOIN LATERAL (
    SELECT sum(n)::int AS taken, sum(offered)::int AS offers, jsonb_object_agg(channel_key, n) AS channels
    FROM (SELECT channel_key, count(*) AS n, count(*) FILTER (WHERE kind = 'offer') AS offered FROM reservations
          WHERE operator_id = u.id AND (expires_at IS NULL OR expires_at > clock_timestamp())
          GROUP BY channel_key) AS per_channel
) r ON true
WHERE (:everything OR u.id = :me
       OR EXISTS (SELECT 1 FROM team_members m WHERE m.user_id = u.id AND m.team_key = ANY(:teams)))
"""
_PAGE = f"""{_BOARD}
  AND u.is_active AND (NOT :narrowed OR EXISTS (
      SELECT 1 FROM team_members m WHERE m.user_id = u.id AND m.team_key = ANY(:asked)))
  AND (CAST(:after AS uuid) IS NULL OR (lower(u.name), u.id) > (
      SELECT lower(a.name), a.id FROM users a WHERE a.id = CAST(:after AS uuid)))
ORDER BY lower(u.name), u.id LIMIT :limit
"""
_ONE = f"{_BOARD} AND u.id = :id"
_TEAMS = text("""
SELECT t.key, t.auto, t.active,
       ARRAY(SELECT topic_key FROM team_topics x JOIN topics p ON p.key = x.topic_key AND p.active
             WHERE x.team_key = t.key ORDER BY 1) AS topics,
       (SELECT count(*) FROM dialogs d WHERE d.team_key = t.key AND d.place = 'queued') AS queued,
       (SELECT count(*) FROM dialogs d WHERE d.team_key = t.key AND d.place = 'unassigned') AS unassigned
FROM teams t JOIN team_members m ON m.team_key = t.key AND m.user_id = :id
""")
_EXCLUDED = text("""
SELECT count(*) FROM exclusions x JOIN dialogs d ON d.id = x.dialog_id AND d.place IN ('queued', 'unassigned')
WHERE x.operator_id = :id
""")


async def live_board(
    session: AsyncSession, viewer: Viewer, *, teams: frozenset[str], after: UUID | None, limit: int
) -> Page:
    """Active operators by name: all of them, or those who share a team with the viewer."""
    given = _seen(viewer) | {
        "narrowed": bool(teams), "asked": sorted(teams), "after": after, "limit": limit + 1,
    }  # fmt: skip
    rows = (await session.execute(text(_PAGE), given)).all()
    has_more, rows = len(rows) > limit, rows[:limit]
    return Page([_standing(r) for r in rows], str(rows[-1].id) if has_more else None, None)


async def get_operator(session: AsyncSession, viewer: Viewer, operator_id: UUID) -> dict[str, Any]:
    """Raises NotFoundError also for somebody whom the viewer may not see."""
    return _standing(await _get(session, viewer, operator_id))


async def diagnosis(session: AsyncSession, viewer: Viewer, operator_id: UUID) -> dict[str, Any]:
    """Every condition of getting dialogs, ok or not, in words. Raises NotFoundError."""
    r = await _get(session, viewer, operator_id)
    teams = {
        t.key: TeamStanding(t.auto, t.active, t.topics, t.queued, t.unassigned)
        for t in await session.execute(_TEAMS, {"id": operator_id})
    }
    excluded = int(await session.scalar(_EXCLUDED, {"id": operator_id}) or 0)
    standing = Standing(
        now=r.now, is_active=r.is_active, may_hold=r.may_hold, status=r.status, status_reason=r.status_reason,
        lease_until=r.lease_until, seen_at=r.seen_at, limits=Limits(r.max_dialogs, r.channel_limits),
        load=Load(r.taken, r.channels), contacts_today=r.contacts_today, daily_quota=r.daily_quota, teams=teams,
        excluded_from=excluded,
    )  # fmt: skip
    checks = diagnose(standing)
    first = next((c for c in checks if c.blocks and not c.ok), None)
    return {
        "operator": _standing(r),
        "gets_dialogs": gets_dialogs(checks),
        "why": first.says if first else "Nothing keeps dialogs away.",
        "checks": [
            {"check": c.check, "ok": c.ok, "blocks": c.blocks, "says": c.says, "facts": dict(c.facts or {})}
            for c in checks
        ],
    }


async def _get(session: AsyncSession, viewer: Viewer, operator_id: UUID) -> Any:
    row = (await session.execute(text(_ONE), _seen(viewer) | {"id": operator_id})).one_or_none()
    if row is None:
        raise NotFoundError("There is no such operator.")
    return row


def _seen(viewer: Viewer) -> dict[str, Any]:
    return {"everything": viewer.sees_all, "me": viewer.user_id, "teams": sorted(viewer.teams)}


def _standing(r: Any) -> dict[str, Any]:
    channels = sorted({*r.channels, *r.channel_limits})
    return {
        "id": r.id,
        "name": r.name,
        "active": r.is_active,
        "may_hold": r.may_hold,
        "teams": r.teams,
        "status": r.status,
        "reason": r.status_reason,
        "since": r.status_since,
        "connected": is_connected(r.lease_until, r.now),
        "receives": r.is_active and r.may_hold and can_receive(r.status, r.lease_until, r.now),
        "lease_until": r.lease_until,
        "last_seen_at": r.seen_at,
        "last_seen_ago": round(max(0.0, (r.now - r.seen_at).total_seconds()), 1) if r.seen_at else None,
        "absent_since": r.absent_at,
        "held": r.held,
        "taken": r.taken,
        "offers": r.offers,
        "limit": r.max_dialogs,
        "channels": {c: {"taken": r.channels.get(c, 0), "limit": r.channel_limits.get(c)} for c in channels},
        "contacts_today": r.contacts_today,
        "daily_quota": r.daily_quota,
        "online_today": round(float(r.online_today)),
        "last_assigned_at": r.last_assigned_at,
        "last_closed_at": r.last_closed_at,
    }
