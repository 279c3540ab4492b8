"""What this installation has, as far as one definition refers to it."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from domain.definitions.shapes import Definition as Shape
from domain.definitions.surveys import steps_of
from domain.definitions.worlds import DEEPEST_CHAIN, KnownDefinition, KnownVersion, World
from store.tables import Definition, DefinitionVersion

_KEYS = text("""
SELECT 'teams' AS what, key FROM teams WHERE active UNION ALL SELECT 'topics', key FROM topics WHERE active
UNION ALL SELECT 'tags', key FROM tags UNION ALL SELECT 'roles', key FROM roles
UNION ALL SELECT 'users', id::text FROM users WHERE is_active
UNION ALL SELECT 'users', lower(email) FROM users WHERE is_active
UNION ALL SELECT 'quick_replies', key FROM quick_replies WHERE active
UNION ALL SELECT 'templates', key FROM message_templates WHERE active
UNION ALL SELECT 'connections', key FROM connections WHERE active
UNION ALL SELECT 'channels', key FROM channels WHERE active
UNION ALL SELECT 'secrets', name FROM secrets UNION ALL SELECT 'calendars', key FROM calendars WHERE active
UNION ALL SELECT 'priorities', key FROM priorities
""")


@cache
def time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


async def world_for(session: AsyncSession, draft: Shape | None) -> World:
    """Everything a definition may name; of other definitions the versions it would start, and those these start."""
    found: dict[str, set[str]] = {}
    for row in await session.execute(_KEYS):
        found.setdefault(row.what, set()).add(row.key)
    rows = (
        await session.execute(
            select(Definition.key, Definition.kind, Definition.active_version, Definition.latest_version).where(
                Definition.archived_at.is_(None)
            )
        )
    ).all()
    known = {r.key: KnownDefinition(r.kind, r.active_version, r.latest_version) for r in rows}
    versions = await _versions(session, known, _started_by(draft))
    return World(
        **{what: frozenset(keys) for what, keys in found.items()},
        definitions={
            key: KnownDefinition(one.kind, one.active, one.latest, versions.get(key, {})) for key, one in known.items()
        },
        blueprints=await _blueprints(session),
    )


def _started_by(draft: Shape | None) -> list[tuple[str, int | str]]:
    if draft is None:
        return []
    errands = [visit.step.run for visit in steps_of(draft) if visit.step.kind == "run"]
    return [(errand.name, errand.version) for errand in errands]


async def _versions(
    session: AsyncSession, known: dict[str, KnownDefinition], wanted: list[tuple[str, int | str]]
) -> dict[str, dict[int, KnownVersion]]:
    """The versions named, and down from there as deep as a chain may be."""
    found: dict[str, dict[int, KnownVersion]] = {}
    for _ in range(DEEPEST_CHAIN + 1):
        asked = {
            (name, number)
            for name, version in wanted
            if name in known and (number := known[name].pinned(version)) is not None
            and number not in found.get(name, {})
        }  # fmt: skip
        if not asked:
            break
        rows = await session.execute(
            select(DefinitionVersion.definition_key, DefinitionVersion.number, DefinitionVersion.canonical).where(
                tuple_(DefinitionVersion.definition_key, DefinitionVersion.number).in_(sorted(asked))
            )
        )
        wanted = []
        for row in rows:
            version = KnownVersion.of(row.canonical)
            found.setdefault(row.definition_key, {})[row.number] = version
            wanted += version.runs
    return found


async def _blueprints(session: AsyncSession) -> dict[tuple[str, int], dict[str, Any]]:
    rows = await session.execute(
        select(DefinitionVersion.definition_key, DefinitionVersion.number, DefinitionVersion.canonical)
        .join(Definition, Definition.key == DefinitionVersion.definition_key)
        .where(Definition.kind == "blueprint", Definition.archived_at.is_(None))
    )
    return {(r.definition_key, r.number): r.canonical for r in rows}
