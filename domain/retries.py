"""When a failed attempt is made again: the pause before the next one, or none."""

from domain.actions.manifests import Retry
from domain.walks.ports import StepError


def pause_after(error: StepError, retry: Retry, attempts: int) -> float | None:
    """Seconds until the next attempt; None: there is none. `attempts`: how many were made, this one included.

    Being limited is no attempt: there is always another one, when the other side says so.
    """
    if error.needs_attention or error.type not in retry.on:
        return None
    asked = float(error.details.get("retry_after") or 0)
    if error.type == "rate_limited":
        return asked or retry.pause_after(max(1, attempts))
    return None if attempts >= retry.max_attempts else max(asked, retry.pause_after(max(1, attempts)))
