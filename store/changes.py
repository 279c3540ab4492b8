"""The change log of a dialog, read from its events."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.changes import FIELDS, KINDS, PEOPLE, Change, Told, changes_of
from domain.permissions import Permission, Viewer
from store.dialog_rows import Page, require_readable
from store.tables import Event, TicketField
from store.threads import names_of


async def list_changes(
    session: AsyncSession, viewer: Viewer, dialog_id: UUID, *, before_id: int | None = None, limit: int = 50
) -> Page:
    """Newest first; `limit` counts events, each of which may have changed several fields. Raises NotFoundError."""
    await require_readable(session, viewer, dialog_id)
    query = select(Event).where(Event.dialog_id == dialog_id, Event.kind.in_(sorted(KINDS)))
    if before_id is not None:
        query = query.where(Event.id < before_id)
    events = list(await session.scalars(query.order_by(Event.id.desc()).limit(limit + 1)))
    has_more, events = len(events) > limit, events[:limit]
    found = [(e, c) for e in events for c in changes_of(Told(e.kind, e.operator_id, e.data))]
    people = {UUID(v) for _, c in found if c.field in PEOPLE for v in (c.old, c.new) if v}
    names = await names_of(session, people | {e.actor_id for e in events if e.actor_id})
    titles = await _titles(session, {c.field.removeprefix(FIELDS) for _, c in found if c.field.startswith(FIELDS)})
    with_texts = viewer.may(Permission.DIALOG_READ_TEXTS)
    items = [_item(e, c, names, titles, with_texts=with_texts) for e, c in found]
    return Page(items, str(events[-1].id) if has_more else None, None)


async def _titles(session: AsyncSession, keys: set[str]) -> dict[str, str]:
    if not keys:
        return {}
    rows = await session.execute(select(TicketField.key, TicketField.name).where(TicketField.key.in_(sorted(keys))))
    return {row.key: row.name for row in rows}


def _item(
    e: Event, change: Change, names: dict[UUID, str], titles: dict[str, str], *, with_texts: bool
) -> dict[str, Any]:
    def name(value: Any) -> str | None:
        return names.get(UUID(value)) if change.field in PEOPLE and value else None

    is_hidden = change.is_text and not with_texts
    return {
        "event": e.id,
        "at": e.at,
        "field": change.field,
        "title": titles.get(change.field.removeprefix(FIELDS)) if change.field.startswith(FIELDS) else None,
        "old": None if is_hidden else change.old,
        "new": None if is_hidden else change.new,
        "old_name": name(change.old),
        "new_name": name(change.new),
        "hidden": is_hidden,
        "actor": {"kind": e.actor_kind, "id": e.actor_id, "name": names.get(e.actor_id) if e.actor_id else None},
        "run_id": e.run_id,
    }
