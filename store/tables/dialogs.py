"""Dialogs: what is true of each now. How it came to be so stands in events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, validates

from store.tables.rows import Row

#: who holds a dialog, of a closed one who held it last (laid out as PostgreSQL tells it, so that schemas compare)
HANDLER = """(
CASE
    WHEN status = 'closed'::text THEN last_operator_id
    ELSE operator_id
END)"""
#: what lists sort by, as indexed
WAITING_LONGEST = "(coalesce(awaiting_reply_since, 'infinity'::timestamptz))"
LAST_MESSAGE = "(coalesce(last_message_at, opened_at))"


class Dialog(Row):
    """`waiting_since`: the original moment it began to wait for an operator (kept when it returns to the pool).
    `awaiting_reply_since`: the first client message nobody has answered. `cycle` counts reopenings from closed.
    `revision` is counted up by the database at every change. `bot_run`: the run that speaks with the client; empty
    as soon as the dialog's place is another than bot. `keeps_time`: it has a row in timed_dialogs, so that whoever
    changes it has clocks to tell; empty of a dialog that no policy and no norm concerns.
    """

    __tablename__ = "dialogs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity(), unique=True)
    kind: Mapped[str] = mapped_column(server_default=text("'chat'"))
    status: Mapped[str] = mapped_column(server_default=text("'new'"))
    place: Mapped[str | None]
    channel_key: Mapped[str] = mapped_column(ForeignKey("channels.key"))
    identity_id: Mapped[UUID] = mapped_column(ForeignKey("identities.id"))
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))
    thread: Mapped[str] = mapped_column(server_default=text("''"))
    topic_key: Mapped[str | None] = mapped_column(ForeignKey("topics.key"))
    team_key: Mapped[str] = mapped_column(ForeignKey("teams.key"))
    operator_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    last_operator_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    reserved_for: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    priority: Mapped[str] = mapped_column(ForeignKey("priorities.key"), server_default=text("'normal'"))
    weight: Mapped[int] = mapped_column(server_default=text("0"))
    is_forced: Mapped[bool] = mapped_column(server_default=text("false"))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    ticket_number: Mapped[int | None] = mapped_column(unique=True)
    subject: Mapped[str | None]
    description: Mapped[str | None]
    ticket_type: Mapped[str | None]
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    pending_until: Mapped[datetime | None]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("dialogs.id"))
    keeps_time: Mapped[bool] = mapped_column(server_default=text("false"))
    bot_run: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    cycle: Mapped[int] = mapped_column(server_default=text("1"))
    last_message_seq: Mapped[int] = mapped_column(server_default=text("0"))
    opened_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    first_assigned_at: Mapped[datetime | None]
    awaiting_reply_since: Mapped[datetime | None]
    last_client_message_at: Mapped[datetime | None]
    last_message_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]

    __table_args__ = (
        CheckConstraint("kind IN ('chat','ticket','comment','group')", name="kind_known"),
        CheckConstraint(
            "(kind = 'ticket' AND status IN ('open','in_progress','pending','resolved','closed'))"
            " OR (kind <> 'ticket' AND status IN ('new','open','closed'))",
            name="status_fits_kind",
        ),
        CheckConstraint("(status = 'closed') = (place IS NULL)", name="exactly_one_place"),
        CheckConstraint("place IS NULL OR place IN ('bot','unassigned','queued','owned')", name="place_known"),
        CheckConstraint("(place = 'owned') IS NOT TRUE OR operator_id IS NOT NULL", name="owned_has_operator"),
        CheckConstraint("(place = 'owned') IS TRUE OR operator_id IS NULL", name="only_owned_has_operator"),
        Index(
            "uq_dialogs_open_per_thread",
            "channel_key",
            "identity_id",
            "thread",
            unique=True,
            postgresql_where=text("status <> 'closed' AND kind <> 'ticket'"),
        ),
        Index("ix_dialogs_identity_id_id", "identity_id", "id"),
        Index("ix_dialogs_contact_id_id", "contact_id", "id"),
        Index("ix_dialogs_status_id", "status", "id"),
        Index("ix_dialogs_status_team_key_id", "status", "team_key", "id"),
        Index("ix_dialogs_status_topic_key_id", "status", "topic_key", "id"),
        Index("ix_dialogs_status_channel_key_id", "status", "channel_key", "id"),
        Index("ix_dialogs_topic_key_id", "topic_key", "id"),
        Index("ix_dialogs_team_key_id", "team_key", "id"),
        Index("ix_dialogs_channel_key_id", "channel_key", "id"),
        Index("ix_dialogs_operator_id_id", "operator_id", "id", postgresql_where=text("operator_id IS NOT NULL")),
        Index("ix_dialogs_handler", text(HANDLER), "opened_at", "id"),
        Index("ix_dialogs_opened_at_id", "opened_at", "id"),
        Index("ix_dialogs_place_id", "place", "id", postgresql_where=text("place IS NOT NULL")),
        Index("ix_dialogs_kind_status_id", "kind", "status", "id"),
        Index("ix_dialogs_author_id_id", "author_id", "id", postgresql_where=text("author_id IS NOT NULL")),
        Index("ix_dialogs_waiting_longest", text(WAITING_LONGEST), "id"),
        Index("ix_dialogs_awaiting_id", "id", postgresql_where=text("awaiting_reply_since IS NOT NULL")),
        Index("ix_dialogs_last_message", text(LAST_MESSAGE), "id"),
        Index("ix_dialogs_rating_id", "rating", "id", postgresql_where=text("rating IS NOT NULL")),
        Index(
            "ix_dialogs_bot_run",
            "bot_run",
            postgresql_where=text("place = 'bot' AND awaiting_reply_since IS NOT NULL"),
        ),
        Index("ix_dialogs_tags", "tags", postgresql_using="gin"),
        Index("ix_dialogs_pending_until", "pending_until", postgresql_where=text("pending_until IS NOT NULL")),
        Index("ix_dialogs_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index(
            "ix_dialogs_waiting",
            "team_key",
            "waiting_since",
            postgresql_where=text("place IN ('queued','unassigned')"),
        ),
    )

    @validates("place")
    def _leave_the_run(self, _: str, place: str | None) -> str | None:
        if place != "bot":
            self.bot_run = None
        return place


class Participant(Row):
    """Somebody in a dialog besides its holder. role: participant (may act) or watcher (is told)."""

    __tablename__ = "participants"

    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(primary_key=True, server_default=text("'participant'"))
    added_by: Mapped[UUID | None]
    added_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Exclusion(Row):
    """Who is not offered a dialog again until its next assignment: declined, let expire, or released it."""

    __tablename__ = "exclusions"

    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    reason: Mapped[str]
    ends_alone_at: Mapped[datetime]
