"""Tickets for store tests: opened for clients, given fields, read back, and what people were told of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.commands import Close
from store import changes, dialog_rows, ticket_fields, topic_tree
from store.tickets import Client, NewTicket, open_ticket
from store.transactions import Actor, transact
from store.viewers import get_viewer
from tests.store.stage import Stage


async def setting(stage: Stage, story):
    return (await transact(stage.sessions, story, actor=Actor("user", None)))[0]


async def field(stage: Stage, key: str, type_: str = "text", options=()) -> str:
    given = {"key": stage.key(key), "name": key.title(), "type": type_, "options": list(options), "active": True}
    await setting(stage, lambda w: ticket_fields.add(w, given))
    return stage.key(key)


async def of_topic(stage: Stage, topic: str, **required: bool) -> None:
    wanted = [{"key": stage.key(key), "required": is_} for key, is_ in required.items()]
    await setting(stage, lambda w: topic_tree.change(w, topic, {"fields": wanted}))


async def opens(stage: Stage, who: str, address: str = "c", **more):
    client = more.pop("client", Client(None, stage.channel, address, "Марія"))
    asked = NewTicket(client=client, **{"subject": "A parcel", **more})

    async def story(work):
        return await open_ticket(work, await get_viewer(work.session, stage.id_of(who)), asked)

    answer, rings = await transact(stage.sessions, story, actor=Actor("user", stage.id_of(who)))
    assert f"dialog:{answer['ticket_id']}" in rings
    return answer


async def contact_of(stage: Stage, address: str) -> UUID:
    """A known client; boss has closed the chat they began with."""
    dialog = await stage.opened(address)
    row = await stage.dialog(dialog)
    await stage.do("boss", dialog, Close())
    contact: UUID = row.contact_id
    return contact


async def new_ticket(stage: Stage, who: str, contact: UUID, **asked: Any) -> UUID:
    """For a known client, in the stage's channel."""
    return UUID((await opens(stage, who, client=Client(contact, stage.channel), **asked))["ticket_id"])


async def told(stage: Stage, who: str, dialog: UUID | str):
    async with stage.sessions() as session:
        return await dialog_rows.get_dialog(session, await get_viewer(session, stage.id_of(who)), UUID(str(dialog)))


async def log(stage: Stage, who: str, dialog: UUID | str, **more):
    async with stage.sessions() as session:
        viewer = await get_viewer(session, stage.id_of(who))
        return await changes.list_changes(session, viewer, UUID(str(dialog)), **more)


async def notices(stage: Stage, who: str) -> list[Any]:
    """What somebody was told, in order."""
    return await stage.sql("SELECT * FROM notices WHERE user_id = :u ORDER BY created_at, id", u=stage.id_of(who))


async def facts(stage: Stage, dialog: UUID, kind: str) -> list[Any]:
    return await stage.sql("SELECT * FROM events WHERE dialog_id = :d AND kind = :k ORDER BY id", d=dialog, k=kind)


async def texts(stage: Stage, dialog: UUID) -> list[tuple[int, str]]:
    rows = await stage.sql("SELECT seq, text FROM messages WHERE dialog_id = :d ORDER BY seq", d=dialog)
    return [(r.seq, r.text) for r in rows]
