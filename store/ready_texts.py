"""Ready texts: quick replies (every change of a text makes a new version) and templates a provider approved."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from store.settings import record_change
from store.tables import MessageTemplate, QuickReply
from store.transactions import Work

Ready = type[QuickReply] | type[MessageTemplate]
_WORDS = {QuickReply: "quick reply", MessageTemplate: "message template"}
_FIELDS: dict[Any, tuple[str, ...]] = {
    QuickReply: ("name", "text", "active"), MessageTemplate: ("name", "text", "kinds", "active"),
}  # fmt: skip


async def all_texts(session: AsyncSession, kind: Ready) -> list[dict[str, Any]]:
    rows = await session.scalars(select(kind).order_by(kind.key))
    return [_told(cast(QuickReply | MessageTemplate, row)) for row in rows]


async def get_text(session: AsyncSession, kind: Ready, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    return _told(await _find(session, kind, key))


def _told(row: QuickReply | MessageTemplate) -> dict[str, Any]:
    told = {"key": row.key, **{f: getattr(row, f) for f in _FIELDS[type(row)]}}
    if isinstance(row, QuickReply):
        told["version"] = row.version
    return {**told, "updated_at": row.updated_at.isoformat()}


async def add(work: Work, kind: Ready, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ConflictError."""
    await work.read_clock()
    values = {"key": given["key"], **{f: given[f] for f in _FIELDS[kind]}, "updated_at": work.now}
    made = await work.session.scalar(upsert(kind).values(**values).on_conflict_do_nothing().returning(kind.key))
    if made is None:
        raise ConflictError(f"There is a {_WORDS[kind]} {given['key']!r} already.", field="key")
    told = await get_text(work.session, kind, made)
    record_change(work, _WORDS[kind], made, None, _for_audit(told))
    return told


async def change(work: Work, kind: Ready, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises NotFoundError."""
    row = await _find(work.session, kind, key, lock=True)
    before = _told(row)
    await work.read_clock()
    changed = {f: v for f, v in given.items() if before[f] != v}
    for field, value in changed.items():
        setattr(row, field, value)
    if changed:
        row.updated_at = work.now
        if isinstance(row, QuickReply):
            row.updated_by = work.actor.id
            row.version += "text" in changed
    await work.session.flush()
    after = _told(row)
    record_change(work, _WORDS[kind], key, _for_audit(before), _for_audit(after))
    return after


async def remove(work: Work, kind: Ready, key: str) -> dict[str, Any]:
    """Raises NotFoundError. Definitions that name it say so when they are activated, or when they run."""
    row = await _find(work.session, kind, key, lock=True)
    await work.read_clock()
    await work.session.execute(delete(kind).where(kind.key == key))
    record_change(work, _WORDS[kind], key, _for_audit(_told(row)), None)
    return {}


async def _find(session: AsyncSession, kind: Ready, key: str, *, lock: bool = False) -> QuickReply | MessageTemplate:
    row = cast(QuickReply | MessageTemplate | None, await session.get(kind, key, with_for_update=lock or None))
    if row is None:
        raise NotFoundError(f"There is no {_WORDS[kind]} {key!r}.")
    return row


def _for_audit(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "updated_at"}
