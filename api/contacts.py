"""A client's card, tags and ban."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import UNSENT, Body, KeyInPath, Storable, Text
from api.house import Reading
from api.json_fields import Fields
from api.viewers import needs
from domain.permissions import Permission, Viewer
from store import contacts
from store.transactions import Work

router = APIRouter(prefix="/contacts", tags=["contacts"])
Reader = Annotated[Viewer, Depends(needs(Permission.DIALOG_READ_TEXTS))]
Banning = Annotated[Change, Depends(changing(Permission.CONTACT_BAN))]
Tagging = Annotated[Change, Depends(changing(Permission.DIALOG_EDIT))]


Editing = Annotated[Change, Depends(changing(Permission.CONTACT_EDIT))]
Short = Annotated[str, Field(min_length=1, max_length=256), Storable]


class Identity(BaseModel):
    id: UUID
    channel: str
    address: str
    name: str | None


class Contact(BaseModel):
    """`external_id`: its number in the company's own systems; `consent`: to marketing; `fields` as you name them."""

    id: UUID
    name: str | None
    phone: str | None
    email: str | None
    external_id: str | None
    consent: bool
    fields: dict[str, Any]
    tags: list[str]
    banned: bool
    banned_at: str | None
    ban_reason: str | None
    identities: list[Identity]
    created_at: str


class ContactChange(Body):
    """`fields` are merged into what stands; null takes one away."""

    name: Short | None = None
    phone: Short | None = None
    email: Short | None = None
    external_id: Short | None = None
    consent: bool = UNSENT
    fields: Fields = UNSENT


class Ban(Body):
    reason: Text | None = None


class Banned(BaseModel):
    contact_id: UUID
    banned: bool
    changed: bool


class Tagged(BaseModel):
    contact_id: UUID
    tags: list[str]
    changed: bool


@router.get("/{contact_id}")
async def read_contact(contact_id: UUID, viewer: Reader, session: Reading) -> Contact:
    """Seen by who may read one of the contact's dialogs."""
    return Contact(**await contacts.get_contact(session, viewer, contact_id))


@router.patch("/{contact_id}")
async def change_contact(contact_id: UUID, body: ContactChange, change: Editing) -> Contact:
    async def story(work: Work) -> dict[str, Any]:
        return await contacts.change(work, change.viewer, contact_id, body.given())

    return Contact(**await change.make(story))


@router.put("/{contact_id}/ban")
async def ban_contact(contact_id: UUID, change: Banning, body: Ban | None = None) -> Banned:
    """From now on the client's messages open nothing and are not kept."""
    return await _set_ban(contact_id, change, banned=True, reason=body.reason if body else None)


@router.delete("/{contact_id}/ban")
async def lift_ban(contact_id: UUID, change: Banning) -> Banned:
    return await _set_ban(contact_id, change, banned=False, reason=None)


async def _set_ban(contact_id: UUID, change: Change, *, banned: bool, reason: str | None) -> Banned:
    viewer = change.viewer

    async def story(work: Work) -> dict[str, Any]:
        return await contacts.set_ban(work, contact_id, banned=banned, by=viewer.user_id, reason=reason, viewer=viewer)

    return Banned(**await change.make(story))


@router.put("/{contact_id}/tags/{tag}")
async def tag_contact(contact_id: UUID, tag: KeyInPath, change: Tagging) -> Tagged:
    return await _set_tag(contact_id, tag, change, on=True)


@router.delete("/{contact_id}/tags/{tag}")
async def untag_contact(contact_id: UUID, tag: KeyInPath, change: Tagging) -> Tagged:
    return await _set_tag(contact_id, tag, change, on=False)


async def _set_tag(contact_id: UUID, tag: str, change: Change, *, on: bool) -> Tagged:
    async def story(work: Work) -> dict[str, Any]:
        return await contacts.set_tag(work, change.viewer, contact_id, tag, on=on)

    return Tagged(**await change.make(story))
