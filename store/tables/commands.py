"""Commands that happened (once), commands that still must, and what committed facts want of workflows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class CommandResult(Row):
    """The first answer under (caller, key); `answer` is null only inside the transaction that makes it."""

    __tablename__ = "command_results"

    caller: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    status: Mapped[int | None]
    answer: Mapped[dict[str, Any] | None]
    refusal: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (Index("ix_command_results_created_at", "created_at"),)


class PendingCommand(Row):
    """A command answered 202: the relay resends it under the same update id until its result stands, or it expires."""

    __tablename__ = "pending_commands"

    caller: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    not_after: Mapped[datetime]
    expired_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_pending_commands_open", "created_at", postgresql_where=text("expired_at IS NULL")),)


class Reaction(Row):
    """What a committed fact wants a workflow to do; acted on in id order, from `not_before` on."""

    __tablename__ = "reactions"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    workflow_id: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    not_before: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    done_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_reactions_open", "workflow_id", "id", postgresql_where=text("done_at IS NULL")),
        Index("ix_reactions_due", "not_before", postgresql_where=text("done_at IS NULL")),
    )


class WorkflowRun(Row):
    """A run of a workflow; `history` is its whole story, compressed, once it has closed (DECISIONS 11)."""

    __tablename__ = "workflow_runs"

    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    dialog_id: Mapped[UUID | None]
    started_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    closed_at: Mapped[datetime | None]
    status: Mapped[str | None]
    archived_at: Mapped[datetime | None]
    events: Mapped[int | None]
    history: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("uq_workflow_runs_run_id", "run_id", unique=True),
        Index("ix_workflow_runs_dialog_id", "dialog_id"),
        Index("ix_workflow_runs_started_at_run_id", "started_at", "run_id"),
        Index("ix_workflow_runs_kind_started_at_run_id", "kind", "started_at", "run_id"),
        Index("ix_workflow_runs_open", "started_at", postgresql_where=text("archived_at IS NULL")),
    )
