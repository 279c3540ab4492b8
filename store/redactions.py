"""What no trace may show of calls, as the connections say that they go over."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import topologies
from store.tables import Connection

_HTTP = "http:"


async def redacted_names(session: AsyncSession, canonical: Mapping[str, Any]) -> dict[str, list[str]]:
    """Connection → names in small letters, of the connections this definition calls; nothing is asked where it calls
    none.
    """
    used = [one.removeprefix(_HTTP) for one in topologies.capabilities_of(canonical) if one.startswith(_HTTP)]
    if not used:
        return {}
    rows = await session.execute(select(Connection.key, Connection.redact).where(Connection.key.in_(sorted(used))))
    return {row.key: sorted(name.lower() for name in row.redact) for row in rows if row.redact}
