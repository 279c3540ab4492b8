"""What tickets are described with: priorities, and the shared library of typed fields that topics choose from."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row

#: numbers people say aloud; a chat has none
TICKET_NUMBERS = Sequence("ticket_numbers", start=1001, metadata=Row.metadata)


class Priority(Row):
    """`position`: higher is more urgent."""

    __tablename__ = "priorities"

    key: Mapped[str] = mapped_column(primary_key=True)
    name_uk: Mapped[str]
    name_en: Mapped[str]
    position: Mapped[int] = mapped_column(unique=True)


class TicketField(Row):
    """One of the shared library. `options`: what a list may hold."""

    __tablename__ = "ticket_fields"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    type: Mapped[str]
    options: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (CheckConstraint("type IN ('text','number','date','list','link')", name="type_known"),)


class TopicField(Row):
    """Tickets of the topic have the field; `required`: closing without it is refused."""

    __tablename__ = "topic_fields"

    topic_key: Mapped[str] = mapped_column(ForeignKey("topics.key", ondelete="CASCADE"), primary_key=True)
    field_key: Mapped[str] = mapped_column(ForeignKey("ticket_fields.key", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(server_default=text("0"))
    required: Mapped[bool] = mapped_column(server_default=text("false"))
