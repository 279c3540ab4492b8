"""What a snapshot tells: exactly the names expressions may read (domain/walks/contexts.py)."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import event

from domain.commands import Close, Say
from domain.walks import contexts
from domain.walks.ports import Snapshot
from store.snapshots import snapshot_of
from tests.store.stage import Stage


async def seen(stage: Stage, dialog, contact=None, **more) -> Snapshot:
    async with stage.sessions() as session:
        return await snapshot_of(session, dialog, contact, **more)


async def test_every_name_of_the_contexts_is_there_and_no_other(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c", name="Олена Марія Петренко", phone="+380")
    told = await seen(stage, dialog)
    assert set(told.dialog) == set(contexts.DIALOG)
    assert set(told.contact) == set(contexts.CONTACT)
    assert set(told.contact["channels"][0]) == set(contexts.CONTACT_CHANNEL)
    assert set(told.operator) == set(contexts.OPERATOR)
    assert told.dialog["url"] == f"/dialogs/{dialog}"
    assert (told.contact["first_name"], told.contact["last_name"]) == ("Олена", "Марія Петренко")
    assert told.operator["teams"] == [stage.key("support")]


async def test_moments_are_rfc_3339_with_a_zone(stage: Stage):
    dialog = await stage.opened("c")
    told = await seen(stage, dialog)
    for context, values in (("dialog", told.dialog), ("contact", told.contact)):
        for name, kind in contexts.CONTEXTS[context].items():
            if kind == "moment" and values[name] is not None:
                assert datetime.fromisoformat(values[name]).tzinfo is not None
                assert values[name].endswith("Z")


async def test_it_takes_one_statement(stage: Stage):
    dialog = await stage.opened("c")
    statements: list[str] = []
    async with stage.sessions() as session:
        engine = session.bind.sync_engine
        heard = lambda *given: statements.append(given[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", heard)
        await snapshot_of(session, dialog, None, messages=10)
        event.remove(engine, "before_cursor_execute", heard)
    assert len(statements) == 1


async def test_the_revision_grows_with_every_change(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    before = (await seen(stage, dialog)).revision
    await stage.do("olha", dialog, Say("Good day"))
    assert (await seen(stage, dialog)).revision > before


async def test_texts_come_only_when_asked_for_and_notes_are_told_apart(stage: Stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c", text="first")
    await stage.do("olha", dialog, Say("reply"))
    await stage.do("olha", dialog, Say("among us", mode="note"))
    assert (await seen(stage, dialog)).dialog["messages"] == []
    told = await seen(stage, dialog, messages=2)
    assert [(m["from"], m["text"], m["note"]) for m in told.dialog["messages"]] == [
        ("operator", "reply", False), ("operator", "among us", True),
    ]  # fmt: skip
    assert told.dialog["last_message_from"] == "operator"


async def test_windows_follow_the_channels_own_rule(stage: Stage):
    dialog = await stage.opened("c")
    assert (await seen(stage, dialog)).dialog["window_open"] is True
    await stage.sql("UPDATE channels SET reply_window = 60 WHERE key = :c", c=stage.channel)
    await stage.sql("UPDATE dialogs SET last_client_message_at = now() - interval '2 minutes' WHERE id = :d", d=dialog)
    told = await seen(stage, dialog)
    assert told.dialog["window_open"] is False
    assert told.contact["channels"][0]["window_open"] is False


async def test_who_closed_it(stage: Stage):
    olha = await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    assert (await seen(stage, dialog)).dialog["closed_by"] is None
    await stage.do("olha", dialog, Close())
    assert (await seen(stage, dialog)).dialog["closed_by"] == str(olha)
    await stage.sql("UPDATE dialogs SET closed_by = NULL WHERE id = :d", d=dialog)
    assert (await seen(stage, dialog)).dialog["closed_by"] == "system"


async def test_a_contact_alone_and_nothing_at_all(stage: Stage):
    contact = (await stage.dialog(await stage.opened("c"))).contact_id
    told = await seen(stage, None, contact)
    assert (told.dialog, told.operator, told.revision) == (None, None, 0)
    assert told.contact["id"] == str(contact)
    assert await seen(stage, uuid4()) == Snapshot()
    assert await seen(stage, None, None) == Snapshot()
