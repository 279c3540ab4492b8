"""Canonical documents come back from the database as they were: what is shown in order stays in order."""

from __future__ import annotations

from sqlalchemy import select

from domain.definitions.canonical import sha256_of
from macros.catalogue import built_ins as macros
from processes.catalogue import built_ins as processes
from store.built_ins import put_built_ins
from store.seeds import seed_demo
from store.tables import DefinitionVersion

LIBRARY = [("process", *one) for one in processes()] + [("macro", *one) for one in macros()]


async def test_a_stored_version_has_the_sha256_it_was_published_under(engine, sessions):
    await seed_demo(engine, "a password", "a token")
    await put_built_ins(engine, LIBRARY, demo=True)
    async with sessions() as session:
        versions = {v.definition_key: v for v in await session.scalars(select(DefinitionVersion))}
    assert len(versions) == len(LIBRARY)
    assert {name for name, v in versions.items() if sha256_of(v.canonical) != v.sha256} == set()
    macro = versions["check-deposit"].canonical
    assert list(macro["inputs"]) == ["client_id", "save_note"]
    assert list(macro["outputs"]) == ["state", "amount", "reply"]
