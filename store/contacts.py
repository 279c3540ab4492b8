"""Clients as people: their card, their tags, banning."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidError, NotFoundError
from domain.events import Fact
from domain.permissions import Permission, Viewer
from store.tables import Contact, ContactIdentity, Tag
from store.transactions import Work

MOST_FIELDS = 200
#: a contact is seen by who may read one of its dialogs
_SEEN = text("""
SELECT EXISTS (
    SELECT 1 FROM dialogs d WHERE d.contact_id = :contact AND (
        d.team_key = ANY(:teams) OR d.operator_id = :me OR d.author_id = :me
        OR EXISTS (SELECT 1 FROM participants p WHERE p.dialog_id = d.id AND p.user_id = :me)
        OR EXISTS (SELECT 1 FROM transfers t WHERE t.dialog_id = d.id AND t.state = 'pending' AND t.to_operator = :me)
    )
)
""")


async def require_seen(session: AsyncSession, viewer: Viewer, contact_id: UUID) -> None:
    """Raises NotFoundError: who may read none of a contact's dialogs is not told that it exists."""
    if viewer.sees_all:
        return
    asked = {"contact": contact_id, "teams": sorted(viewer.teams), "me": viewer.user_id}
    if not viewer.may(Permission.DIALOG_READ) or not await session.scalar(_SEEN, asked):
        raise NotFoundError("There is no such contact.")


async def get_contact(session: AsyncSession, viewer: Viewer, contact_id: UUID) -> dict[str, Any]:
    """Raises NotFoundError."""
    await require_seen(session, viewer, contact_id)
    contact = await session.get(Contact, contact_id)
    if contact is None:
        raise NotFoundError("There is no such contact.")
    identities = await session.scalars(
        select(ContactIdentity).where(ContactIdentity.contact_id == contact_id).order_by(ContactIdentity.id)
    )
    return {
        "id": str(contact.id), "name": contact.name, "phone": contact.phone, "email": contact.email,
        "external_id": contact.external_id, "consent": contact.consent, "fields": contact.fields,
        "tags": list(contact.tags), "banned": contact.banned_at is not None,
        "banned_at": contact.banned_at.isoformat() if contact.banned_at else None, "ban_reason": contact.ban_reason,
        "identities": [
            {"id": str(i.id), "channel": i.channel_key, "address": i.address, "name": i.name} for i in identities
        ],
        "created_at": contact.created_at.isoformat(),
    }  # fmt: skip


async def change(work: Work, viewer: Viewer, contact_id: UUID, given: Mapping[str, Any]) -> dict[str, Any]:
    """Particulars, consent to marketing, own fields (merged; null takes one away).

    Raises NotFoundError, and InvalidError for too many fields.
    """
    contact = await _lock(work, contact_id, viewer)
    await work.read_clock()
    wanted = dict(given)
    if "fields" in wanted:
        merged = {**contact.fields, **wanted["fields"]}
        wanted["fields"] = {name: value for name, value in merged.items() if value is not None}
        if len(wanted["fields"]) > MOST_FIELDS:
            raise InvalidError(f"A contact has at most {MOST_FIELDS} fields.", field="fields")
    before = {name: getattr(contact, name) for name in wanted}
    changed = sorted(name for name, value in wanted.items() if before[name] != value)
    for name in changed:
        setattr(contact, name, wanted[name])
    if changed:
        await work.session.flush()
        work.record(
            Fact.CONTACT_CHANGED, contact_id=contact.id, before={n: before[n] for n in changed},
            after={n: wanted[n] for n in changed},
        )  # fmt: skip
    return await get_contact(work.session, viewer, contact_id)


async def set_ban(
    work: Work, contact_id: UUID, *, banned: bool, by: UUID | None, reason: str | None, viewer: Viewer | None = None
) -> dict[str, Any]:
    """Ban a client (their messages open nothing and are not kept), or lift it. Raises NotFoundError."""
    contact = await _lock(work, contact_id, viewer)
    await work.read_clock()
    changed = (contact.banned_at is not None) != banned
    if changed:
        contact.banned_at = work.now if banned else None
        contact.banned_by, contact.ban_reason = (by, reason) if banned else (None, None)
        work.record(Fact.CONTACT_BANNED if banned else Fact.CONTACT_UNBANNED, contact_id=contact.id, reason=reason)
    return {"contact_id": str(contact.id), "banned": banned, "changed": changed}


async def set_tag(work: Work, viewer: Viewer, contact_id: UUID, tag: str, *, on: bool) -> dict[str, Any]:
    """Mark a contact, or take the mark away. Raises NotFoundError, InvalidError for an unknown tag."""
    contact = await _lock(work, contact_id, viewer)
    if on and await work.session.get(Tag, tag, with_for_update={"read": True, "key_share": True}) is None:
        raise InvalidError(f"There is no tag {tag!r}.", field="tag")
    await work.read_clock()
    changed = (tag in contact.tags) != on
    if changed:
        contact.tags = sorted({*contact.tags, tag}) if on else [t for t in contact.tags if t != tag]
        work.record(Fact.CONTACT_TAGGED if on else Fact.CONTACT_UNTAGGED, contact_id=contact.id, tag=tag)
    return {"contact_id": str(contact.id), "tags": list(contact.tags), "changed": changed}


async def _lock(work: Work, contact_id: UUID, viewer: Viewer | None) -> Contact:
    if viewer is not None:
        await require_seen(work.session, viewer, contact_id)
    contact = await work.session.scalar(select(Contact).where(Contact.id == contact_id).with_for_update(key_share=True))
    if contact is None:
        raise NotFoundError("There is no such contact.")
    return contact
