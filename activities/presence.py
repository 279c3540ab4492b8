"""A look at a person's lease."""

from datetime import timedelta

from sqlalchemy import text
from temporalio import activity

from activities.commands import Ring
from domain import presence as rules
from domain import workflow_ids
from domain.commands import PresenceLook, PresenceSeen
from domain.errors import NotFoundError
from store import presence
from store.engines import Sessions
from store.reactions import open_reactions
from store.transactions import Work, transact
from store.workflow_runs import note_run


class PresenceActivities:
    def __init__(self, sessions: Sessions, ring: Ring) -> None:
        self._sessions = sessions
        self._ring = ring

    @activity.defn
    async def judge_presence(self, look: PresenceLook) -> PresenceSeen:
        """Marks a lease that ended and tells of an absence; answers in how many seconds to look again."""
        me = workflow_ids.of_presence(look.operator_id)

        async def story(work: Work) -> PresenceSeen:
            grace = await work.session.scalar(text("SELECT value FROM settings WHERE key = 'presence_grace'"))
            wait = timedelta(seconds=int(grace)) if grace is not None else rules.GRACE
            next_look = await presence.judge(work, look.operator_id, grace=wait)
            if look.run_id is not None:
                await note_run(work.session, me, look.run_id)
            await open_reactions(work.session, me)
            if next_look is None:
                return PresenceSeen(None)
            return PresenceSeen(max(0.05, (next_look - work.now).total_seconds() + 0.05))

        try:
            seen, rings = await transact(self._sessions, story)
        except NotFoundError:
            return PresenceSeen(None)
        self._ring(rings - {me})
        return seen
