"""What people work with besides dialogs: ready texts, folders, saved filters, notices."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class QuickReply(Row):
    """A ready text with `{contact.first_name}`-like fields; every change makes a new `version`."""

    __tablename__ = "quick_replies"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    text: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=sql("1"))
    active: Mapped[bool] = mapped_column(server_default=sql("true"))
    updated_at: Mapped[datetime] = mapped_column(server_default=sql("now()"))
    updated_by: Mapped[UUID | None]


class MessageTemplate(Row):
    """A text approved by a provider for writing outside its reply window; `kinds` of channels it is approved for."""

    __tablename__ = "message_templates"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    text: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql("'{}'::text[]"))
    active: Mapped[bool] = mapped_column(server_default=sql("true"))
    updated_at: Mapped[datetime] = mapped_column(server_default=sql("now()"))


class Folder(Row):
    """A shared list of dialogs by criteria (kind folder) or somebody's saved filter (kind filter)."""

    __tablename__ = "folders"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(server_default=sql("'folder'"))
    name: Mapped[str]
    criteria: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'::jsonb"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    is_public: Mapped[bool] = mapped_column(server_default=sql("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=sql("now()"))

    __table_args__ = (CheckConstraint("kind IN ('folder','filter')", name="kind_known"),)


class Notice(Row):
    """Something told to one person; the same `key` is told once."""

    __tablename__ = "notices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str | None]
    title: Mapped[str | None]
    text: Mapped[str]
    link: Mapped[str | None]
    sound: Mapped[str | None]
    run_id: Mapped[UUID | None]
    dialog_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sql("clock_timestamp()"))
    read_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_notices_user_id_key", "user_id", "key", unique=True, postgresql_where=sql("key IS NOT NULL")),
        Index("ix_notices_user_id_created_at", "user_id", "created_at"),
    )


class RatingRequest(Row):
    """A client was asked for a score; one open request per dialog closing (DECISIONS 30)."""

    __tablename__ = "rating_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"))
    cycle: Mapped[int]
    scale: Mapped[str] = mapped_column(server_default=sql("'1-5'"))
    question: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default=sql("'pending'"))
    score: Mapped[int | None]
    comment: Mapped[str | None]
    message_id: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(server_default=sql("clock_timestamp()"))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('pending','received','superseded','expired')", name="state_known"),
        Index("uq_rating_requests_pending", "dialog_id", unique=True, postgresql_where=sql("state = 'pending'")),
        Index("ix_rating_requests_dialog_id_cycle", "dialog_id", "cycle"),
    )
