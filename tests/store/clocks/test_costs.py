"""What keeping time costs: nothing for those to whom nothing is promised, two statements for a fact that counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from domain.commands import AddTag, Assign, Close, Say
from tests.store.clocks.promises import NRT, TFR, TTC, clocks, promised

_OURS = ("FROM dialogs d\nLEFT JOIN timed_dialogs", "INSERT INTO timed_dialogs", "FROM events WHERE dialog_id")


@contextmanager
def statements_of_clocks(engine) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection, _cursor, statement, *_):
        if any(part in statement for part in _OURS):
            found.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield found
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_a_dialog_that_is_promised_nothing_costs_one_look_at_its_opening_and_no_more(stage, engine):
    await stage.person("boss", role="supervisor", online=True, max_dialogs=0)
    await stage.person("olha", online=True)
    tag = await stage.tag("vip")
    with statements_of_clocks(engine) as opening:
        dialog = await stage.opened("c1")
    assert len(opening) == 1
    with statements_of_clocks(engine) as later:
        await stage.write("c1", "more")
        await stage.do("olha", dialog, Say("hello"))
        await stage.do("olha", dialog, Say("a note", mode="note"))
        await stage.do("olha", dialog, AddTag(tag))
        await stage.person("taras", online=True)
        await stage.do("boss", dialog, Assign(stage.people["taras"]))
        await stage.do("taras", dialog, Close())
    assert later == []
    assert not await clocks(stage, dialog)


@pytest.mark.parametrize("what", ["message", "reply"])
async def test_a_fact_that_counts_costs_two(stage, engine, what):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c1", topic=await promised(stage, TFR, NRT, TTC))
    if what == "message":
        await stage.do("olha", dialog, Say("hello"))
    with statements_of_clocks(engine) as found:
        if what == "message":
            await stage.write("c1", "more")
        else:
            await stage.do("olha", dialog, Say("hello"))
    assert len(found) == 2
    assert all(" events " not in statement for statement in found)


async def test_a_note_or_a_tag_of_a_timed_dialog_costs_nothing(stage, engine):
    await stage.person("olha", online=True)
    tag = await stage.tag("vip")
    dialog = await stage.opened("c1", topic=await promised(stage, TFR))
    with statements_of_clocks(engine) as found:
        await stage.do("olha", dialog, Say("a note", mode="note"))
        await stage.do("olha", dialog, AddTag(tag))
    assert found == []
