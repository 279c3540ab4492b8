"""What distribution did in the last 24 hours, in numbers."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.permissions import Viewer
from store.queues import teams_seen

HOURS = 24
_DECISIONS = text("""
SELECT team_key AS team, count(*) AS decisions,
       count(*) FILTER (WHERE outcome = 'assigned') AS distributed,
       count(*) FILTER (WHERE outcome <> 'assigned') AS skipped,
       avg(took) AS average_ms, percentile_cont(0.95) WITHIN GROUP (ORDER BY took) AS p95_ms, max(took) AS slowest_ms,
       GROUPING(team_key) AS is_total
FROM decisions
WHERE at > now() - make_interval(hours => :hours) AND method <> 'by_hand'
  AND (:everything OR team_key = ANY(:teams))
GROUP BY GROUPING SETS ((team_key), ()) ORDER BY is_total, team_key
""")
_SKIPPED = text("""
SELECT team_key AS team, reason, count(*) AS n FROM decisions
WHERE at > now() - make_interval(hours => :hours) AND method <> 'by_hand' AND outcome <> 'assigned'
  AND (:everything OR team_key = ANY(:teams)) GROUP BY 1, 2
""")
_BY_HAND = text("""
SELECT team_key AS team, count(*) AS n FROM decisions
WHERE at > now() - make_interval(hours => :hours) AND method = 'by_hand'
  AND (:everything OR team_key = ANY(:teams)) GROUP BY 1
""")
_ANOMALIES = text("""
SELECT seq, at, dialog_id, team_key AS team, operator_id, data FROM events
WHERE kind = 'distribution.anomaly' AND at > now() - make_interval(hours => :hours)
  AND (:everything OR team_key = ANY(:teams)) ORDER BY at DESC LIMIT 200
""")


async def distribution_audit(session: AsyncSession, viewer: Viewer, *, teams: frozenset[str]) -> dict[str, Any]:
    """Automatic decisions: `skipped` are those that found nobody; times in milliseconds. Per team and in all."""
    everything, keys = teams_seen(viewer, teams)
    given = {"hours": HOURS, "everything": everything, "teams": keys}
    rows = (await session.execute(_DECISIONS, given)).all()
    skipped: dict[str, dict[str, int]] = {}
    for r in await session.execute(_SKIPPED, given):
        skipped.setdefault(r.team, {})[r.reason] = r.n
    by_hand = {r.team: r.n for r in await session.execute(_BY_HAND, given)}
    anomalies = [dict(r._mapping) for r in await session.execute(_ANOMALIES, given)]
    all_reasons: dict[str, int] = {}
    for reasons in skipped.values():
        for reason, n in reasons.items():
            all_reasons[reason] = all_reasons.get(reason, 0) + n
    total = next(r for r in rows if r.is_total)
    of_team = {r.team: r for r in rows if not r.is_total}
    return {
        "hours": HOURS,
        **_numbers(total, all_reasons, sum(by_hand.values())),
        "anomalies": len(anomalies),
        "anomalies_found": anomalies,
        "teams": [
            {
                "team": team,
                **_numbers(of_team.get(team), skipped.get(team, {}), by_hand.get(team, 0)),
                "anomalies": sum(a["team"] == team for a in anomalies),
            }
            for team in sorted({*of_team, *by_hand})
        ],
    }


def _numbers(r: Any, reasons: dict[str, int], by_hand: int) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(float(value), 2)

    return {
        "decisions": r.decisions if r else 0,
        "distributed": r.distributed if r else 0,
        "skipped": r.skipped if r else 0,
        "skipped_by_reason": reasons,
        "by_hand": by_hand,
        "average_ms": rounded(r.average_ms) if r else None,
        "p95_ms": rounded(r.p95_ms) if r else None,
        "slowest_ms": rounded(r.slowest_ms) if r else None,
    }
