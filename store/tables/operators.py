"""A person as somebody who can hold dialogs: limits, chosen status, living connection, slots taken."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class Operator(Row):
    """One row per user. Heartbeats never touch it (they live in presence_leases), so its lock means capacity only."""

    __tablename__ = "operators"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    max_dialogs: Mapped[int] = mapped_column(server_default=text("5"))
    channel_limits: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    daily_quota: Mapped[int | None]
    status: Mapped[str] = mapped_column(server_default=text("'offline'"))
    status_reason: Mapped[str | None]
    status_since: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_assigned_at: Mapped[datetime | None]
    last_closed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("max_dialogs >= 0", name="limit_not_negative"),
        CheckConstraint("status IN ('online','busy','away','offline')", name="status_known"),
    )


class PresenceLease(Row):
    __tablename__ = "presence_leases"

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operators.user_id", ondelete="CASCADE"), primary_key=True)
    lease_until: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    lapsed_at: Mapped[datetime | None]
    absent_at: Mapped[datetime | None]

    __table_args__ = {"postgresql_with": {"fillfactor": "50"}}


class PresenceInterval(Row):
    """How long somebody was in one status; the open interval has no end. Working time is the sum of `online`."""

    __tablename__ = "presence_intervals"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operators.user_id", ondelete="CASCADE"))
    status: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    set_by: Mapped[UUID | None]

    __table_args__ = (
        Index("ix_presence_intervals_operator_id_started_at", "operator_id", "started_at"),
        Index("uq_presence_intervals_open", "operator_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )


class Reservation(Row):
    """A slot taken: a held dialog or a pending offer. The trigger `reservations_within_limits` refuses overflow."""

    __tablename__ = "reservations"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"))
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operators.user_id"), index=True)
    kind: Mapped[str]
    channel_key: Mapped[str]
    transfer_id: Mapped[UUID | None]
    expires_at: Mapped[datetime | None]
    over_limit: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))

    __table_args__ = (
        CheckConstraint("kind IN ('held','offer')", name="kind_known"),
        CheckConstraint("(kind = 'offer') = (expires_at IS NOT NULL)", name="offers_expire"),
        Index("uq_reservations_dialog_id_kind", "dialog_id", "kind", unique=True),
        Index("ix_reservations_offers", "operator_id", postgresql_where=text("kind = 'offer'")),
    )


class OperatorLoad(Row):
    """How many slots of kind `held` a person has, in all and by channel; triggers on `reservations` keep it (ADR 17).

    Who never held anything has no row.
    """

    __tablename__ = "operator_loads"

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operators.user_id", ondelete="CASCADE"), primary_key=True)
    held: Mapped[int]
    channels: Mapped[dict[str, Any]]

    __table_args__ = (CheckConstraint("held >= 0", name="held_not_negative"), {"postgresql_with": {"fillfactor": "50"}})


class ContactTouch(Row):
    """A client an operator dealt with on a day: what the daily contact quota counts."""

    __tablename__ = "contact_touches"

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operators.user_id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True)
