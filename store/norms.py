"""The norms of the whole installation, for teams that have none of their own."""

from typing import Any
from uuid import UUID

from domain.permissions import Viewer
from domain.settings import DEFAULTS, NORMS
from store import settings
from store.clocks.moving import Concern, confirmed
from store.transactions import Work


async def choose(
    work: Work, viewer: Viewer, key: str, value: Any, *, running: str | None = None, confirm: int | None = None
) -> dict[str, Any]:
    """Set any setting; of a norm, asking what becomes of running clocks. Answers the setting with `run_id`.

    Raises as store.settings.choose and store.clocks.moving.confirmed.
    """
    before = await settings.value_of(work.session, key)
    told = await settings.choose(work, key, value, by=viewer.user_id)
    return {**told, "run_id": await _moved(work, viewer, key, before != value, running, confirm)}


async def forget(
    work: Work, viewer: Viewer, key: str, *, running: str | None = None, confirm: int | None = None
) -> dict[str, Any]:
    """Back to the default, in the same way."""
    before = await settings.value_of(work.session, key)
    told = await settings.forget(work, key)
    return {**told, "run_id": await _moved(work, viewer, key, before != DEFAULTS[key], running, confirm)}


async def _moved(
    work: Work, viewer: Viewer, key: str, has_changed: bool, running: str | None, confirm: int | None
) -> str | None:
    if key not in NORMS or not (has_changed or running == "move"):
        return None
    run: UUID | None = await confirmed(work, viewer, Concern(everywhere=True), running=running, confirm=confirm)
    return str(run) if run else None
