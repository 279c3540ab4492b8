"""The library that comes with the platform: published here, active in the demo, inactive elsewhere."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.definitions.loading import load
from domain.errors import ConflictError, DomainError, UnchangedError
from macros.catalogue import built_ins as macros
from processes.catalogue import built_ins as processes
from store import definitions, versions
from store.tables import Definition, DefinitionVersion
from store.transactions import Work

log = structlog.get_logger("built_ins")


async def put_built_ins(session: AsyncSession, *, demo: bool) -> list[str]:
    """Publish what is new in the files; answers the keys of what changed. A second time changes nothing.

    A definition of an administrator's own under the same name, and one that was archived, is left alone. In the demo
    the newest version is active as long as nobody chose another.
    """
    work = Work(session)
    await work.read_clock()
    changed = []
    for kind, files in (("process", processes()), ("macro", macros())):
        for name, source in files:
            if await _put(work, kind, name, source, demo=demo):
                changed.append(name)
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
        async with work.session.begin_nested():
            if row is None:
                await definitions.create(work, None, kind, source, is_built_in=True)
            told = await versions.publish(
                work, None, kind, name, source=source, note="built in", must_refer=False
            )  # fmt: skip
        if demo and is_followed:
            async with work.session.begin_nested():
                await versions.activate(work, kind, name, told["version"])
    except (UnchangedError, ConflictError):
        return False
    except DomainError as error:
        log.error("built_in.refused", definition=name, error=error.detail)
        return False
    return True
