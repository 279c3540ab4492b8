"""Connections as settings: the outside systems definitions may call. Never a credential, only secrets' names."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.connections import require_connection
from domain.errors import ConflictError, InUseError, NotFoundError
from store.settings import record_change
from store.tables import Connection
from store.transactions import Work

FIELDS = (
    "name", "base_url", "auth", "allow", "headers", "keep_headers", "redact", "timeout", "internal", "safe_get",
    "active",
)  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "auth": {"kind": "none"}, "allow": [], "headers": {}, "keep_headers": [], "redact": [], "timeout": 10,
    "internal": False, "safe_get": False, "active": True,
}  # fmt: skip
_USED_BY = text("""
SELECT v.definition_key FROM definition_versions v
JOIN definitions d ON d.key = v.definition_key AND d.active_version = v.number
WHERE :capability = ANY(v.capabilities) ORDER BY v.definition_key LIMIT 50
""")


async def all_connections(session: AsyncSession) -> list[dict[str, Any]]:
    return [_told(row) for row in await session.scalars(select(Connection).order_by(Connection.key))]


async def get_connection(session: AsyncSession, key: str) -> dict[str, Any]:
    """Raises NotFoundError."""
    return _told(await _find(session, key))


def _told(row: Connection) -> dict[str, Any]:
    return {"key": row.key, **{f: getattr(row, f) for f in FIELDS}, "created_at": row.created_at.isoformat()}


async def add(work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ConflictError, InvalidError."""
    values = {f: given[f] if given.get(f) is not None else DEFAULTS[f] for f in FIELDS if f in given or f in DEFAULTS}
    _require_usable(values)
    await work.read_clock()
    row = upsert(Connection).values(key=given["key"], **values).on_conflict_do_nothing().returning(Connection.key)
    made = await work.session.scalar(row)
    if made is None:
        raise ConflictError(f"There is a connection {given['key']!r} already.", field="key")
    record_change(work, "connection", made, None, _for_audit(values))
    return await get_connection(work.session, made)


async def change(work: Work, key: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises NotFoundError, InvalidError."""
    row = await _find(work.session, key, lock=True)
    before = _told(row)
    _require_usable({**before, **given})
    await work.read_clock()
    for field, value in given.items():
        setattr(row, field, value)
    await work.session.flush()
    after = _told(row)
    record_change(work, "connection", key, _for_audit(before), _for_audit(after, before))
    return after


async def remove(work: Work, key: str) -> dict[str, Any]:
    """Raises NotFoundError, and InUseError while an active definition may call it."""
    row = await _find(work.session, key, lock=True)
    if used_by := list(await work.session.scalars(_USED_BY, {"capability": f"http:{key}"})):
        raise InUseError("Active definitions call it; deactivate them, or the connection.", definitions=used_by)
    await work.read_clock()
    await work.session.execute(delete(Connection).where(Connection.key == key))
    record_change(work, "connection", key, _for_audit(_told(row)), None)
    return {}


def _require_usable(values: Mapping[str, Any]) -> None:
    require_connection(**{name: values[name] for name in ("base_url", "auth", "allow", "headers", "timeout")})


async def _find(session: AsyncSession, key: str, *, lock: bool = False) -> Connection:
    row = await session.get(Connection, key, with_for_update=lock or None)
    if row is None:
        raise NotFoundError(f"There is no connection {key!r}.")
    return row


def _for_audit(told: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Values of headers may be secrets of the other side: the audit tells their names, and that they changed."""
    entry = {name: value for name, value in told.items() if name not in ("created_at", "headers")}
    entry["headers"] = sorted(told["headers"])
    if before is not None and before["headers"] != told["headers"]:
        entry["header_values"] = "changed"
    return entry
