"""A person's command as one transaction, and a dialog's look at its open rows."""

from collections.abc import Callable, Iterable
from uuid import UUID

from sqlalchemy import select
from temporalio import activity

from domain import workflow_ids
from domain.commands import Glance, Outcome, Request, Seen
from store import commands
from store.engines import Sessions
from store.reactions import open_reactions
from store.tables import Dialog
from store.workflow_runs import note_run

Ring = Callable[[Iterable[str]], None]


class CommandActivities:
    """Local activities: `ring` wakes other workflows after the commit and never blocks."""

    def __init__(self, sessions: Sessions, ring: Ring) -> None:
        self._sessions = sessions
        self._ring = ring

    @activity.defn
    async def apply_command(self, request: Request) -> Outcome:
        workflow_id = activity.info().workflow_id or ""
        outcome, rings = await commands.apply(self._sessions, request, workflow_id)
        self._ring(rings - {workflow_id})
        return outcome

    @activity.defn
    async def look_at_dialog(self, glance: Glance) -> Seen:
        dialog_id = UUID(workflow_ids.parse(glance.workflow_id)[1])
        async with self._sessions.begin() as session:
            if glance.run_id is not None:
                await note_run(session, glance.workflow_id, glance.run_id, dialog_id=dialog_id)
            reactions = await open_reactions(session, glance.workflow_id, glance.done)
            status = await session.scalar(select(Dialog.status).where(Dialog.id == dialog_id))
        return Seen(reactions, is_closed=status is None or status == "closed")
