"""Settings of the installation: a row where somebody chose, else the default in domain/settings.py."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidError, NotFoundError
from domain.events import Fact
from domain.settings import DEFAULTS, require_setting
from store.tables import Setting, Team
from store.transactions import Work


async def value_of(session: AsyncSession, key: str) -> Any:
    """Raises NotFoundError for an unknown key."""
    if key not in DEFAULTS:
        raise NotFoundError(f"There is no setting {key!r}.")
    row = (await session.execute(select(Setting.value).where(Setting.key == key))).one_or_none()
    return DEFAULTS[key] if row is None else row.value


async def all_values(session: AsyncSession) -> list[dict[str, Any]]:
    chosen = {r.key: r.value for r in await session.execute(select(Setting.key, Setting.value))}
    return [setting_of(key, chosen.get(key, default)) for key, default in sorted(DEFAULTS.items())]


def setting_of(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "default": DEFAULTS[key]}


async def choose(work: Work, key: str, value: Any, *, by: UUID | None) -> dict[str, Any]:
    """Set one. Raises NotFoundError, InvalidError (also for a default team that is not an active team)."""
    require_setting(key, value)
    if key == "default_team" and value is not None:
        team = await work.session.get(Team, value, with_for_update={"read": True})
        if team is None or not team.active:
            raise InvalidError(f"There is no active team {value!r}.", field="value")
    if key == "time_zone":
        await _require_zone(work, value)
    await work.read_clock()
    before = await value_of(work.session, key)
    row = upsert(Setting).values(key=key, value=value, updated_at=work.now, updated_by=by)
    await work.session.execute(
        row.on_conflict_do_update(
            index_elements=["key"], set_={"value": row.excluded.value, "updated_at": work.now, "updated_by": by}
        )
    )
    if before != value:
        record_change(work, "setting", key, {"value": before}, {"value": value})
    return setting_of(key, value)


async def _require_zone(work: Work, value: Any) -> None:
    """Days are counted by the database: it must know the zone."""
    known = await work.session.scalar(text("SELECT true FROM pg_timezone_names WHERE name = :name"), {"name": value})
    if not known:
        raise InvalidError(f"There is no time zone {value!r}; name one like Europe/Kyiv.", field="value")


async def forget(work: Work, key: str) -> dict[str, Any]:
    """Back to the default. Raises NotFoundError."""
    before = await value_of(work.session, key)
    await work.read_clock()
    await work.session.execute(delete(Setting).where(Setting.key == key))
    if before != DEFAULTS[key]:
        record_change(work, "setting", key, {"value": before}, {"value": DEFAULTS[key]})
    return setting_of(key, DEFAULTS[key])


def record_change(
    work: Work,
    what: str,
    key: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    *,
    team: str | None = None,
) -> None:
    """The audit's entry of a changed setting: only the fields that differ; never a secret. None = did not exist."""
    fields = sorted({*(before or {}), *(after or {})})
    differing = [f for f in fields if before is None or after is None or before.get(f) != after.get(f)]
    if not differing:
        return
    work.record(
        Fact.SETTINGS_CHANGED, team=team, what=what, key=key,
        before={f: before.get(f) for f in differing} if before is not None else None,
        after={f: after.get(f) for f in differing} if after is not None else None,
    )  # fmt: skip
