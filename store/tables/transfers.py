"""Offers of a dialog to another operator, and hand-overs to a team."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class Transfer(Row):
    """`window` in seconds. `offered_by` is null where a run of the system's own did it.

    `holder_after` is who held the dialog when the offer had ended (None = the pool).
    """

    __tablename__ = "transfers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), index=True)
    from_operator: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    to_operator: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    to_team: Mapped[str | None] = mapped_column(ForeignKey("teams.key"))
    offered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    fallback: Mapped[str]
    window: Mapped[int]
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    note_id: Mapped[UUID | None]
    offered_at: Mapped[datetime]
    deadline: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    reason: Mapped[str | None]
    holder_after: Mapped[UUID | None]

    __table_args__ = (
        CheckConstraint(
            "state IN ('pending','accepted','declined','cancelled','rescinded','expired')", name="state_known"
        ),
        CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ends_once"),
        CheckConstraint("(to_operator IS NULL) <> (to_team IS NULL)", name="one_target"),
        Index("uq_transfers_pending", "dialog_id", unique=True, postgresql_where=text("state = 'pending'")),
        Index("ix_transfers_to_operator", "to_operator", postgresql_where=text("state = 'pending'")),
        Index("ix_transfers_deadline", "deadline", postgresql_where=text("state = 'pending'")),
    )
