"""New ids: UUIDv7 (RFC 9562), so rows of one kind sort by the time they were made."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    return uuid7()
