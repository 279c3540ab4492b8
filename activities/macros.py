"""A macro's beginning; where nothing in it waits or leaves the house, its end as well."""

from temporalio import activity

from activities.commands import Ring
from domain.run_messages import Begin, Begun
from domain.walks.ports import Outcome
from store import run_items, runs
from store.deeds.stages import TeamsNeededError
from store.engines import Sessions
from store.item_beginnings import Target
from store.item_walks import plan_of, walk_whole
from store.transactions import Work, transact


class MacroActivities:
    """Local activities: `ring` wakes other workflows after the commit and never blocks."""

    def __init__(self, sessions: Sessions, ring: Ring) -> None:
        self._sessions = sessions
        self._ring = ring

    @activity.defn
    async def begin_macro(self, begin: Begin) -> Begun:
        teams = frozenset[str]()

        async def story(work: Work) -> Begun:
            nonlocal teams
            run = await runs.get_run(work.session, begin.run_id)
            if run.topology != "batch":
                brief = await run_items.begin(work, run.id, begin.seq, begin.temporal_run_id)
                status, cancel_mode = await run_items.standing_in_hand(work, run.id, begin.seq)
                return Begun(brief, status=status, cancel_mode=cancel_mode, now=work.moment)
            target = Target(begin.seq, *await run_items.begin_at_once(work.session, run, begin.temporal_run_id))
            try:
                outcome = await walk_whole(work, plan_of(run), target, teams=teams)
            except TeamsNeededError as needed:
                teams |= needed.keys
                raise
            return Begun(outcome=outcome or Outcome("cancelled"))

        begun, rings = await transact(self._sessions, story)
        self._ring(rings - {activity.info().workflow_id or ""})
        return begun
