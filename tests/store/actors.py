"""Actions of a run on a real database, carried out as a host does: one transaction, again with the teams it wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from domain.permissions import Viewer
from domain.walks.ports import Deed, Done, StepError
from store.deeds.doing import do, undo
from store.deeds.stages import RunFacts, TeamsNeededError, open_stage
from store.deeds.stages import Stage as Scenery
from store.ids import new_id
from store.transactions import Actor, Work, transact
from store.viewers import SYSTEM_VIEWER, get_viewer
from tests.store.stage import Stage

_KEYS = count(1)
EVERYTHING = frozenset(
    {
        "dialog.read", "dialog.assign", "dialog.close", "dialog.edit", "dialog.transfer", "dialog.note",
        "message.send", "contact.edit", "operators.force", "operators.read",
    }
)  # fmt: skip


@dataclass
class Kept:
    """A row of the ledger, as far as taking back asks for it."""

    action: str
    undo: dict[str, Any] | None
    status: str = "done"


@dataclass
class Run:
    """One run acting on one stage; as the system unless `launcher` names somebody."""

    stage: Stage
    launcher: str | None = None
    granted: frozenset[str] = EVERYTHING
    id: UUID = field(default_factory=new_id)
    kept: list[Kept] = field(default_factory=list)
    restarts: int = 0

    async def within(
        self, dialog: UUID | None, story: Callable[[Scenery], Any], *, contact: UUID | None = None, heavy: bool = True
    ) -> Any:
        teams: set[str] = set()

        async def told(work: Work) -> Any:
            try:
                person = self.stage.people[self.launcher] if self.launcher else None
                viewer: Viewer = await get_viewer(work.session, person) if person else SYSTEM_VIEWER
                work.actor, work.run_id = Actor("process", person), self.id
                facts = RunFacts(self.id, 7, person is None, self.granted)
                found = await open_stage(
                    work, viewer=viewer, run=facts, dialog_id=dialog, contact_id=contact, heavy=heavy or bool(teams),
                    teams=teams,
                )  # fmt: skip
                return await story(found)
            except TeamsNeededError as needed:
                self.restarts += 1
                teams.update(needed.keys)
                raise

        return (await transact(self.stage.sessions, told))[0]

    async def act(self, dialog: UUID | None, action: str, *, contact: UUID | None = None, **params: Any) -> Done:
        """One action in a transaction of its own."""
        return (await self.acts(dialog, (action, params), contact=contact))[0]

    async def acts(
        self, dialog: UUID | None, *actions: tuple[str, dict[str, Any]], contact: UUID | None = None
    ) -> list[Done]:
        """Several actions in one transaction."""
        kept: list[Kept] = []

        async def story(scenery: Scenery) -> list[Done]:
            kept.clear()
            made = []
            for action, params in actions:
                made.append(await do(scenery, deed(action, params)))
                kept.append(Kept(action, scenery.undo))
            return made

        made: list[Done] = await self.within(dialog, story, contact=contact)
        self.kept += kept
        return made

    async def refused(self, dialog: UUID | None, action: str, *, contact: UUID | None = None, **params: Any) -> str:
        """The type of the step's error, and its code where a rule of the house said no: `conflict:at_capacity`."""
        try:
            done = await self.act(dialog, action, contact=contact, **params)
        except StepError as error:
            code = error.details.get("code")
            return f"{error.type}:{code}" if code and code != error.type else error.type
        raise AssertionError(f"not refused: {done.result}")

    async def take_back(self, dialog: UUID | None, *, contact: UUID | None = None) -> str:
        """Undo the last action that was not taken back yet."""
        last = self.kept.pop()
        answer: str = await self.within(dialog, lambda scenery: undo(scenery, last), contact=contact)
        return answer


def deed(action: str, params: dict[str, Any], **more: Any) -> Deed:
    return Deed(f"run:1:{action}{next(_KEYS)}", action, params, action, action, **more)
