"""A run and its items: their states, the totals, the verdict (I4)."""

from collections.abc import Mapping
from dataclasses import dataclass

KINDS = ("process", "macro", "undo")

#: queued → running ⇄ paused → one of ENDED; awaiting_approval while people are asked
RUN_STATES = (
    "queued", "awaiting_approval", "running", "paused",
    "succeeded", "partially_failed", "failed", "stopped", "rejected", "cancelled",
)  # fmt: skip
ENDED = frozenset({"succeeded", "partially_failed", "failed", "stopped", "rejected", "cancelled"})

ITEM_STATES = ("pending", "running", "waiting", "succeeded", "skipped", "failed", "cancelled")
ITEM_ENDED = frozenset({"succeeded", "skipped", "failed", "cancelled"})

CANCEL_MODES = ("finish_items", "finish_step", "now")

#: items that must have ended before a percentage of failures is judged
SMALLEST_SAMPLE = 20

ERROR_TYPES = frozenset(
    {
        "timeout", "unavailable", "rate_limited", "conflict", "not_found", "forbidden", "invalid", "window_closed",
        "blocked_by_contact", "channel_error", "unknown_effect", "expression", "limit", "approval_rejected",
        "cancelled", "internal",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Totals:
    """Items by state; they always add up to `total`."""

    pending: int = 0
    running: int = 0
    waiting: int = 0
    succeeded: int = 0
    skipped: int = 0
    failed: int = 0
    cancelled: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "Totals":
        return cls(**{state: counts.get(state, 0) for state in ITEM_STATES})

    @property
    def total(self) -> int:
        return self.pending + self.running + self.waiting + self.ended

    @property
    def ended(self) -> int:
        return self.succeeded + self.skipped + self.failed + self.cancelled

    @property
    def live(self) -> int:
        return self.running + self.waiting


def verdict(totals: Totals, *, stop_reason: str | None = None, is_cancelled: bool = False) -> str:
    """The run's end, computed from its items. Raises ValueError while an item has not ended."""
    if totals.ended != totals.total:
        raise ValueError("items have not ended")
    if is_cancelled:
        return "cancelled"
    if stop_reason is not None:
        return "stopped"
    if totals.failed:
        return "partially_failed" if totals.succeeded or totals.skipped else "failed"
    return "succeeded"


def too_many_failed(totals: Totals, tolerated: int | None, percent: float | None) -> bool:
    """`mass.max_failures`: a number is judged at once, a percentage of the ended items from SMALLEST_SAMPLE on."""
    if tolerated is not None:
        return totals.failed > tolerated
    if percent is not None and totals.ended >= SMALLEST_SAMPLE:
        return totals.failed * 100 > percent * totals.ended
    return False
