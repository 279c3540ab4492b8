"""What is said in a dialog, and how far an outgoing message has come."""

from enum import StrEnum


class Mode(StrEnum):
    REPLY = "reply"
    NOTE = "note"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    NOTE = "note"


class Delivery(StrEnum):
    """The row is the ledger: queued → sending → sent | failed | unknown; sent → delivered → read."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"


UNSETTLED = (Delivery.QUEUED, Delivery.SENDING)
LONGEST_TEXT = 20_000
MOST_ATTACHMENTS = 10
