"""A calendar of working time."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Calendar:
    """`weekly`: seven days from Monday, each with its intervals in minutes from midnight, ascending, not touching; an
    interval may end after 1440 (overnight: it belongs to the day it begins on). `exceptions`: days that differ.
    `zone`: an IANA name. A week of whole days and no exceptions: every second counts.
    """

    zone: str
    weekly: tuple[tuple[tuple[int, int], ...], ...]
    exceptions: dict[date, tuple[tuple[int, int], ...]] = field(default_factory=dict)


ALWAYS = Calendar("UTC", (((0, 1440),),) * 7)
