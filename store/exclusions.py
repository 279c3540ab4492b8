"""Who is not given a dialog again until its next assignment: declined, let expire or released it (DECISIONS 24)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.distribution import Candidate, Waiting
from store.tables import Exclusion
from store.transactions import Work


async def exclude(work: Work, dialog_id: UUID, operator_id: UUID, reason: str, ends_alone_at: datetime) -> None:
    statement = upsert(Exclusion).values(
        dialog_id=dialog_id, operator_id=operator_id, reason=reason, ends_alone_at=ends_alone_at
    )
    await work.session.execute(
        statement.on_conflict_do_update(
            index_elements=["dialog_id", "operator_id"],
            set_={"reason": statement.excluded.reason, "ends_alone_at": statement.excluded.ends_alone_at},
        )
    )


async def exclude_all(
    work: Work, dialog_id: UUID, people: Iterable[UUID], reason: str, ends_alone_at: datetime
) -> None:
    """As `exclude`, for several; ids of nobody are passed over."""
    await work.session.execute(
        text(
            "INSERT INTO exclusions (dialog_id, operator_id, reason, ends_alone_at)"
            " SELECT :dialog, id, :reason, :until FROM users WHERE id = ANY(:people) ORDER BY id"
            " ON CONFLICT (dialog_id, operator_id)"
            " DO UPDATE SET reason = excluded.reason, ends_alone_at = excluded.ends_alone_at"
        ),
        {"dialog": dialog_id, "people": sorted(people), "reason": reason, "until": ends_alone_at},
    )


async def why_excluded(work: Work, dialog_id: UUID, operator_id: UUID) -> str | None:
    """How an earlier offer of this dialog to this person ended since its last assignment: declined or expired."""
    reason: str | None = await work.session.scalar(
        text(
            "SELECT reason FROM exclusions WHERE dialog_id = :dialog AND operator_id = :operator"
            " AND reason IN ('transfer_declined', 'transfer_expired')"
        ),
        {"dialog": dialog_id, "operator": operator_id},
    )
    return reason


async def teams_of_ended_exclusions(work: Work, teams: Iterable[str]) -> set[str]:
    """Those of `teams` with a dialog that an excluded person may get once nobody else of the team is online."""
    rows = await work.session.execute(
        text(
            "SELECT DISTINCT d.team_key FROM dialogs d JOIN exclusions x ON x.dialog_id = d.id"
            " WHERE d.place = 'queued' AND d.team_key = ANY(:teams) AND x.ends_alone_at <= clock_timestamp()"
        ),
        {"teams": list(teams)},
    )
    return {r[0] for r in rows}


async def lone_ends(work: Work, waiting: Sequence[Waiting]) -> dict[UUID, datetime]:
    excluded = [w.dialog_id for w in waiting if w.excluded]
    if not excluded:
        return {}
    rows = await work.session.execute(
        text("SELECT dialog_id, max(ends_alone_at) AS at FROM exclusions WHERE dialog_id = ANY(:ids) GROUP BY 1"),
        {"ids": excluded},
    )
    return {r.dialog_id: r.at for r in rows}


def lift_lone_exclusions(
    waiting: Sequence[Waiting], candidates: Sequence[Candidate], now: datetime, ends: dict[UUID, datetime]
) -> list[Waiting]:
    """Exclusion ends after one window when nobody else of the team is online (DECISIONS 24)."""

    def lifted(w: Waiting) -> Waiting:
        if not w.excluded or now < ends.get(w.dialog_id, now):
            return w
        others = any(
            w.team in c.teams and c.status == "online" and c.is_connected and not c.is_light
            for c in candidates
            if c.operator_id not in w.excluded
        )
        return w if others else _without_exclusions(w)

    return [lifted(w) for w in waiting]


def _without_exclusions(w: Waiting) -> Waiting:
    return Waiting(
        w.dialog_id, w.team, w.channel, w.contact_id, w.priority, w.weight, w.waiting_since,
        frozenset(), w.reserved_for, w.is_forced,
    )  # fmt: skip
