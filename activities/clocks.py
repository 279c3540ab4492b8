"""A look at the clocks of a dialog, and at others' that are due."""

from datetime import timedelta
from time import monotonic

from temporalio import activity

from activities.commands import Ring
from domain import workflow_ids
from domain.commands import ClocksLook, ClocksSeen
from store.clocks import pendings, settling
from store.engines import Sessions
from store.reactions import open_reactions
from store.transactions import Work, transact
from store.workflow_runs import note_run

#: seconds: never a busy loop, whatever the rows say
SHORTEST = 0.05
#: seconds: timers and the database keep time by different clocks; to wake a little late is to look once
_SLACK = timedelta(milliseconds=5)
#: seconds of one look for clocks of others
_BURST = 1.0


class ClockActivities:
    def __init__(self, sessions: Sessions, ring: Ring) -> None:
        self._sessions = sessions
        self._ring = ring

    @activity.defn
    async def look_at_clocks(self, look: ClocksLook) -> ClocksSeen:
        """Tells of every threshold and deadline passed, of this dialog and then of others whose moment has come; opens
        a pending ticket whose moment has come. Answers in how many seconds to look at this dialog again.
        """
        me = workflow_ids.of_clocks(look.dialog_id)
        seen, rings = await self._look(look, me)
        if seen.is_pending_due:
            _, more = await transact(self._sessions, lambda work: pendings.open_again(work, look.dialog_id))
            seen, again = await self._look(look, me)
            rings |= more | again
        if seen.others_due:
            rings |= await self._settle_others()
        self._ring(rings - {me})
        if seen.next_at is None:
            return ClocksSeen(None)
        return ClocksSeen(max(SHORTEST, (seen.next_at - seen.now + _SLACK).total_seconds()))

    async def _look(self, look: ClocksLook, me: str) -> tuple[settling.Seen, set[str]]:
        async def story(work: Work) -> settling.Seen:
            seen = await settling.look(work, look.dialog_id)
            if look.run_id is not None:
                await note_run(work.session, me, look.run_id, dialog_id=look.dialog_id if seen.is_known else None)
            await open_reactions(work.session, me)
            return seen

        return await transact(self._sessions, story)

    async def _settle_others(self) -> set[str]:
        """Whoever wakes first carries out what is due, in batches, for as long as there is and a second at most."""
        rings: set[str] = set()
        ends = monotonic() + _BURST
        settled = settling.BATCH
        while settled == settling.BATCH and monotonic() < ends:
            settled, more = await transact(self._sessions, settling.settle_burst)
            rings |= more
        return rings
