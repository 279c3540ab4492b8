"""Tickets for store tests: opened, described, given fields, read back."""

from __future__ import annotations

from uuid import UUID

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


async def told(stage: Stage, who: str, dialog: UUID | str):
    async with stage.sessions() as session:
        return await dialog_rows.get_dialog(session, await get_viewer(session, stage.id_of(who)), UUID(str(dialog)))


async def log(stage: Stage, who: str, dialog: UUID | str, **more):
    async with stage.sessions() as session:
        viewer = await get_viewer(session, stage.id_of(who))
        return await changes.list_changes(session, viewer, UUID(str(dialog)), **more)
