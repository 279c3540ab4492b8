"""An item's looks at its rows: its beginning, what it waits for, whom it asks, its end."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from temporalio import activity

from activities.commands import Ring
from domain.run_messages import (
    Ask,
    Asked,
    Begin,
    Begun,
    End,
    Glimpse,
    Heard,
    Sight,
    StartSub,
    SubStarted,
    Trouble,
    WorkingMoment,
    WorkingTime,
)
from domain.walks.ports import Event, Snapshot, StepError, StepRecord
from store import approvals, deliveries, item_gates, run_items, runs, sub_runs
from store.calendars import working_moment
from store.deeds.stages import TeamsNeededError
from store.engines import Sessions
from store.item_gates import ENDED_ELSEWHERE, has_ended, write_down
from store.item_undoing import undone_at_end
from store.snapshots import snapshot_of
from store.tables import Reaction
from store.transactions import Work, transact

MOST_EVENTS = 100


class ItemActivities:
    """Local activities: `ring` wakes other workflows after the commit and never blocks."""

    def __init__(self, sessions: Sessions, ring: Ring) -> None:
        self._sessions = sessions
        self._ring = ring

    @activity.defn
    async def begin_item(self, begin: Begin) -> Begun:
        async def story(work: Work) -> Begun:
            brief = await run_items.begin(work, begin.run_id, begin.seq, begin.temporal_run_id)
            status, cancel_mode = await run_items.standing_in_hand(work, begin.run_id, begin.seq)
            return Begun(brief, status=status, cancel_mode=cancel_mode, now=work.moment)

        begun, rings = await transact(self._sessions, story)
        self._ring_others(rings)
        return begun

    @activity.defn
    async def look_at_item(self, glimpse: Glimpse) -> Sight:
        bearings = glimpse.bearings

        async def story(work: Work) -> Sight:
            row = await item_gates.look(work, bearings)
            if has_ended(row, bearings):
                return Sight(ENDED_ELSEWHERE)
            await write_down(work, bearings, parks=glimpse.parks)
            if glimpse.parks is not None and row.has_more and not row.is_parked:
                await run_items.tell_parked(work, bearings.run_id, row.kind)
            decided = {}
            for approval in glimpse.approvals:
                found = await approvals.judge(work, UUID(approval))
                if found is not None:
                    decided[approval] = found
            return Sight(
                row.status, row.cancel_mode, await _heard(work, bearings.workflow_id) if row.is_told else (), decided,
                {sub: ended for sub in glimpse.subs if (ended := await sub_runs.ended(work, UUID(sub))) is not None},
                await _seen(work, row) if glimpse.wants_snapshot else None,
            )  # fmt: skip

        sight, rings = await transact(self._sessions, story)
        self._ring_others(rings)
        return sight

    @activity.defn
    async def end_item(self, end: End) -> str:
        """Writes down how the item ended, once."""
        bearings, teams = end.bearings, set[str]()

        async def story(work: Work) -> str:
            undone = await self._undone(work, end, teams) if end.outcome.state == "failed" else ()
            records = (*bearings.records, *undone)
            outcome = end.outcome
            if outcome.stops_run is not None and bearings.seq > 0:
                await run_items.stop_for(work, bearings.run_id, outcome.stops_run)
            if outcome.state != "succeeded":
                await deliveries.withdraw_in(work, bearings.run_id, bearings.seq)
            if outcome.error_type == "timeout" and await deliveries.is_in_doubt(work, bearings.run_id, bearings.seq):
                outcome = replace(outcome, needs_attention=True)
            await run_items.end(work, bearings.run_id, bearings.seq, outcome, records)
            return outcome.state

        state, rings = await transact(self._sessions, story)
        self._ring_others(rings)
        return state

    async def _undone(self, work: Work, end: End, teams: set[str]) -> tuple[StepRecord, ...]:
        """`on_item_failure: undo`: what the item did is taken back before it ends."""
        run = await runs.get_run(work.session, end.bearings.run_id)
        try:
            return await undone_at_end(work, run, end.bearings.seq, teams=frozenset(teams))
        except TeamsNeededError as needed:
            teams.update(needed.keys)
            raise

    @activity.defn
    async def ask_people(self, ask: Ask) -> Asked:
        async def story(work: Work) -> Asked:
            halted = await item_gates.halted(work, ask.bearings)
            await write_down(work, ask.bearings)
            if halted is not None:
                return Asked(halted=halted)
            opened = await approvals.open(work, ask.bearings, ask.asking)
            decided = await approvals.judge(work, opened.id)
            left = None if opened.deadline is None else max(0.0, (opened.deadline - work.now).total_seconds())
            return Asked(str(opened.id), left, decided)

        asked, rings = await transact(self._sessions, story)
        self._ring_others(rings)
        return asked

    @activity.defn
    async def start_sub(self, start: StartSub) -> SubStarted:
        async def story(work: Work) -> SubStarted:
            halted = await item_gates.halted(work, start.bearings)
            await write_down(work, start.bearings)
            if halted is not None:
                return SubStarted(halted=halted)
            try:
                run_id = await sub_runs.start(work, start.bearings, start.sub)
            except StepError as error:
                return SubStarted(trouble=trouble_of(error))
            return SubStarted(str(run_id), await sub_runs.ended(work, run_id))

        started, rings = await transact(self._sessions, story)
        self._ring_others(rings)
        return started

    @activity.defn
    async def reckon_working_time(self, asked: WorkingTime) -> WorkingMoment:
        """By the calendar's version in force: a change of it moves no wait that has begun."""
        try:
            async with self._sessions() as session:
                return WorkingMoment(await working_moment(session, asked.calendar, asked.start, asked.seconds))
        except StepError as error:
            return WorkingMoment(trouble=trouble_of(error))

    def _ring_others(self, rings: set[str]) -> None:
        me = activity.info().workflow_id or ""
        self._ring(rings - {me})


async def _heard(work: Work, me: str) -> tuple[Heard, ...]:
    """The newest open events, in their order. They stay open until the workflow's history has them."""
    rows = await work.session.execute(
        select(Reaction.id, Reaction.payload)
        .where(Reaction.workflow_id == me, Reaction.kind == "event", Reaction.done_at.is_(None))
        .order_by(Reaction.id.desc())
        .limit(MOST_EVENTS)
    )
    return tuple(
        Heard(r.id, Event(r.payload["id"], r.payload["event"], r.payload["at"], r.payload.get("payload") or {}))
        for r in reversed(rows.all())
    )


async def _seen(work: Work, row: object) -> Snapshot:
    return await snapshot_of(work.session, row.dialog_id, row.contact_id)  # type: ignore[attr-defined]


def trouble_of(error: StepError) -> Trouble:
    return Trouble(
        error.type, error.message, error.details, error.attempts, error.needs_attention,
        again=not error.needs_attention,
    )  # fmt: skip
