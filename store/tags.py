"""Tags as settings: the words that dialogs and contacts may be marked with."""

from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, InUseError, NotFoundError
from store.settings import record_change
from store.tables import Tag
from store.transactions import Work

_USES = text("""
SELECT (SELECT count(*) FROM (SELECT 1 FROM dialogs WHERE tags @> ARRAY[:key]::text[] LIMIT 1000) AS d) AS dialogs,
       (SELECT count(*) FROM (SELECT 1 FROM contacts WHERE tags @> to_jsonb(CAST(:key AS text)) LIMIT 1000) AS c)
           AS contacts
""")


async def all_tags(session: AsyncSession) -> list[dict[str, Any]]:
    return [_told(tag) for tag in await session.scalars(select(Tag).order_by(Tag.key))]


async def get_tag(session: AsyncSession, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    return _told(await _find(session, key))


def _told(tag: Tag) -> dict[str, Any]:
    return {"key": tag.key, "name": tag.name}


async def _find(session: AsyncSession, key: str, *, lock: bool = False) -> Tag:
    tag = await session.get(Tag, key, with_for_update=lock or None)
    if tag is None:
        raise NotFoundError(f"There is no tag {key!r}.")
    return tag


async def add(work: Work, key: str, name: str) -> dict[str, Any]:
    """Raises ConflictError."""
    await work.read_clock()
    row = upsert(Tag).values(key=key, name=name).on_conflict_do_nothing().returning(Tag.key)
    if await work.session.scalar(row) is None:
        raise ConflictError(f"There is a tag {key!r} already.", field="key")
    record_change(work, "tag", key, None, {"name": name})
    return {"key": key, "name": name}


async def rename(work: Work, key: str, name: str | None) -> dict[str, Any]:
    """Raises NotFoundError."""
    tag = await _find(work.session, key, lock=True)
    await work.read_clock()
    before, tag.name = tag.name, name or tag.name
    record_change(work, "tag", key, {"name": before}, {"name": tag.name})
    return _told(tag)


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Raises NotFoundError, and InUseError saying where (up to 1000 of each are counted)."""
    tag = await _find(work.session, key, lock=True)
    uses = (await work.session.execute(_USES, {"key": key})).one()
    if where := {name: n for name, n in uses._mapping.items() if n}:
        raise InUseError("This tag is in use.", where=where)
    await work.read_clock()
    await work.session.execute(delete(Tag).where(Tag.key == key))
    record_change(work, "tag", key, _told(tag), None)
    return {}
