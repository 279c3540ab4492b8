"""The runs of workflows, and the copies of their histories that outlive Temporal's own (DECISIONS 11)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, literal, or_, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.permissions import Viewer
from store.dialog_lists import visible
from store.tables import Dialog, TeamMember, User, WorkflowRun

LOST = "lost"
_CLOSED_HINTS = text("""
SELECT r.workflow_id, r.run_id FROM workflow_runs r
WHERE r.archived_at IS NULL AND (
    EXISTS (SELECT FROM workflow_runs n WHERE n.workflow_id = r.workflow_id AND n.started_at > r.started_at)
    OR (r.kind = 'dialog' AND EXISTS (SELECT FROM dialogs d WHERE d.id = r.dialog_id AND d.status = 'closed'))
    OR (r.kind = 'transfer' AND EXISTS (
        SELECT FROM transfers t WHERE t.id::text = substr(r.workflow_id, 10) AND t.ended_at IS NOT NULL))
    OR (r.kind = 'sla' AND NOT EXISTS (
        SELECT FROM timed_dialogs t WHERE t.dialog_id = r.dialog_id AND t.wakes_at IS NOT NULL))
    OR (abs(hashtext(r.run_id)::bigint) % 60) = extract(minute FROM clock_timestamp())::int
)
ORDER BY r.started_at LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the list of runs knows it; `status` None: not known to have ended."""

    workflow_id: str
    run_id: str
    kind: str
    dialog_id: UUID | None
    started_at: datetime
    closed_at: datetime | None
    status: str | None
    is_kept: bool
    events: int | None

    @property
    def is_lost(self) -> bool:
        return self.status == LOST


@dataclass(frozen=True, slots=True)
class Sought:
    """`state`: running, closed, or how it ended. `after`: the last row of the page before."""

    kind: str | None = None
    dialog_id: UUID | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 50


_COLUMNS = (
    WorkflowRun.workflow_id, WorkflowRun.run_id, WorkflowRun.kind, WorkflowRun.dialog_id, WorkflowRun.started_at,
    WorkflowRun.closed_at, WorkflowRun.status,
    WorkflowRun.history.is_not(None).label("is_kept"), WorkflowRun.events,
)  # fmt: skip


async def runs_of(session: AsyncSession, workflow_id: str) -> list[RunRow]:
    """All runs of a workflow, newest first."""
    rows = await session.execute(
        select(*_COLUMNS)
        .where(WorkflowRun.workflow_id == workflow_id)
        .order_by(WorkflowRun.started_at.desc(), WorkflowRun.run_id.desc())
    )
    return [RunRow(*row) for row in rows]


async def find_run(session: AsyncSession, run_id: str) -> RunRow | None:
    row = (await session.execute(select(*_COLUMNS).where(WorkflowRun.run_id == run_id))).one_or_none()
    return RunRow(*row) if row is not None else None


async def kept_history(session: AsyncSession, workflow_id: str, run_id: str) -> bytes | None:
    kept: bytes | None = await session.scalar(
        select(WorkflowRun.history).where(WorkflowRun.workflow_id == workflow_id, WorkflowRun.run_id == run_id)
    )
    return kept


async def list_runs(session: AsyncSession, viewer: Viewer, sought: Sought) -> list[RunRow]:
    """Runs the viewer may read, newest first, one more than `limit` when there are more."""
    query = select(*_COLUMNS).order_by(WorkflowRun.started_at.desc(), WorkflowRun.run_id.desc())
    rows = await session.execute(query.where(*_conditions(viewer, sought)).limit(sought.limit + 1))
    return [RunRow(*row) for row in rows]


def _conditions(viewer: Viewer, sought: Sought) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if not viewer.sees_all:
        found.append(_may_read(viewer))
    if sought.kind is not None:
        found.append(WorkflowRun.kind == sought.kind)
    if sought.dialog_id is not None:
        found.append(WorkflowRun.dialog_id == sought.dialog_id)
    match sought.state:
        case "running":
            found.append(WorkflowRun.archived_at.is_(None))
        case "closed":
            found.append(WorkflowRun.archived_at.is_not(None))
        case str():
            found.append(WorkflowRun.status == sought.state)
    if sought.since is not None:
        found.append(WorkflowRun.started_at >= sought.since)
    if sought.until is not None:
        found.append(WorkflowRun.started_at < sought.until)
    if sought.after is not None:
        found.append(tuple_(WorkflowRun.started_at, WorkflowRun.run_id) < tuple_(*sought.after))
    return found


def _may_read(viewer: Viewer) -> ColumnElement[bool]:
    dialogs = or_(*(and_(*branch) for branch in visible(viewer)))
    colleagues = select(literal("presence:") + cast(TeamMember.user_id, Text)).where(
        TeamMember.team_key.in_(sorted(viewer.teams))
    )
    return or_(
        exists().where(Dialog.id == WorkflowRun.dialog_id, dialogs),
        WorkflowRun.workflow_id == f"presence:{viewer.user_id}",
        WorkflowRun.workflow_id.in_(colleagues),
    )


async def require_colleague(session: AsyncSession, viewer: Viewer, operator_id: UUID) -> None:
    """Somebody the viewer leads or is. Raises NotFoundError also for somebody they may not look at."""
    is_known = await session.scalar(select(User.id).where(User.id == operator_id))
    may = viewer.sees_all or operator_id == viewer.user_id
    if is_known is not None and not may:
        may = bool(
            await session.scalar(
                select(func.count())
                .select_from(TeamMember)
                .where(TeamMember.user_id == operator_id, TeamMember.team_key.in_(sorted(viewer.teams)))
            )
        )
    if is_known is None or not may:
        raise NotFoundError("There is no such operator.")


async def names_of(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return {row.id: row.name for row in rows}


async def runs_to_look_at(session: AsyncSession, *, limit: int) -> list[tuple[str, str]]:
    """(workflow, run) that have probably closed; every other open run comes up once an hour, by its minute."""
    rows = await session.execute(_CLOSED_HINTS, {"limit": limit})
    return [(row.workflow_id, row.run_id) for row in rows]


async def keep(
    session: AsyncSession, workflow_id: str, run_id: str, *, status: str, closed_at: datetime | None = None, **copy: Any
) -> bool:
    """Mark a run as ended and keep the copy of its history (`history`, `events`). False: it was kept before."""
    kept = await session.scalar(
        update(WorkflowRun)
        .where(WorkflowRun.workflow_id == workflow_id, WorkflowRun.run_id == run_id, WorkflowRun.archived_at.is_(None))
        .values(status=status, closed_at=closed_at, archived_at=func.clock_timestamp(), **copy)
        .returning(WorkflowRun.run_id)
    )
    return kept is not None
