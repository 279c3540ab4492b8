"""The actions of a walk in a workflow: a transaction of our own, a message to be sent, a call that leaves the house."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from temporalio import activity

from activities.commands import Ring
from activities.items import trouble_of
from domain.actions.catalogue import catalogue
from domain.actions.manifests import Effect
from domain.run_messages import Act, Acted, Bearings, Trouble
from domain.walks.ports import Deed, Done, StepError
from domain.walks.sightings import looked_at_after
from store import effects, item_gates, runs, sending
from store.acting import stage_for
from store.deeds.doing import do
from store.deeds.stages import Stage, TeamsNeededError
from store.effects import Kept
from store.engines import Sessions
from store.item_gates import write_down
from store.tables import Run
from store.transactions import Work, transact

#: carries out one action that leaves the house: the ledger first, then the call. Raises StepError; an ApplicationError
#: that may be retried says when
Outside = Callable[[Run, Bearings, Deed], Awaitable[Done]]
_HEARTBEAT = 1.0


class ActActivities:
    """`outside`: action → who carries it out. `ring` wakes other workflows after the commit and never blocks."""

    def __init__(self, sessions: Sessions, ring: Ring, outside: Mapping[str, Outside]) -> None:
        self._sessions = sessions
        self._ring = ring
        self._outside = outside

    @activity.defn
    async def act(self, act: Act) -> Acted:
        """One attempt of an action of our own: effect, ledger and trace in one transaction."""
        return await self._on_stage(act, _done_here)

    @activity.defn
    async def prepare_message(self, act: Act) -> Acted:
        """Everything about a message but its delivery: whether it may be sent, its row, the ledger's row."""
        return await self._on_stage(act, _prepared)

    @activity.defn
    async def act_outside(self, act: Act) -> Acted:
        """One attempt of a call that leaves the house. Raises a retryable ApplicationError when it may be repeated."""

        async def story(work: Work) -> tuple[str | None, Run]:
            run = await runs.get_run(work.session, act.bearings.run_id)
            await write_down(work, act.bearings)
            return await item_gates.halted(work, act.bearings), run

        (halted, run), rings = await transact(self._sessions, story)
        self._ring_others(rings)
        if halted is not None:
            return Acted(halted=halted)
        carry_out = self._outside.get(act.deed.action)
        if carry_out is None:
            return Acted(trouble=Trouble("invalid", f"{act.deed.action} cannot be carried out here."))
        beat = asyncio.create_task(_beat())
        try:
            return Acted(await carry_out(run, act.bearings, act.deed))
        except StepError as error:
            return Acted(trouble=trouble_of(error))
        finally:
            beat.cancel()

    async def _on_stage(self, act: Act, deed_of: "DeedOf") -> Acted:
        teams = frozenset[str]()

        async def story(work: Work) -> Acted:
            nonlocal teams
            passage, kept = await item_gates.passage(work, act.bearings, act.deed.key), list[Kept]()
            if passage.halted is not None:
                if passage.halted != item_gates.ENDED_ELSEWHERE:
                    await write_down(work, act.bearings)
                return Acted(halted=passage.halted)
            try:
                acted = await self._acted(work, act, Passed(passage.run, passage.is_known, kept), deed_of, teams)
            except TeamsNeededError as needed:
                teams |= needed.keys
                raise
            await work.session.flush()
            await write_down(work, act.bearings, kept)
            return acted

        acted, rings = await transact(self._sessions, story)
        self._ring_others(rings)
        return acted

    async def _acted(self, work: Work, act: Act, passed: "Passed", deed_of: "DeedOf", teams: frozenset[str]) -> Acted:
        deed, run = act.deed, passed.run
        heavy = catalogue()[deed.action].heavy
        try:
            stage = await stage_for(work, run, _id(deed.dialog_id), _id(deed.contact_id), heavy=heavy, teams=teams)
            return await deed_of(stage, passed, act)
        except StepError as error:
            return Acted(trouble=trouble_of(error))

    def _ring_others(self, rings: set[str]) -> None:
        me = activity.info().workflow_id or ""
        self._ring(rings - {me})


@dataclass(frozen=True, slots=True)
class Passed:
    """`is_known`: the ledger has a row for the deed. `kept`: effects for the ledger, written at the end."""

    run: Run
    is_known: bool
    kept: list[Kept]


DeedOf = Callable[[Stage, Passed, Act], Awaitable[Acted]]


async def _done_here(stage: Stage, passed: Passed, act: Act) -> Acted:
    deed, run = act.deed, passed.run
    if catalogue()[deed.action].effect is Effect.READ:
        return Acted(await do(stage, deed))
    if act.bearings.seq > 0:
        stage.shows = deed.step in looked_at_after(run.canonical, run.inputs)
    asked = effects.request_hash_of(deed.action, deed.params)
    if not passed.is_known:
        done = await do(stage, deed)
        passed.kept.append(Kept(deed.key, deed.step, deed.action, asked, done.result, stage.undo))
        return Acted(done)
    claimed = await effects.claim(
        stage.work, deed.key, run.id, act.bearings.seq, deed.step, deed.action, asked
    )  # fmt: skip
    if not claimed.is_new and claimed.status == "done":
        return Acted(Done(claimed.result or {}, claimed.attempts, await stage.see()))
    try:
        done = await do(stage, deed)
    except StepError:
        await effects.let_go(stage.work, deed.key)
        raise
    await effects.settle(stage.work, deed.key, "done", done.result, stage.undo)
    return Acted(done)


async def _prepared(stage: Stage, passed: Passed, act: Act) -> Acted:
    prepared = await sending.prepare(stage, act.deed, seq=act.bearings.seq)
    snapshot = await stage.see()
    message_id = prepared.message_id
    if message_id is None:
        return Acted(Done(prepared.result or {}, snapshot=snapshot))
    return Acted(Done(prepared.result or {}, snapshot=snapshot), message_id=str(message_id))


def _id(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(_HEARTBEAT)
