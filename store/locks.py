"""Which versions of its sub-processes a definition means: `pinned` at its publishing, `latest` at its launch."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.definitions.canonical import from_canonical
from domain.definitions.surveys import steps_of
from domain.walks.ports import lock_key
from store.tables import Definition


async def settle_locks(
    session: AsyncSession, canonical: dict[str, Any], *, wanted: str | None = None
) -> dict[str, int]:  # fmt: skip
    """lock_key → the active version, else the newest, of each sub-process. `wanted`: only pinned, or only latest.

    What does not exist is left out: the step that wants it fails and says so.
    """
    errands = [
        visit.step.run for visit in steps_of(from_canonical(canonical)) if visit.step.kind == "run"
    ]  # fmt: skip
    asked = {
        (("process" if e.process is not None else "macro"), e.name, e.version)
        for e in errands
        if isinstance(e.version, str) and wanted in (None, e.version)
    }
    if not asked:
        return {}
    rows = await session.execute(
        select(Definition.key, Definition.kind, Definition.active_version, Definition.latest_version).where(
            Definition.key.in_({name for _, name, _ in asked}), Definition.archived_at.is_(None)
        )
    )
    known = {(r.kind, r.key): r.active_version or r.latest_version for r in rows}
    return {
        lock_key(kind, name, version): known[(kind, name)]
        for kind, name, version in sorted(asked)
        if known.get((kind, name))
    }
