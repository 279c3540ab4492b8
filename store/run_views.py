"""Who may look at a run: whoever launched it, those its definition names under `permissions.view`, administrators.

Where it names nobody: all who read every dialog, and, as far as that goes, who may read a dialog the run worked on.
What a macro told its operator is for him or her and for those who control runs, not for every colleague. Whoever may
not read clients' messages sees what happened, not what was said.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, exists, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.permissions import Permission, Viewer
from store.dialog_lists import visible
from store.tables import Dialog, Run, RunItem, User


@dataclass(frozen=True, slots=True)
class Sight:
    """A run as far as somebody sees it. `is_whole`: all of its items, not only those of dialogs the viewer reads.
    `shows_texts`: also what was said, entered and read.
    """

    run: Run
    is_whole: bool
    shows_texts: bool = True


def seen_whole(viewer: Viewer) -> ColumnElement[bool]:
    """A condition on runs: the viewer sees the run and all of its items."""
    if not viewer.may(Permission.RUNS_READ):
        return Run.launched_by == viewer.user_id
    if viewer.may(Permission.DIALOG_READ_ALL) and viewer.may(Permission.DEFINITIONS_MANAGE):
        return literal(True)
    return or_(Run.launched_by == viewer.user_id, _is_named(viewer), and_(literal(viewer.sees_all), ~_names_anybody()))


def seen_in_part(viewer: Viewer) -> ColumnElement[bool]:
    """A condition on runs: an item of it is about a dialog the viewer may read, its definition names nobody, and it is
    nobody's own result.
    """
    if not viewer.may(Permission.RUNS_READ):
        return false()
    items = select(RunItem.seq).where(RunItem.run_id == Run.id, seen_item(viewer)).correlate(Run)
    is_private = literal(False) if viewer.may(Permission.RUNS_CONTROL) else Run.kind == "macro"
    return and_(~_names_anybody(), ~is_private, exists(items))


def seen_item(viewer: Viewer) -> ColumnElement[bool]:
    """A condition on run_items: its dialog is one the viewer may read."""
    dialogs = or_(*(and_(literal(True), *branch) for branch in visible(viewer)))
    return exists(select(Dialog.id).where(Dialog.id == RunItem.dialog_id, dialogs).correlate(RunItem))


async def get_sight(session: AsyncSession, viewer: Viewer, run_id: UUID) -> Sight:
    """Raises NotFoundError also for a run the viewer may not look at: they are not told that it exists."""
    row = (
        await session.execute(
            select(Run, seen_whole(viewer).label("whole"), seen_in_part(viewer).label("part")).where(Run.id == run_id)
        )
    ).one_or_none()
    if row is None or not (row.whole or row.part):
        raise NotFoundError("There is no such run.")
    return Sight(row.Run, bool(row.whole), viewer.may(Permission.DIALOG_READ_TEXTS))


async def require_item(session: AsyncSession, viewer: Viewer, run_id: UUID, seq: int) -> Sight:
    """One item of a run, or (seq 0 and -1) the phases before and after them. Raises NotFoundError."""
    sight = await get_sight(session, viewer, run_id)
    if seq > 0:
        query = select(RunItem.seq).where(RunItem.run_id == run_id, RunItem.seq == seq)
        found = await session.scalar(query if sight.is_whole else query.where(seen_item(viewer)))
        if found is None:
            raise NotFoundError("This run has no such item.")
    elif not sight.is_whole:
        raise NotFoundError("This run has no such item.")
    return sight


def _audience(part: str) -> Any:
    return cast(Run.canonical, JSONB)[("permissions", "view", part)]


def _names_anybody() -> ColumnElement[bool]:
    empty = cast(literal("[]"), JSONB)
    return or_(*(func.coalesce(_audience(p), empty) != empty for p in ("roles", "teams", "users")))


def _is_named(viewer: Viewer) -> ColumnElement[bool]:
    email = select(func.lower(User.email)).where(User.id == viewer.user_id).scalar_subquery()
    users = func.array_append(cast(literal([str(viewer.user_id)]), ARRAY(Text)), email)
    return or_(
        _has_any(_audience("roles"), cast(literal(sorted(viewer.roles)), ARRAY(Text))),
        _has_any(_audience("teams"), cast(literal(sorted(viewer.teams)), ARRAY(Text))),
        _has_any(_audience("users"), users),
    )


def _has_any(listed: Any, wanted: Any) -> ColumnElement[bool]:
    return func.coalesce(func.jsonb_exists_any(listed, wanted), false())
