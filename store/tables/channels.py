"""Where clients write: channels, the people who write, and their addresses in each channel."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row

KINDS = (
    "telegram", "viber", "whatsapp", "facebook", "instagram", "facebook_comments", "instagram_comments",
    "email", "widget", "telephony", "sms", "generic",
)  # fmt: skip
SOUGHT = (
    "lower(coalesce(name, '') || E'\\n' || coalesce(phone, '') || E'\\n'"
    " || regexp_replace(coalesce(phone, ''), '\\D', '', 'g') || E'\\n' || coalesce(email, ''))"
)


class Channel(Row):
    """`reopen_window` in seconds: how long after closing a client's message reopens the same dialog.

    `reply_window` in seconds since the client's last message; null: the kind's own rule. `rate`: what its account may
    send, as `25/s`. `sending_stopped_at`: the kill switch for what processes send. `bot_process`: the definition that
    speaks with clients first.
    """

    __tablename__ = "channels"

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    team_key: Mapped[str | None] = mapped_column(ForeignKey("teams.key"))
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    reopen_window: Mapped[int] = mapped_column(server_default=text("86400"))
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    rate: Mapped[str | None]
    reply_window: Mapped[int | None]
    sending_stopped_at: Mapped[datetime | None]
    bot_process: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(k) for k in KINDS)})", name="kind_known"),
        CheckConstraint("reopen_window >= 0", name="reopen_window_not_negative"),
    )


class Contact(Row):
    """`consent`: to marketing. `external_id`: its number in the company's own systems.

    `sought`: its particulars in small letters, one a line, as a search looks into them.
    """

    __tablename__ = "contacts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    external_id: Mapped[str | None]
    consent: Mapped[bool] = mapped_column(server_default=text("false"))
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    tags: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    banned_at: Mapped[datetime | None]
    banned_by: Mapped[UUID | None]
    ban_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    sought: Mapped[str] = mapped_column(Computed(SOUGHT, persisted=True))

    __table_args__ = (
        Index("ix_contacts_sought", "sought", postgresql_using="gin", postgresql_ops={"sought": "gin_trgm_ops"}),
    )


class ContactIdentity(Row):
    __tablename__ = "identities"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"), index=True)
    channel_key: Mapped[str] = mapped_column(ForeignKey("channels.key"))
    address: Mapped[str]
    name: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (UniqueConstraint("channel_key", "address"), Index("ix_identities_address", "address"))
