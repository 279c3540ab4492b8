"""A run's own transactions: its look at the rows, its phases, its window of items, its end."""

from temporalio import activity

from activities.commands import Ring
from domain.run_messages import Advance, Phase, PhaseEnded, RunGlance, RunSeen
from domain.walks.ports import Brief
from store import run_items, runs
from store.dry_walks import AskSafely, walk_phase_dry
from store.engines import Sessions
from store.reactions import finish
from store.transactions import Work, transact


class RunActivities:
    """Local activities: `ring` wakes other workflows after the commit and never blocks."""

    def __init__(self, sessions: Sessions, ring: Ring, ask: AskSafely) -> None:
        self._sessions = sessions
        self._ring = ring
        self._ask = ask

    @activity.defn
    async def look_at_run(self, glance: RunGlance) -> RunSeen:
        seen, rings = await transact(
            self._sessions, lambda work: runs.look(work, glance.run_id, glance.temporal_run_id)
        )
        self._ring_others(rings)
        return seen

    @activity.defn
    async def brief_phase(self, phase: Phase) -> Brief:
        async with self._sessions() as session:
            return await runs.phase_brief(session, phase.run_id, phase.phase)

    @activity.defn
    async def end_phase(self, ended: PhaseEnded) -> str:
        async def story(work: Work) -> str:
            if ended.done:
                await finish(work.session, ended.done)
            return await runs.end_phase(work, ended.run_id, ended.phase, ended.outcome, ended.records)

        phase, rings = await transact(self._sessions, story)
        self._ring_others(rings)
        return phase

    @activity.defn
    async def advance_run(self, glance: RunGlance) -> Advance:
        """Judges what has ended and claims the items that may begin now."""
        advance, rings = await transact(self._sessions, lambda work: run_items.advance(work, glance.run_id))
        self._ring_others(rings)
        return advance

    @activity.defn
    async def judge_run(self, glance: RunGlance) -> Advance:
        """Between batches: stops the run when too many failed, pauses it when its canary is through."""
        advance, rings = await transact(self._sessions, lambda work: run_items.judge(work, glance.run_id))
        self._ring_others(rings)
        return advance

    @activity.defn
    async def walk_dry_phase(self, phase: Phase) -> str:
        """The phase of a dry run, from its brief to its end."""
        async with self._sessions() as session:
            run = await runs.get_run(session, phase.run_id)
            brief = await runs.phase_brief(session, phase.run_id, phase.phase)
        outcome, records = await walk_phase_dry(self._sessions, run, brief, phase.phase, self._ask)
        return await self.end_phase(PhaseEnded(phase.run_id, phase.phase, outcome, records))

    @activity.defn
    async def finish_run(self, glance: RunGlance) -> str:
        status, rings = await transact(self._sessions, lambda work: runs.finish(work, glance.run_id))
        self._ring_others(rings)
        return status

    def _ring_others(self, rings: set[str]) -> None:
        me = activity.info().workflow_id or ""
        self._ring(rings - {me})
