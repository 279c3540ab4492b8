"""What happened: the audit log, the source of statistics and triggers, and the numbered stream of the panels."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class Event(Row):
    """`seq` is null on insert and given after commit by number_events() (DECISIONS 4). No texts in `data`."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    seq: Mapped[int | None] = mapped_column(unique=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    dialog_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    team_key: Mapped[str | None]
    operator_id: Mapped[UUID | None]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    address: Mapped[str | None]
    run_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))

    __table_args__ = (
        Index("ix_events_unnumbered", "id", postgresql_where=text("seq IS NULL")),
        Index("ix_events_dialog_id_id", "dialog_id", "id"),
        Index("ix_events_kind_at", "kind", "at"),
        Index("ix_events_at", "at"),
        Index("ix_events_actor_id_id", "actor_id", "id", postgresql_where=text("actor_id IS NOT NULL")),
    )
