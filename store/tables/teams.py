"""Teams (skill groups), who is in them, which topics they cover."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class Team(Row):
    """`number` names the team's advisory lock. Times in seconds."""

    __tablename__ = "teams"

    key: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, Identity(), unique=True)
    name: Mapped[str]
    distribution: Mapped[str] = mapped_column(server_default=text("'least_loaded'"))
    auto: Mapped[bool] = mapped_column(server_default=text("true"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    transfer_window: Mapped[int] = mapped_column(server_default=text("120"))
    transfer_fallback: Mapped[str] = mapped_column(server_default=text("'return'"))
    accept_norm: Mapped[int | None]
    respond_norm: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        CheckConstraint("distribution IN ('least_loaded','round_robin','topic_priority')", name="method_known"),
        CheckConstraint("transfer_fallback IN ('return','pool')", name="fallback_known"),
        CheckConstraint("transfer_window BETWEEN 5 AND 86400", name="window_in_range"),
    )


class TeamMember(Row):
    __tablename__ = "team_members"

    team_key: Mapped[str] = mapped_column(ForeignKey("teams.key", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)


class Topic(Row):
    __tablename__ = "topics"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_key: Mapped[str | None] = mapped_column(ForeignKey("topics.key"))
    aliases: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    priority: Mapped[int] = mapped_column(server_default=text("0"))
    required: Mapped[bool] = mapped_column(server_default=text("false"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    calendar_key: Mapped[str | None] = mapped_column(ForeignKey("calendars.key"))
    sla_key: Mapped[str | None] = mapped_column(ForeignKey("sla_policies.key"))


class TeamTopic(Row):
    """`position` orders the teams of a topic: the first active one with a candidate gets its dialogs."""

    __tablename__ = "team_topics"

    topic_key: Mapped[str] = mapped_column(ForeignKey("topics.key", ondelete="CASCADE"), primary_key=True)
    team_key: Mapped[str] = mapped_column(ForeignKey("teams.key", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(server_default=text("0"))


class Tag(Row):
    __tablename__ = "tags"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
