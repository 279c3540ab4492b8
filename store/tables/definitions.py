"""Definitions of processes and macros: one draft each, immutable versions, which of them is active."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class Definition(Row):
    """`key` is the definition's name. Inactive while `active_version` is null; archived ones refuse every launch.

    `draft` is text as its author wrote it, which need not be valid. `parent_key`: made as a copy of that one.
    """

    __tablename__ = "definitions"

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str | None]
    category: Mapped[str | None]
    icon: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    target: Mapped[str] = mapped_column(server_default=text("'dialog'"))
    trigger_kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    parent_key: Mapped[str | None] = mapped_column(ForeignKey("definitions.key"))
    draft: Mapped[str]
    draft_media_type: Mapped[str] = mapped_column(server_default=text("'application/yaml'"))
    draft_by: Mapped[UUID | None]
    draft_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    active_version: Mapped[int | None]
    latest_version: Mapped[int] = mapped_column(server_default=text("0"))
    is_built_in: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    archived_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('process','macro','blueprint')", name="kind_known"),
        Index("ix_definitions_parent_key", "parent_key", postgresql_where=text("parent_key IS NOT NULL")),
    )


class DefinitionVersion(Row):
    """A published definition, never changed. `canonical` and its sha256 are the truth, `source` is what was written.

    `canonical` keeps the order of its keys (jsonb would not): forms and outputs are shown in it, the sha256 counts it.
    `locks`: the versions its sub-processes were pinned to. `capabilities`: what its actions may do.
    """

    __tablename__ = "definition_versions"

    definition_key: Mapped[str] = mapped_column(ForeignKey("definitions.key"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    media_type: Mapped[str] = mapped_column(server_default=text("'application/yaml'"))
    canonical: Mapped[dict[str, Any]] = mapped_column(JSON)
    sha256: Mapped[str]
    semantics: Mapped[int] = mapped_column(server_default=text("1"))
    catalogue_version: Mapped[int] = mapped_column(server_default=text("1"))
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    granted: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    locks: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    note: Mapped[str | None]
    published_by: Mapped[UUID | None]
    published_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class Trigger(Row):
    """One automatic trigger of an active version, as found by those who start runs; rewritten at each activation.

    kind: event, schedule, webhook. `match`: the event's name, the webhook's path, the schedule's cron.
    """

    __tablename__ = "triggers"

    definition_key: Mapped[str] = mapped_column(ForeignKey("definitions.key"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    kind: Mapped[str]
    match: Mapped[str]
    body: Mapped[dict[str, Any]]
    secret_hash: Mapped[str | None]

    __table_args__ = (Index("ix_triggers_kind_match", "kind", "match"),)


class TriggerMark(Row):
    """What a trigger has taken already: an event, a delivery of a webhook, a `once_per` window until `until`."""

    __tablename__ = "trigger_marks"

    definition_key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[UUID | None]
    until: Mapped[datetime | None]
    made_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class Watermark(Row):
    """How far a reader of the numbered events has come."""

    __tablename__ = "watermarks"

    reader: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
