"""The library that comes with the platform: published here, active in the demo, inactive elsewhere."""

from collections.abc import Iterable

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.definitions.loading import load
from domain.errors import ConflictError, DomainError, UnchangedError
from domain.launches import OF_THE_HOUSE
from store import definitions, versions
from store.engines import sessions_of
from store.tables import Definition, DefinitionVersion
from store.transactions import Work

log = structlog.get_logger("built_ins")


async def put_built_ins(engine: AsyncEngine, library: Iterable[tuple[str, str, str]], *, demo: bool) -> list[str]:
    """Publish what is new in the library, of (kind, name, text); answers the keys of what changed. A second time
    changes nothing.

    A definition of an administrator's own under the same name, and one that was archived, is left alone. In the demo
    the newest version is active as long as nobody chose another; what the platform itself starts is active everywhere.
    """
    changed = []
    async with sessions_of(engine).begin() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(5, 3)"))
        work = Work(session)
        await work.read_clock()
        for kind, name, source in library:
            if await _put(work, kind, name, source, demo=demo):
                changed.append(name)
        await work.write_facts()
    return changed


async def _put(work: Work, kind: str, name: str, source: str, *, demo: bool) -> bool:
    row = await work.session.get(Definition, name)
    if row is not None and (not row.is_built_in or row.archived_at is not None):
        return False
    latest = await work.session.get(DefinitionVersion, (name, row.latest_version)) if row is not None else None
    if latest is not None and (latest.source == source or latest.sha256 == load(source).sha256):
        return False
    is_followed = row is None or row.active_version == row.latest_version
    try:
        async with work.savepoint():
            if row is None:
                await definitions.create(work, None, kind, source, is_built_in=True)
            told = await versions.publish(
                work, None, kind, name, source=source, note="built in", must_refer=False
            )  # fmt: skip
        if (demo and is_followed) or name in OF_THE_HOUSE:
            async with work.savepoint():
                await versions.activate(work, kind, name, told["version"])
    except (UnchangedError, ConflictError):
        return False
    except DomainError as error:
        log.error("built_in.refused", definition=name, error=error.detail)
        return False
    return True
