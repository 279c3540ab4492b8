"""What was said: by clients, to clients, and among ourselves."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class Message(Row):
    """`seq` orders the messages of a dialog. For outgoing ones the row is the ledger of delivery.

    `run_id`: the run that wrote it. `not_before`: its turn under the rate limits, once it has one. `is_pinned`: a note
    that stays in sight. `moved_from`: the dialog it was said in, of one that was merged.
    """

    __tablename__ = "messages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"))
    seq: Mapped[int]
    direction: Mapped[str]
    author_kind: Mapped[str]
    author_id: Mapped[UUID | None]
    text: Mapped[str]
    attachments: Mapped[list[Any]] = mapped_column(server_default=sql("'[]'::jsonb"))
    channel_key: Mapped[str]
    external_id: Mapped[str | None]
    created_at: Mapped[datetime]
    delivery: Mapped[str | None]
    delivery_error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default=sql("0"))
    provider_id: Mapped[str | None]
    run_id: Mapped[UUID | None]
    moved_from: Mapped[UUID | None] = mapped_column(ForeignKey("dialogs.id"))
    not_before: Mapped[datetime | None]
    is_pinned: Mapped[bool] = mapped_column(server_default=sql("false"))
    sent_at: Mapped[datetime | None]
    words: Mapped[Any] = mapped_column(TSVECTOR, Computed("to_tsvector('simple', text)", persisted=True))

    __table_args__ = (
        UniqueConstraint("dialog_id", "seq"),
        CheckConstraint("direction IN ('in','out','note')", name="direction_known"),
        CheckConstraint("(direction = 'out') = (delivery IS NOT NULL)", name="only_outgoing_is_delivered"),
        Index(
            "uq_messages_channel_key_external_id",
            "channel_key",
            "external_id",
            unique=True,
            postgresql_where=sql("external_id IS NOT NULL AND direction = 'in'"),
        ),
        Index(
            "ix_messages_unsettled",
            "dialog_id",
            "seq",
            postgresql_where=sql("delivery IN ('queued','sending')"),
        ),
        Index("ix_messages_words", "words", postgresql_using="gin", postgresql_with={"fastupdate": "on"}),
    )


class Attachment(Row):
    """A file; `media_type` as declared, served back as a download. `size` in bytes."""

    __tablename__ = "attachments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dialog_id: Mapped[UUID | None] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), index=True)
    uploaded_by: Mapped[UUID | None]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=sql("now()"))
