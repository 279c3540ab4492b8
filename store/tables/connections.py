"""The outside systems that definitions may call, and the secrets they are called with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.rows import Row


class Connection(Row):
    """`auth`: {kind: none|bearer|basic|header|query, secret: NAME, …}; never a credential itself.

    `allow`: [{methods: […], paths: ["/v2/clients/*"]}]. `timeout` in seconds. `redact`: names hidden from results.
    """

    __tablename__ = "connections"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    base_url: Mapped[str]
    auth: Mapped[dict[str, Any]] = mapped_column(server_default=text("""'{"kind": "none"}'::jsonb"""))
    allow: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    headers: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    keep_headers: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    redact: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    timeout: Mapped[int] = mapped_column(server_default=text("10"))
    internal: Mapped[bool] = mapped_column(server_default=text("false"))
    safe_get: Mapped[bool] = mapped_column(server_default=text("false"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Secret(Row):
    """A credential by name, encrypted with the installation's key; nobody is ever shown it again."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_by: Mapped[UUID | None]
