"""What a launch starts: the version it means, and whoever starts it with the right to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import topologies
from domain.definitions.loading import load
from domain.errors import (
    ArchivedError,
    ForbiddenError,
    InvalidDefinitionError,
    InvalidError,
    NotActiveError,
    NotFoundError,
)
from domain.launch_rights import names_system, require_may_launch
from domain.launches import LaunchOrder
from domain.permissions import Permission, Viewer
from store.locks import settle_locks
from store.tables import Definition, DefinitionVersion, Run, User
from store.viewers import SYSTEM_VIEWER, get_viewer

#: started by their number although the definition is inactive: the version was settled before
_BY_NUMBER = ("sub", "retry")
_FOUND = text("""
SELECT clock_timestamp() AS now, d.title, d.archived_at, d.active_version, wanted.number AS wanted,
       v.number, v.canonical, v.sha256, v.capabilities, v.granted, v.locks
FROM definitions d
CROSS JOIN LATERAL (SELECT coalesce(CAST(:number AS bigint), d.active_version,
                                    CASE WHEN :is_dry THEN nullif(d.latest_version, 0) END) AS number) AS wanted
LEFT JOIN definition_versions v ON v.definition_key = d.key AND v.number = wanted.number
WHERE d.key = :key AND d.kind = :kind FOR KEY SHARE OF d
""")


@dataclass(frozen=True, slots=True)
class Launchable:
    """`version` None: the draft. `locks`: the versions of what it starts, settled for the run's whole life."""

    canonical: dict[str, Any]
    sha256: str
    version: int | None
    title: str
    capabilities: list[str]
    granted: list[str]
    locks: dict[str, Any]
    viewer: Viewer


async def find_launchable(
    session: AsyncSession, order: LaunchOrder, viewer: Viewer | None = None
) -> tuple[Launchable, datetime]:
    """What is launched, and the database's clock. `viewer`: the launcher, where the caller has just read who it is.

    Raises NotFoundError, ArchivedError, NotActiveError, InvalidDefinitionError (of a draft), ForbiddenError.
    """
    number = order.version if isinstance(order.version, int) else None
    given = {"key": order.key, "kind": order.kind, "number": number, "is_dry": order.is_dry}
    if number is not None and number >= 2**31:
        raise NotFoundError(f"There is no version {number} of {order.key[:100]!r}.")
    row = (await session.execute(_FOUND, given)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no {order.kind} {order.key[:100]!r}.")
    if row.archived_at is not None:
        raise ArchivedError("It is archived: nothing starts it any more.")
    if order.launched_by is None:
        viewer = SYSTEM_VIEWER
    elif viewer is None or viewer.user_id != order.launched_by:
        viewer = await get_viewer(session, order.launched_by)
    found = await (_draft if order.version == "draft" else _published)(session, row, order, viewer)
    await _require_right(session, order, found)
    return found, row.now


async def _draft(session: AsyncSession, row: Row[Any], order: LaunchOrder, viewer: Viewer) -> Launchable:
    if not order.is_dry:
        raise InvalidError("A draft runs dry only: publish it first.", field="version")
    viewer.require(Permission.DEFINITIONS_MANAGE)
    loaded = load(await session.scalar(select(Definition.draft).where(Definition.key == order.key)) or "")
    if loaded.definition is None or loaded.canonical is None or loaded.sha256 is None:
        errors = [f"{d.line}:{d.column} {d.code} {d.message}" for d in loaded.diagnostics]
        raise InvalidDefinitionError("The draft is not valid: " + "; ".join(errors[:3]))
    canonical = loaded.canonical
    capabilities = sorted(topologies.capabilities_of(canonical))
    return Launchable(
        canonical, loaded.sha256, None, loaded.definition.title, capabilities, capabilities,
        await settle_locks(session, canonical), viewer,
    )  # fmt: skip


async def _published(session: AsyncSession, row: Row[Any], order: LaunchOrder, viewer: Viewer) -> Launchable:
    is_settled = order.trigger_kind in _BY_NUMBER or order.is_dry
    if row.wanted is None or (row.active_version is None and not is_settled):
        raise NotActiveError("It is not active: nothing starts it.")
    version: Row[Any] | DefinitionVersion | None = row
    if row.number is None:  # not there, or another one became active while the row was locked
        version = await session.get(DefinitionVersion, (order.key, row.wanted))
    if version is None:
        raise NotFoundError(f"There is no version {row.wanted} of {order.key!r}.")
    locks = {**version.locks, **await settle_locks(session, version.canonical, wanted="latest")}
    return Launchable(
        version.canonical, version.sha256, version.number, version.canonical.get("title", row.title),
        list(version.capabilities), list(version.granted), locks, viewer,
    )  # fmt: skip


async def _require_right(session: AsyncSession, order: LaunchOrder, found: Launchable) -> None:
    permissions = found.canonical.get("permissions")
    if order.launched_by is None:
        if not names_system(permissions):
            raise ForbiddenError("It does not list the system among those who may start it.")
        return
    users = ((permissions or {}).get("launch") or {}).get("users")
    email = await session.scalar(select(User.email).where(User.id == order.launched_by)) if users else None
    require_may_launch(found.viewer, permissions, found.capabilities, email)


async def launchable_of(session: AsyncSession, run: Run, order: LaunchOrder) -> Launchable:
    """What an earlier run was, to take back what it did; neither archiving nor a new version stands in the way."""
    viewer = SYSTEM_VIEWER if order.launched_by is None else await get_viewer(session, order.launched_by)
    return Launchable(run.canonical, run.sha256, run.version, run.title, [], list(run.granted), run.locks, viewer)
