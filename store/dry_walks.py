"""The walk of one item that changes nothing: real guards, real reading, everything else as its manifest supposes."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from domain.actions.catalogue import catalogue
from domain.actions.manifests import Effect, Manifest, Placement
from domain.walks.ports import (
    Asking,
    Brief,
    Decided,
    Deed,
    Done,
    Effects,
    Event,
    Listening,
    Outcome,
    Snapshot,
    StepError,
    StepRecord,
    SubEnded,
    SubRun,
)
from domain.walks.walk import walk_item, walk_phase
from store import run_items
from store.acting import stage_for
from store.calendars import working_moment
from store.deeds.doing import do, read_params
from store.engines import Sessions
from store.item_walks import in_turn
from store.redactions import redacted_names
from store.tables import Run, RunItem
from store.transactions import Work

T = TypeVar("T")
#: a call outside that is known to change nothing; None when this one is not
AskSafely = Callable[[Run, Deed], Awaitable[Done | None]]


class DryEffects:
    """Every transaction is rolled back. Waits are over at once, nobody is heard, everything is approved."""

    def __init__(self, sessions: Sessions, run: Run, brief: Brief, began_at: datetime, ask: AskSafely) -> None:
        self._sessions = sessions
        self._run = run
        self._snapshot = brief.snapshot
        self._names = {"inputs": brief.inputs, "run": brief.run, "trigger": brief.trigger}
        self._ask = ask
        self._began_at = began_at
        self._began = time.monotonic()
        self.records: dict[int, StepRecord] = {}

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=time.monotonic() - self._began)

    async def gate(self) -> None:
        """The run's state was looked at as the item was taken."""

    async def act(self, deed: Deed) -> Done:
        manifest = catalogue()[deed.action]
        if manifest.effect is Effect.READ and manifest.placement is Placement.LOCAL:
            return await self._read(deed)
        if manifest.placement is Placement.OUTSIDE:
            answer = await self._ask(self._run, deed)
            if answer is not None:
                return answer
        await self._require_capability(deed, manifest)
        return Done(manifest.simulate(read_params(manifest, deed.params), {**self._names, **_parts(self._snapshot)}))

    async def _read(self, deed: Deed) -> Done:
        async with self._sessions() as session:
            stage = await stage_for(Work(session), self._run, *_target(self._snapshot), heavy=False)
            done = await do(stage, deed)
            await session.rollback()
        return done

    async def _require_capability(self, deed: Deed, manifest: Manifest) -> None:
        """Raises StepError where the run itself would be refused."""
        async with self._sessions() as session:
            stage = await stage_for(Work(session), self._run, *_target(self._snapshot), heavy=False)
            stage.require_capability(manifest.capability)
            await session.rollback()

    async def wait(self, until: datetime, *, step: str, path: str) -> None:
        """Nobody waits in a dry run."""

    async def working_time(self, calendar: str, start: datetime, seconds: float) -> datetime:
        async with self._sessions() as session:
            return await working_moment(session, calendar, start, seconds)

    async def listen(self, listening: Listening) -> tuple[Event, ...]:
        return ()

    async def approve(self, asking: Asking) -> Decided:
        return Decided(True, comment="dry run")

    async def run(self, sub: SubRun) -> SubEnded:
        return SubEnded("", "succeeded")

    async def together(
        self, parts: Sequence[Callable[[], Awaitable[T]]], *, at_once: int, compete: bool = False
    ) -> list[T | BaseException | None]:
        return await in_turn(parts, compete=compete)

    def record(self, record: StepRecord) -> None:
        self.records[record.n] = record

    def for_cleanup(self, seconds: float) -> Effects:
        return self


async def walk_dry(sessions: Sessions, run: Run, seq: int, ask: AskSafely) -> tuple[Outcome, tuple[StepRecord, ...]]:
    """What the item would do. Writes nothing: the caller ends the item with it."""
    async with sessions() as session:
        began_at = await Work(session).read_clock()
        item = await session.get_one(RunItem, (run.id, seq))
        redact = await redacted_names(session, run.canonical)
        brief = run_items.brief_of(run, item, await run_items.snapshot_of_item(session, item), redact=redact)
    host = DryEffects(sessions, run, brief, began_at, ask)
    try:
        outcome = await walk_item(brief, host)
    except StepError as error:
        outcome = Outcome("failed", error_type=error.type, error_message=error.message)
    return outcome, tuple(host.records.values())


async def walk_phase_dry(
    sessions: Sessions, run: Run, brief: Brief, phase: str, ask: AskSafely
) -> tuple[Outcome, tuple[StepRecord, ...]]:
    """The same for the phase before the items, or the one after."""
    async with sessions() as session:
        began_at = await Work(session).read_clock()
    host = DryEffects(sessions, run, brief, began_at, ask)
    outcome = await walk_phase(brief, "before" if phase == "before" else "after", host)
    return outcome, tuple(host.records.values())


def _parts(snapshot: Snapshot) -> dict[str, Any]:
    return {"dialog": snapshot.dialog or {}, "contact": snapshot.contact or {}, "operator": snapshot.operator or {}}


def _target(snapshot: Snapshot) -> tuple[Any, Any]:
    dialog, contact = snapshot.dialog or {}, snapshot.contact or {}
    return (
        UUID(dialog["id"]) if dialog.get("id") else None,
        UUID(contact["id"]) if contact.get("id") else None,
    )
