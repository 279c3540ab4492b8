"""How long after a client's message a channel still lets us write freely: the reply window of its kind."""

from datetime import datetime, timedelta

DAY = timedelta(hours=24)
#: kinds not named have no window: one may always write
WINDOWS: dict[str, timedelta] = {"whatsapp": DAY, "facebook": DAY, "instagram": DAY}


def window_of(kind: str, reply_window: int | None) -> timedelta | None:
    """The channel's own `reply_window` in seconds goes before its kind's rule; None: always open."""
    return timedelta(seconds=reply_window) if reply_window is not None else WINDOWS.get(kind)


def is_open(kind: str, reply_window: int | None, last_client_message_at: datetime | None, now: datetime) -> bool:
    """Whether a free message may be sent now; where there is a window, a client who never wrote has not opened it."""
    window = window_of(kind, reply_window)
    if window is None:
        return True
    return last_client_message_at is not None and now - last_client_message_at < window
