"""Clients as people: banning, and reading a card."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.errors import NotFoundError
from domain.events import Fact
from store.tables import Contact
from store.transactions import Work


async def set_ban(work: Work, contact_id: UUID, *, banned: bool, by: UUID | None, reason: str | None) -> dict[str, Any]:
    """Ban a client (their messages open nothing and are not kept), or lift it. Raises NotFoundError."""
    contact = await work.session.scalar(select(Contact).where(Contact.id == contact_id).with_for_update())
    if contact is None:
        raise NotFoundError("There is no such contact.")
    await work.read_clock()
    changed = (contact.banned_at is not None) != banned
    if changed:
        contact.banned_at = work.now if banned else None
        contact.banned_by, contact.ban_reason = (by, reason) if banned else (None, None)
        work.record(Fact.CONTACT_BANNED if banned else Fact.CONTACT_UNBANNED, contact_id=contact.id, reason=reason)
    return {"contact_id": str(contact.id), "banned": banned, "changed": changed}
