"""Why a dialog went to whom: every decision of distribution with its candidates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class Decision(Row):
    """`took` in milliseconds from the moment the dialog could be decided; `candidates`: winner, then the next ten."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), index=True)
    team_key: Mapped[str]
    method: Mapped[str]
    outcome: Mapped[str]
    winner_id: Mapped[UUID | None]
    reason: Mapped[str]
    cause: Mapped[str]
    actor_id: Mapped[UUID | None]
    candidates: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    excluded: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    took: Mapped[float]
    at: Mapped[datetime]

    __table_args__ = (Index("ix_decisions_at", "at"),)
