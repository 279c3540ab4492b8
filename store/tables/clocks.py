"""Time kept: calendars, policies, the clocks of dialogs, and the ledger of every clock's seconds."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row

#: which open clocks press a dialog, and the moment they do (domain.clocks.deadlines.deadline_of), as indexed
PRESSING = "(state = 'running' OR state = 'paused' AND breached_at IS NOT NULL) AND metric NOT IN ('accept', 'respond')"
DEADLINE = "(coalesce(breached_at, due_at))"


class Calendar(Row):
    """A calendar by its name; what it says stands in its versions, which never change."""

    __tablename__ = "calendars"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class CalendarVersion(Row):
    """`body`: as domain/calendars reads it."""

    __tablename__ = "calendar_versions"

    key: Mapped[str] = mapped_column(ForeignKey("calendars.key", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]]
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    made_by: Mapped[UUID | None]


class SlaPolicy(Row):
    """A policy by its name; what it asks stands in its versions, which never change."""

    __tablename__ = "sla_policies"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class SlaPolicyVersion(Row):
    """`body`: as domain/clocks/policies reads it."""

    __tablename__ = "sla_policy_versions"

    key: Mapped[str] = mapped_column(ForeignKey("sla_policies.key", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]]
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    made_by: Mapped[UUID | None]


class TimedDialog(Row):
    """A dialog that has, or had, clocks. `life`: what matters to them of what happened so far. `wakes_at`: the moment
    its clock workflow sleeps to; empty = none is asleep. The dialog's row lock guards this row and its clocks.
    """

    __tablename__ = "timed_dialogs"

    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), primary_key=True)
    life: Mapped[dict[str, Any]]
    wakes_at: Mapped[datetime | None]


class Clock(Row):
    """One stretch of one metric. `target` in seconds of its calendar, `warn` and `warned` in percent of it.

    `due_at` while it runs, and the last one when it is paused or ended; `next_at`: the earliest threshold or deadline
    that has not fired. A breach stays a breach. `topic_key`, `team_key`, `priority`: of the dialog, for reports.
    """

    __tablename__ = "clocks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"))
    metric: Mapped[str]
    alias: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("''"))
    cycle: Mapped[int]
    started_at: Mapped[datetime]
    state: Mapped[str]
    target: Mapped[int]
    warn: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    warned: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    policy_key: Mapped[str | None]
    policy_version: Mapped[int | None]
    calendar_key: Mapped[str | None]
    calendar_version: Mapped[int | None]
    topic_key: Mapped[str | None]
    team_key: Mapped[str | None]
    priority: Mapped[str | None]
    due_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    result: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("metric IN ('tfr','nrt','ttc','tis','accept','respond')", name="metric_known"),
        CheckConstraint("state IN ('running','paused','ended')", name="state_known"),
        CheckConstraint("result IN ('met','breached','dropped')", name="result_known"),
        CheckConstraint(
            "(state = 'ended') = (result IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)",
            name="ended_has_result",
        ),
        CheckConstraint("state = 'running' OR next_at IS NULL", name="only_running_is_due"),
        CheckConstraint("target >= 1", name="target_positive"),
        Index(
            "uq_clocks_open", "dialog_id", "metric", "status", unique=True, postgresql_where=text("state <> 'ended'")
        ),
        Index("ix_clocks_dialog_id_started_at", "dialog_id", "started_at"),
        Index("ix_clocks_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("ix_clocks_pressing", text(DEADLINE), "dialog_id", postgresql_where=text(PRESSING)),
        Index("ix_clocks_metric_ended_at", "metric", "ended_at", postgresql_where=text("state = 'ended'")),
        Index("ix_clocks_policy_key", "policy_key", postgresql_where=text("state <> 'ended'")),
        Index("ix_clocks_calendar_key", "calendar_key", postgresql_where=text("state <> 'ended'")),
    )


class ClockInterval(Row):
    """The ledger: a clock ran or stood still from one moment to the next, because of a fact, by somebody's doing.

    `changed`: what a new aim changed: target, calendar, policy, each as [before, after].
    """

    __tablename__ = "clock_intervals"

    clock_id: Mapped[UUID] = mapped_column(ForeignKey("clocks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    cause: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    changed: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))

    __table_args__ = (
        CheckConstraint("state IN ('running','paused')", name="state_known"),
        CheckConstraint("ended_at IS NULL OR ended_at >= began_at", name="ends_after_it_began"),
        Index("uq_clock_intervals_open", "clock_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )
