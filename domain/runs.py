"""A run and its items: their states, the totals, the verdict (I4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("process", "macro", "undo")

#: queued → running ⇄ paused → one of ENDED; awaiting_approval while people are asked
RUN_STATES = (
    "queued", "awaiting_approval", "running", "paused",
    "succeeded", "partially_failed", "failed", "stopped", "rejected", "cancelled",
)  # fmt: skip
ENDED = frozenset({"succeeded", "partially_failed", "failed", "stopped", "rejected", "cancelled"})

ITEM_STATES = ("pending", "running", "waiting", "succeeded", "skipped", "failed", "cancelled")
ITEM_ENDED = frozenset({"succeeded", "skipped", "failed", "cancelled"})

_SKIPPED = {
    "guard": "The macro's guard does not hold for this dialog.",
    "stop": "The macro ended without doing more.",
}

CANCEL_MODES = ("finish_items", "finish_step", "now")

#: why a run stopped itself: no more items are begun, those at work end
STOP_REASONS = ("on_error", "too_many_failures", "kill_switch")
#: why a run waits for somebody: after its canary, or because a person said so
CANARY, BY_HAND = "canary", "by_hand"
#: why a run counts as cancelled although all of its items ended as they would
AFTER_LEFT_OUT = "after_left_out"
#: a run of more items than this is a mass run
MASS_FROM = 200
MOST_PARKED = 10_000
MOST_QUEUED = 10

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
    return "cancelled" if totals.cancelled else "succeeded"


def too_many_failed(totals: Totals, tolerated: int | None, percent: float | None) -> bool:
    """`mass.max_failures`: a number is judged at once, a percentage of the ended items from SMALLEST_SAMPLE on."""
    if tolerated is not None:
        return totals.failed > tolerated
    if percent is not None and totals.ended >= SMALLEST_SAMPLE:
        return totals.failed * 100 > percent * totals.ended
    return False


def lanes_of(concurrency: int) -> int:
    """Batches that work side by side."""
    return max(1, min(4, concurrency // 10))


def room_for(concurrency: int, *, running: int, waiting: int) -> int:
    """How many items may begin now: those that wait are not at work, but they too have an end."""
    return max(0, min(concurrency - running, MOST_PARKED - waiting - running))


def may_be_retried(state: str, *, needs_attention: bool, wanted: str) -> bool:
    """`wanted`: failed (whose effects are all known), needs_attention, or rest (cancelled before it was done)."""
    if wanted == "rest":
        return state == "cancelled"
    return state == "failed" and needs_attention == (wanted == "needs_attention")


def failures_of(mass: Mapping[str, Any] | None) -> tuple[str, int | None, float | None]:
    """What a definition's `mass` says of failures: on_error, how many it tolerates, or which percentage."""
    mass = mass or {}
    most = mass.get("max_failures")
    if isinstance(most, str):
        return mass.get("on_error", "continue"), None, float(most.strip().removesuffix("%"))
    return mass.get("on_error", "continue"), most, None


def why_skipped(reason: str) -> str:
    """A reason a macro was passed over for, in words."""
    word, _, number = reason.partition(":")
    if word == "already_running":
        return f"Run {number} of this macro is still at work on this dialog."
    return _SKIPPED.get(word, f"The dialog was passed over: {reason.replace('_', ' ')}.")
