"""Dialogs as far as their time goes: their clocks, their lives and what they are promised now, read for looking."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.clocks.clocks import Clock
from domain.clocks.lives import Life
from domain.clocks.metrics import Plan


@dataclass(frozen=True, slots=True)
class Timed:
    dialog_id: UUID
    number: int
    clocks: tuple[Clock, ...]
    life: Life
    plan: Plan


async def timed_of(session: AsyncSession, ids: Iterable[UUID]) -> list[Timed]:
    """In the order of their numbers; those that neither run a clock nor are promised anything are left out."""
    return []
