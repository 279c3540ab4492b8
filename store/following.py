"""What facts bring about in the transaction that recorded them: clocks are told, then those who watch.

Called with every lock held and before the events are written. Nothing here imports store.transactions at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.clocks.following import follow_clocks
from store.watching import tell_watchers

if TYPE_CHECKING:
    from store.transactions import Work


async def follow(work: Work) -> None:
    """Take up what was recorded since the last time; what is recorded meanwhile (a breach) is taken up as well."""
    while work.followed < len(work.facts):
        start, work.followed = work.followed, len(work.facts)
        await follow_clocks(work, start)
        await tell_watchers(work, work.facts[start : work.followed])
