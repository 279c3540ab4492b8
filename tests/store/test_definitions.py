"""Drafts, versions, activation, the built-in library, on a real database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from domain.errors import (
    ArchivedError,
    BuiltInError,
    ConflictError,
    InvalidDefinitionError,
    InvalidError,
    NotFoundError,
    UnchangedError,
)
from domain.permissions import GRANTS
from macros.catalogue import built_ins as macros
from processes.catalogue import built_ins as processes
from store import definitions, libraries, versions
from store.built_ins import put_built_ins
from store.engines import engine_for, sessions_of
from store.ids import new_id
from store.libraries import Sought
from store.seeds import seed_demo
from store.transactions import Actor, transact
from store.viewers import get_viewer

SMALL = """
dsl: 1
kind: process
name: {name}
title: Small
target: dialog
triggers:
  - manual: {{ from: [table] }}
  - event: dialog.closed
permissions: {{ launch: {{ roles: [supervisor, admin, system] }} }}
do:
  - id: urgent
    call: set_priority
    with: {{ priority: {priority} }}
tests:
  - name: it is set
    expect: {{ status: succeeded, path: [urgent] }}
"""
NO_NAMES = ("a_b", "9", "a--b", "a-", "n" * 64)
LIBRARY = [("process", *one) for one in processes()] + [("macro", *one) for one in macros()]


def small(name: str, priority: str = "high") -> str:
    return SMALL.format(name=name, priority=priority)


async def do(sessions: Any, story: Any) -> Any:
    return (await transact(sessions, story))[0]


@pytest.fixture
async def admin(engine, sessions):
    made = await seed_demo(engine, "a password", "a token")
    async with sessions() as session:
        return await get_viewer(session, made["users"]["admin@demo.local"])


async def test_the_built_in_library_is_published_once_and_active_in_the_demo(engine, sessions, admin):
    assert len(await put_built_ins(engine, LIBRARY, demo=True)) == len(LIBRARY) == 10
    assert await put_built_ins(engine, LIBRARY, demo=True) == []
    async with sessions() as session:
        listed, _ = await libraries.list_definitions(session, Sought("process", status="active"))
        assert {d["key"] for d in listed} == {name for name, _ in processes()}
        found, _ = await libraries.list_definitions(session, Sought("process", trigger="schedule"))
        assert [d["key"] for d in found] == ["close-stale"]
        waiting = await session.scalars(text("SELECT workflow_id FROM reactions WHERE workflow_id LIKE 'schedule:%'"))
        assert set(waiting) == {"schedule:close-stale"}


async def test_what_the_platform_starts_itself_is_active_everywhere_and_changed_by_nobody(new_database):
    engine = engine_for(new_database())
    sessions = sessions_of(engine)
    try:
        await put_built_ins(engine, LIBRARY, demo=False)
        async with sessions() as session:
            listed, _ = await libraries.list_definitions(session, Sought("process", status="active"))
            assert [d["key"] for d in listed] == ["move-clocks"]
        source = dict(processes())["move-clocks"]
        someone = Actor("user", new_id())
        for change in (
            lambda w: definitions.archive(w, "process", "move-clocks"),
            lambda w: definitions.save_draft(w, someone.id, "process", "move-clocks", source + " "),
            lambda w: versions.publish(w, None, "process", "move-clocks", source=source),
            lambda w: versions.activate(w, "process", "move-clocks", 1),
            lambda w: versions.deactivate(w, "process", "move-clocks"),
        ):
            with pytest.raises(BuiltInError):
                await transact(sessions, change, actor=someone)
        told, _ = await transact(
            sessions, lambda w: definitions.copy(w, None, "process", "move-clocks", "mine"), actor=someone
        )
        assert told["key"] == "mine"
    finally:
        await engine.dispose()


async def test_a_newer_file_publishes_a_version_and_archived_ones_are_left_alone(engine, sessions, admin):
    await put_built_ins(engine, [("process", "old", small("old"))], demo=True)
    assert await put_built_ins(engine, [("process", "old", small("old", "critical"))], demo=True) == ["old"]
    async with sessions() as session:
        assert (await definitions.get_definition(session, "process", "old"))["active_version"] == 2
    await do(sessions, lambda work: definitions.archive(work, "process", "old"))
    assert await put_built_ins(engine, [("process", "old", small("old", "low"))], demo=True) == []


async def test_publishing_makes_versions_that_never_change(sessions, admin):
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", small("a")))
    first = await do(sessions, lambda w: versions.publish(w, admin, "process", "a", note="the first"))
    assert (first["version"], first["note"], first["published_by"]) == (1, "the first", "Адміністратор")
    assert first["capabilities"] == first["granted"] == ["dialog.edit"]
    with pytest.raises(UnchangedError):
        await do(sessions, lambda w: versions.publish(w, admin, "process", "a"))
    second = await do(
        sessions, lambda w: versions.publish(w, admin, "process", "a", source=small("a", "critical"), note=None)
    )
    assert second["version"] == 2
    async with sessions() as session:
        told = await versions.diff(session, "process", "a", 1, 2)
        assert told["changes"] == [
            {"path": "/do/urgent/with/priority", "change": "changed", "before": "high", "after": "critical"}
        ]
        assert "-    with: { priority: high }" in told["text"]
        assert [v["version"] for v in await versions.list_versions(session, "process", "a")] == [2, 1]
        with pytest.raises(NotFoundError):
            await versions.get_version(session, "process", "a", 3)


async def test_what_is_wrong_publishes_nothing_and_says_where(sessions, admin):
    broken = small("broken").replace("set_priority", "set_prioritty")
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", broken))
    with pytest.raises(InvalidDefinitionError) as refused:
        await do(sessions, lambda w: versions.publish(w, admin, "process", "broken"))
    errors = refused.value.extra["errors"]
    assert errors[0]["line"] == 13
    assert "set_priority" in str(errors[0])
    failing = small("broken").replace("status: succeeded", "status: failed")
    with pytest.raises(InvalidDefinitionError) as refused:
        await do(sessions, lambda w: versions.publish(w, admin, "process", "broken", source=failing))
    assert [e["code"] for e in refused.value.extra["errors"] if e["severity"] == "error"] == ["T701"]


async def test_who_publishes_grants_no_more_than_they_may(sessions, admin):
    from dataclasses import replace

    integrator = replace(admin, permissions=frozenset(p.value for p in GRANTS["integrator"]))
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", small("grants")))
    with pytest.raises(InvalidDefinitionError) as refused:
        await do(sessions, lambda w: versions.publish(w, integrator, "process", "grants"))
    assert "E505" in {e["code"] for e in refused.value.extra["errors"]}


async def test_activation_lays_triggers_and_deactivation_takes_them(sessions, admin):
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", small("b")))
    await do(sessions, lambda w: versions.publish(w, admin, "process", "b"))
    told = await do(sessions, lambda w: versions.activate(w, "process", "b", 1))
    assert told["active"]

    async def triggers() -> list[Any]:
        async with sessions() as session:
            rows = await session.execute(
                text("SELECT position, kind, match, version FROM triggers WHERE definition_key = 'b'")
            )
            return [tuple(r) for r in rows]

    assert await triggers() == [(1, "event", "dialog.closed", 1)]
    await do(sessions, lambda w: versions.deactivate(w, "process", "b"))
    assert await triggers() == []


async def test_what_the_installation_lacks_is_refused_at_activation(sessions, admin):
    source = (
        small("c")
        .replace("do:", "do:\n  - { id: t, call: set_topic, with: { topic: never-made } }")
        .replace("[urgent]", "[t, urgent]")
    )
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", source))
    with pytest.raises(InvalidDefinitionError):
        await do(sessions, lambda w: versions.publish(w, admin, "process", "c"))
    await do(sessions, lambda w: versions.publish(w, None, "process", "c", must_refer=False))
    with pytest.raises(InvalidDefinitionError) as refused:
        await do(sessions, lambda w: versions.activate(w, "process", "c", 1))
    error = refused.value.extra["errors"][0]
    assert (error["code"], error["pointer"]) == ("E404", "/do/0/with/topic")
    assert "never-made" in source.splitlines()[error["line"] - 1][error["column"] - 1 :]
    with pytest.raises(InvalidDefinitionError) as told:
        await do(sessions, lambda w: versions.activate(w, "process", "c", 1, language="uk"))
    assert "тематика" in told.value.extra["errors"][0]["message"]


async def test_a_copy_is_a_child_and_an_archived_one_takes_no_draft(sessions, admin):
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", small("d")))
    made = await do(sessions, lambda w: definitions.copy(w, admin.user_id, "process", "d", "d2"))
    assert made["parent"] == "d"
    assert "name: d2" in made["draft"]
    with pytest.raises(ConflictError):
        await do(sessions, lambda w: definitions.copy(w, admin.user_id, "process", "d", "d2"))
    await do(sessions, lambda w: definitions.archive(w, "process", "d"))
    with pytest.raises(ArchivedError):
        await do(sessions, lambda w: definitions.save_draft(w, admin.user_id, "process", "d", small("d", "low")))
    restored = await do(sessions, lambda w: definitions.restore(w, "process", "d"))
    assert (restored["status"], restored["children"]) == ("inactive", ["d2"])


async def test_a_draft_need_not_be_valid_but_keeps_its_name(sessions, admin):
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", small("e")))
    told = await do(
        sessions, lambda w: definitions.save_draft(w, admin.user_id, "process", "e", "name: e\nnonsense: [")
    )
    assert told["draft"] == "name: e\nnonsense: ["
    with pytest.raises(InvalidDefinitionError):
        await do(sessions, lambda w: definitions.save_draft(w, admin.user_id, "process", "e", small("f")))
    with pytest.raises(InvalidDefinitionError):
        await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", "nothing: here"))


async def test_a_name_that_cannot_be_one_makes_no_definition(sessions, admin):
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", small("original")))
    nameless = small("x").replace("name: x\n", "")
    sources = [small("x").replace("name: x", f"name: {name}") for name in (*NO_NAMES, "''", "[a]")]
    for source in (nameless, *sources):
        with pytest.raises(InvalidDefinitionError):
            await do(sessions, lambda w, source=source: definitions.create(w, admin.user_id, "process", source))
    for name in NO_NAMES:
        with pytest.raises(InvalidError):
            await do(sessions, lambda w, name=name: definitions.copy(w, admin.user_id, "process", "original", name))
    async with sessions() as session:
        keys = list(await session.scalars(text("SELECT key FROM definitions")))
    assert not {"unnamed", *NO_NAMES}.intersection(keys)


async def test_a_draft_is_kept_while_its_name_is_being_written(sessions, admin):
    await do(sessions, lambda w: definitions.create(w, admin.user_id, "process", small("g")))
    unfinished = small("g").replace("name: g", "name: g-")
    told = await do(sessions, lambda w: definitions.save_draft(w, admin.user_id, "process", "g", unfinished))
    assert told["draft"] == unfinished
    with pytest.raises(InvalidDefinitionError):
        await do(sessions, lambda w: versions.publish(w, admin, "process", "g"))
