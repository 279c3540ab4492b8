"""Folders (everybody's lists of dialogs) and saved filters (somebody's own): criteria under a name."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.criteria import Criteria, parse
from domain.errors import ConflictError, ForbiddenError, NotFoundError
from domain.permissions import Permission, Viewer
from store import settings
from store.ids import new_id
from store.settings import record_change
from store.tables import Folder
from store.transactions import Work

Kind = Literal["folder", "filter"]
Given = Mapping[str, Sequence[str]]


async def all_folders(session: AsyncSession, viewer: Viewer, kind: Kind) -> list[dict[str, Any]]:
    """Folders: all of them. Filters: one's own and the public ones."""
    rows = await session.scalars(select(Folder).where(Folder.kind == kind, _seen(viewer)).order_by(Folder.key))
    return [_told(row) for row in rows]


async def get_folder(session: AsyncSession, viewer: Viewer, kind: Kind, key: str) -> dict[str, Any]:
    """Raises NotFoundError, also for somebody else's filter that is not public."""
    return _told(await _find(session, viewer, kind, key))


async def criteria_of(session: AsyncSession, viewer: Viewer, kind: Kind, named: str) -> Criteria:
    """What the folder or filter (by key or id) holds, as the viewer reads it: `me` is the viewer.

    Raises NotFoundError, and InvalidError for criteria that make no sense any more.
    """
    row = await _find(session, viewer, kind, named)
    return await _read(session, viewer.user_id, row.criteria)


def _seen(viewer: Viewer) -> Any:
    return or_(Folder.kind == "folder", Folder.is_public, Folder.owner_id == viewer.user_id)


def _told(row: Folder) -> dict[str, Any]:
    return {
        "id": str(row.id), "key": row.key, "kind": row.kind, "name": row.name, "criteria": row.criteria,
        "owner_id": str(row.owner_id) if row.owner_id else None, "public": row.is_public,
        "created_at": row.created_at.isoformat(),
    }  # fmt: skip


async def _read(session: AsyncSession, me: UUID, given: Given) -> Criteria:
    has_dates = bool(given.get("from") or given.get("to"))
    zone = ZoneInfo(await settings.value_of(session, "time_zone")) if has_dates else ZoneInfo("UTC")
    return parse({name: values for name, values in given.items() if values}, me=me, zone=zone)


async def add(work: Work, viewer: Viewer, kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ConflictError, InvalidError naming the criterion, ForbiddenError for a folder without desk.manage."""
    _require_may_publish(viewer, kind, is_public=given["public"])
    await _read(work.session, viewer.user_id, given["criteria"])
    await work.read_clock()
    made = await work.session.scalar(
        upsert(Folder)
        .values(
            id=new_id(), key=given["key"], kind=kind, name=given["name"], criteria=given["criteria"],
            owner_id=viewer.user_id if kind == "filter" else None, is_public=given["public"],
        )
        .on_conflict_do_nothing()
        .returning(Folder.key)
    )  # fmt: skip
    if made is None:
        raise ConflictError(f"There is a folder or filter {given['key']!r} already.", field="key")
    told = await get_folder(work.session, viewer, kind, made)
    record_change(work, kind, made, None, _for_audit(told))
    return told


async def change(work: Work, viewer: Viewer, kind: Kind, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises NotFoundError, InvalidError, ForbiddenError."""
    row = await _find(work.session, viewer, kind, key, lock=True)
    _require_own(viewer, row)
    _require_may_publish(viewer, kind, is_public=bool(given.get("public")))
    if "criteria" in given:
        await _read(work.session, viewer.user_id, given["criteria"])
    before = _told(row)
    await work.read_clock()
    for field, value in given.items():
        setattr(row, "is_public" if field == "public" else field, value)
    await work.session.flush()
    after = _told(row)
    record_change(work, kind, key, _for_audit(before), _for_audit(after))
    return after


async def remove(work: Work, viewer: Viewer, kind: Kind, key: str) -> dict[str, Any]:
    """Raises NotFoundError, ForbiddenError."""
    row = await _find(work.session, viewer, kind, key, lock=True)
    _require_own(viewer, row)
    await work.read_clock()
    await work.session.execute(delete(Folder).where(Folder.id == row.id))
    record_change(work, kind, key, _for_audit(_told(row)), None)
    return {}


async def _find(session: AsyncSession, viewer: Viewer, kind: Kind, named: str, *, lock: bool = False) -> Folder:
    query = select(Folder).where(Folder.kind == kind, _seen(viewer), _named(named))
    row = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFoundError(f"There is no {kind} {named!r}.")
    return row


def _named(named: str) -> Any:
    try:
        return or_(Folder.key == named, Folder.id == UUID(named))
    except ValueError:
        return Folder.key == named


def _require_own(viewer: Viewer, row: Folder) -> None:
    if row.owner_id != viewer.user_id and not viewer.may(Permission.DESK_MANAGE):
        raise ForbiddenError(f"This {row.kind} is not yours.", permission=Permission.DESK_MANAGE.value)


def _require_may_publish(viewer: Viewer, kind: Kind, *, is_public: bool) -> None:
    if kind == "folder" or is_public:
        viewer.require(Permission.DESK_MANAGE)


def _for_audit(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("name", "criteria", "public")}
