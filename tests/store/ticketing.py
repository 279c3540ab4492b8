"""Tickets of one client, as many as a story needs, and what people were told of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.commands import Close
from store.tickets import Client, NewTicket, open_ticket
from store.transactions import Actor, transact
from store.viewers import get_viewer
from tests.store.stage import Stage


async def contact_of(stage: Stage, address: str) -> UUID:
    """A known client; boss has closed the chat they began with."""
    dialog = await stage.opened(address)
    row = await stage.dialog(dialog)
    await stage.do("boss", dialog, Close())
    contact: UUID = row.contact_id
    return contact


async def new_ticket(stage: Stage, who: str, contact: UUID, **asked: Any) -> UUID:
    me = stage.id_of(who)

    async def story(work: Any) -> dict[str, Any]:
        viewer = await get_viewer(work.session, me)
        wanted = {"subject": "Something", **asked}
        return await open_ticket(work, viewer, NewTicket(Client(contact, stage.channel), **wanted))

    told, _ = await transact(stage.sessions, story, actor=Actor("user", me))
    return UUID(told["ticket_id"])


async def notices(stage: Stage, who: str) -> list[Any]:
    """What somebody was told, in order."""
    return await stage.sql("SELECT * FROM notices WHERE user_id = :u ORDER BY created_at, id", u=stage.id_of(who))


async def facts(stage: Stage, dialog: UUID, kind: str) -> list[Any]:
    return await stage.sql("SELECT * FROM events WHERE dialog_id = :d AND kind = :k ORDER BY id", d=dialog, k=kind)


async def texts(stage: Stage, dialog: UUID) -> list[tuple[int, str]]:
    rows = await stage.sql("SELECT seq, text FROM messages WHERE dialog_id = :d ORDER BY seq", d=dialog)
    return [(r.seq, r.text) for r in rows]
