"""Runs of processes and macros, their items, their steps, and what their effects were."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, Text, text
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.runs import ITEM_STATES, KINDS, RUN_STATES
from store.tables.rows import Row


def _among(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{v}'" for v in values)


class Run(Row):
    """One launch. `canonical` is the definition it keeps for its whole life (of a draft, too); `version` is null for
    a draft. `effects_run`: whose ledger answers effects that happened already (its own, or the run it resumes).
    `phase`: before, items, after, done; a workflow may begin anew from the rows at any of them.
    `cause`: runs that led to this one, oldest first. `before`: vars and steps of the phase before the items.
    """

    __tablename__ = "runs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity(), unique=True)
    kind: Mapped[str]
    definition_key: Mapped[str]
    version: Mapped[int | None]
    title: Mapped[str]
    canonical: Mapped[dict[str, Any]] = mapped_column(JSON)
    sha256: Mapped[str]
    locks: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    inputs: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    target: Mapped[str]
    topology: Mapped[str]
    phase: Mapped[str] = mapped_column(server_default=text("'before'"))
    status: Mapped[str] = mapped_column(server_default=text("'queued'"))
    reason: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]
    message: Mapped[str | None]
    is_dry: Mapped[bool] = mapped_column(server_default=text("false"))
    trigger_kind: Mapped[str] = mapped_column(server_default=text("'manual'"))
    trigger: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    cause: Mapped[list[UUID]] = mapped_column(ARRAY(SqlUuid), server_default=text("'{}'::uuid[]"))
    launched_by: Mapped[UUID | None]
    run_as: Mapped[str] = mapped_column(server_default=text("'launcher'"))
    granted: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    selection: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    total: Mapped[int] = mapped_column(server_default=text("0"))
    concurrency: Mapped[int] = mapped_column(server_default=text("20"))
    canary: Mapped[int | None]
    paused_from: Mapped[str | None]
    cancel_mode: Mapped[str | None]
    cancelled_by: Mapped[UUID | None]
    before: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    origin_run: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    origin_mode: Mapped[str | None]
    effects_run: Mapped[UUID]
    parent_run: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    parent_seq: Mapped[int | None]
    parent_step: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    start_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"kind IN ({_among(KINDS)})", name="kind_known"),
        CheckConstraint(f"status IN ({_among(RUN_STATES)})", name="status_known"),
        CheckConstraint("topology IN ('batch','child')", name="topology_known"),
        Index("ix_runs_definition_key_number", "definition_key", "number"),
        Index("ix_runs_status_number", "status", "number"),
        Index("ix_runs_created_at_id", "created_at", "id"),
        Index("ix_runs_origin_run", "origin_run", postgresql_where=text("origin_run IS NOT NULL")),
        Index("ix_runs_parent_run", "parent_run", postgresql_where=text("parent_run IS NOT NULL")),
        Index("ix_runs_launched_by_number", "launched_by", "number", postgresql_where=text("launched_by IS NOT NULL")),
    )


class RunItem(Row):
    """One item of a run. `origin_seq`: its number in the run whose ledger answers for it.

    `is_parked`: it waits (listens, sleeps, asks for approval) and does not count as working.
    """

    __tablename__ = "run_items"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    origin_seq: Mapped[int]
    target_key: Mapped[str]
    dialog_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    operator_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    is_parked: Mapped[bool] = mapped_column(server_default=text("false"))
    waits_for: Mapped[dict[str, Any] | None]
    reason: Mapped[str | None]
    error_type: Mapped[str | None]
    error_step: Mapped[str | None]
    error_message: Mapped[str | None]
    needs_attention: Mapped[bool] = mapped_column(server_default=text("false"))
    message: Mapped[str | None]
    outputs: Mapped[list[Any] | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"state IN ({_among(ITEM_STATES)})", name="state_known"),
        CheckConstraint(
            "(state IN ('succeeded','skipped','failed','cancelled')) = (finished_at IS NOT NULL)",
            name="ended_has_a_moment",
        ),
        Index("ix_run_items_run_id_state_seq", "run_id", "state", "seq"),
        Index("ix_run_items_dialog_id", "dialog_id", postgresql_where=text("dialog_id IS NOT NULL")),
        Index(
            "ix_run_items_open_targets",
            "target_key",
            postgresql_where=text("state IN ('pending','running','waiting')"),
        ),
        Index("ix_run_items_attention", "run_id", "seq", postgresql_where=text("needs_attention")),
    )


class RunStep(Row):
    """One record of a trace: the n-th step an item executed. seq 0 is the phase before the items, -1 the one after."""

    __tablename__ = "run_steps"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    step_id: Mapped[str]
    path: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str | None]
    status: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("1"))
    inputs: Mapped[Any] = mapped_column(JSONB, nullable=True)
    result: Mapped[Any] = mapped_column(JSONB, nullable=True)
    branch: Mapped[Any] = mapped_column(JSONB, nullable=True)
    error: Mapped[dict[str, Any] | None]

    __table_args__ = (ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),)


class Effect(Row):
    """The ledger of effects: one row per key, written with the effect (or before a call whose end may be unknown).

    `key` = `{origin_run}:{item}:{step path}[{iteration}…]`. status: started, done, unknown, undone.
    """

    __tablename__ = "effects"

    key: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    seq: Mapped[int]
    n: Mapped[int] = mapped_column(Identity())
    step_id: Mapped[str]
    action: Mapped[str]
    request_hash: Mapped[str]
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("1"))
    result: Mapped[dict[str, Any] | None]
    undo: Mapped[dict[str, Any] | None]
    provider_ref: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))

    __table_args__ = (
        CheckConstraint("status IN ('started','done','unknown','undone')", name="status_known"),
        Index("ix_effects_run_id_seq_n", "run_id", "seq", "n"),
    )


class Subscription(Row):
    """A run that listens: events of these kinds about this dialog or contact become its reactions, from now on."""

    __tablename__ = "subscriptions"

    workflow_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    seq: Mapped[int]
    dialog_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    from_seq: Mapped[int] = mapped_column(server_default=text("0"))
    made_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))

    __table_args__ = (
        Index("ix_subscriptions_dialog_id", "dialog_id", postgresql_where=text("dialog_id IS NOT NULL")),
        Index("ix_subscriptions_contact_id", "contact_id", postgresql_where=text("contact_id IS NOT NULL")),
        Index("ix_subscriptions_run_id", "run_id"),
    )


class Approval(Row):
    """A question put to people by a run. `votes`: [{by, name, approved, at, comment, form}]."""

    __tablename__ = "approvals"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    seq: Mapped[int]
    step_id: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    workflow_id: Mapped[str]
    may_decide: Mapped[dict[str, Any]]
    needed: Mapped[int] = mapped_column(server_default=text("1"))
    allow_self: Mapped[bool] = mapped_column(server_default=text("false"))
    launched_by: Mapped[UUID | None]
    message: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    form: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    votes: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    deadline: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('open','approved','rejected','expired','withdrawn')", name="state_known"),
        Index("ix_approvals_open", "created_at", postgresql_where=text("state = 'open'")),
        Index("ix_approvals_run_id", "run_id"),
    )


class RateBucket(Row):
    """A rate limit as the theoretical arrival time of the next cell (GCRA): one row per channel account or run."""

    __tablename__ = "rate_buckets"

    key: Mapped[str] = mapped_column(primary_key=True)
    tat: Mapped[datetime]
