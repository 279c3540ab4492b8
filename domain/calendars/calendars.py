"""A calendar of working time."""

from dataclasses import dataclass, field
from datetime import date

DAY = 1440
"""Minutes."""
Intervals = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """`weekly`: seven days from Monday, each with its intervals in minutes from midnight, ascending, not touching; an
    interval may end after 1440 (overnight: it belongs to the day it begins on). `exceptions`: days that differ: what
    begins on them instead. `zone`: an IANA name. A week of whole days and no exceptions: every second counts.
    """

    zone: str
    weekly: tuple[Intervals, ...]
    #: not hashed: nobody changes it once the calendar is made
    exceptions: dict[date, Intervals] = field(default_factory=dict, hash=False)

    @property
    def counts_always(self) -> bool:
        return not self.exceptions and all(day == ((0, DAY),) for day in self.weekly)


ALWAYS = Calendar("UTC", (((0, DAY),),) * 7)
