"""The clock workflow on a server whose clock skips: real calendars say when to look, and it looks then."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain import workflow_ids
from domain.calendars.calendars import ALWAYS, Calendar
from domain.clocks.clocks import Clock, Firing
from domain.clocks.lives import Happening, Life, begun
from domain.clocks.metrics import Metric, Plan, Target
from domain.clocks.reckoning import reckon, settle
from domain.commands import ClocksLook, ClocksSeen, ClocksStart
from tests.workflows.conftest import is_running, until
from worker import worker_for
from workflows import options

pytestmark = pytest.mark.timeout(120)
KYIV = ZoneInfo("Europe/Kyiv")
HOUR = 3600
OFFICE = Calendar(
    "Europe/Kyiv", (*(((9 * 60, 18 * 60),),) * 5, (), ()), {datetime(2026, 12, 25, tzinfo=UTC).date(): ()}
)  # fmt: skip
NIGHTS = Calendar("Europe/Kyiv", (((0, 6 * 60),),) * 7)


@dataclass
class Desk:
    """Stands for the database: one ticket, its clocks reckoned by the real engine, its own idea of the time.

    The database's clock reads `began` when the server's clock read `zero`.
    """

    env: WorkflowEnvironment
    began: datetime
    zero: datetime
    plan: Plan
    life: Life | None = None
    clocks: tuple[Clock, ...] = ()
    fired: list[tuple[Firing, datetime]] = field(default_factory=list)
    looks: list[datetime] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    async def now(self) -> datetime:
        return self.began + (await self.env.get_current_time() - self.zero)

    async def happen(self, fact: str, by: str = "system", *, at: datetime | None = None, **data: object) -> None:
        at = at or await self.now()
        happening = Happening(fact, at, by, None, dict(data))
        self.life = self.life.after(happening) if self.life else begun(happening)
        reckoned = reckon(self.clocks, self.life, self.plan, happening, aims_anew=False, new_id=uuid4)
        self.clocks = reckoned.clocks
        self.fired += [(firing, at) for firing in reckoned.firings]

    @activity.defn
    async def look_at_clocks(self, look: ClocksLook) -> ClocksSeen:
        now = await self.now()
        self.looks.append(now)
        if look.run_id is not None:
            self.runs.append(look.run_id)
        settled = settle(self.clocks, now)
        self.clocks = settled.clocks
        self.fired += [(firing, now) for firing in settled.firings]
        moments = [clock.next_at for clock in self.clocks if clock.next_at is not None]
        return ClocksSeen(max(0.05, (min(moments) - now).total_seconds() + 0.005) if moments else None)

    def told(self) -> list[tuple[int | None, datetime]]:
        return [(firing.percent, firing.at.astimezone(KYIV)) for firing, _ in self.fired]

    def require_punctual(self) -> None:
        for firing, at in self.fired:
            assert timedelta() <= at - firing.at < timedelta(seconds=1), (firing.at, at)


async def desk_at(env: WorkflowEnvironment, local: str, *targets: Target, calendar: Calendar = ALWAYS) -> Desk:
    began = datetime.fromisoformat(local).replace(tzinfo=KYIV).astimezone(UTC)
    desk = Desk(env, began, await env.get_current_time(), Plan(targets, calendar))
    await desk.happen("dialog.opened", "client", at=began, kind="ticket")
    return desk


def tfr(seconds: int, *warn: int) -> Target:
    return Target(Metric.TFR, seconds, warn)


async def begin(env: WorkflowEnvironment) -> WorkflowHandle:
    start = ClocksStart(uuid4())
    return await env.client.start_workflow(
        "SlaClockWorkflow", start, id=workflow_ids.of_clocks(start.dialog_id), task_queue=options.INTERACTIVE,
        start_signal="ring",
    )  # fmt: skip


def serving(env: WorkflowEnvironment, desk: Desk):
    return worker_for(env.client, options.INTERACTIVE, [desk.look_at_clocks])


def kyiv(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=KYIV)


CASES = {
    "every_hour_counts": ("2026-03-02T10:00", tfr(2 * HOUR, 50), ALWAYS, ["2026-03-02T11:00", "2026-03-02T12:00"]),
    "a_night": ("2026-03-02T17:00", tfr(2 * HOUR, 75), OFFICE, ["2026-03-03T09:30", "2026-03-03T10:00"]),
    "a_weekend": ("2026-03-06T17:00", tfr(2 * HOUR, 25), OFFICE, ["2026-03-06T17:30", "2026-03-09T10:00"]),
    "a_holiday_before_a_weekend": ("2026-12-24T17:00", tfr(2 * HOUR), OFFICE, ["2026-12-28T10:00"]),
    "opened_at_night": ("2026-03-07T03:00", tfr(HOUR), OFFICE, ["2026-03-09T10:00"]),
    "the_hour_that_is_left_out_in_spring": ("2026-03-29T01:00", tfr(4 * HOUR), NIGHTS, ["2026-03-29T06:00"]),
    "the_hour_that_comes_twice_in_autumn": ("2026-10-25T01:00", tfr(6 * HOUR), NIGHTS, ["2026-10-25T06:00"]),
}


@pytest.mark.parametrize("case", CASES)
async def test_it_wakes_at_the_second(env: WorkflowEnvironment, case: str) -> None:
    local, target, calendar, moments = CASES[case]
    desk = await desk_at(env, local, target, calendar=calendar)
    async with serving(env, desk):
        await (await begin(env)).result()
    percents = [*target.warn, None]
    assert desk.told() == list(zip(percents, map(kyiv, moments), strict=True))
    desk.require_punctual()
    assert len(desk.looks) <= 2 + 2 * len(moments)


async def test_one_workflow_holds_all_clocks_of_a_dialog(env: WorkflowEnvironment) -> None:
    targets = [tfr(900, 50), Target(Metric.TTC, 2 * HOUR, (25,)), Target(Metric.TIS, 600, status="open")]
    desk = await desk_at(env, "2026-03-02T10:00", *targets)
    async with serving(env, desk):
        await (await begin(env)).result()
    told = [(str(f.clock.metric), f.percent, f.at.astimezone(KYIV).strftime("%H:%M:%S")) for f, _ in desk.fired]
    assert told == [
        ("tfr", 50, "10:07:30"), ("tis", None, "10:10:00"), ("tfr", None, "10:15:00"), ("ttc", 25, "10:30:00"),
        ("ttc", None, "12:00:00"),
    ]  # fmt: skip
    desk.require_punctual()


async def test_it_stands_still_while_the_ticket_is_pending(env: WorkflowEnvironment) -> None:
    desk = await desk_at(env, "2026-03-02T10:00", Target(Metric.TTC, HOUR))
    async with serving(env, desk):
        handle = await begin(env)
        await until(lambda: len(desk.looks) == 1)
        await env.sleep(600)
        await desk.happen("ticket.status_changed", "user", before={"status": "open"}, after={"status": "pending"})
        await handle.signal("ring")
        with env.auto_time_skipping_disabled():
            await handle.result()
        await env.sleep(5 * HOUR)
        assert not desk.fired
        await desk.happen("ticket.reopened", "client", before={"status": "pending"}, after={"status": "open"})
        await (await begin(env)).result()
    assert [(p, at.strftime("%H:%M")) for p, at in desk.told()] == [(None, "16:00")]


async def test_no_timer_fires_after_closing(env: WorkflowEnvironment) -> None:
    desk = await desk_at(env, "2026-03-02T10:00", tfr(900, 50), Target(Metric.TTC, HOUR))
    async with serving(env, desk):
        handle = await begin(env)
        await until(lambda: len(desk.looks) == 1)
        await desk.happen("ticket.closed", "user", before={"status": "open"}, after={"status": "closed"})
        await handle.signal("ring")
        with env.auto_time_skipping_disabled():
            await handle.result()
        looks = len(desk.looks)
        await env.sleep(10 * HOUR)
    assert (len(desk.looks), desk.fired) == (looks, [])


async def test_a_look_that_was_held_up_over_every_moment_tells_each_once_and_dates_it_then(
    env: WorkflowEnvironment,
) -> None:
    """No worker, no database: what was due meanwhile is told in order as soon as somebody looks."""
    desk = await desk_at(env, "2026-03-02T10:00", tfr(900, 50, 80))
    tries = 0

    @activity.defn(name="look_at_clocks")
    async def away(look: ClocksLook) -> ClocksSeen:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise ConnectionError("the database is away")
        if tries == 4:
            desk.zero -= timedelta(hours=3)
        return await desk.look_at_clocks(look)

    async with worker_for(env.client, options.INTERACTIVE, [away]):
        await (await begin(env)).result()
    assert [(p, at.strftime("%H:%M:%S")) for p, at in desk.told()] == [
        (50, "10:07:30"), (80, "10:12:00"), (None, "10:15:00")
    ]  # fmt: skip


async def test_a_ring_makes_it_look_for_something_earlier(env: WorkflowEnvironment) -> None:
    desk = await desk_at(env, "2026-03-02T10:00", tfr(10 * HOUR), Target(Metric.NRT, 60))
    async with serving(env, desk):
        handle = await begin(env)
        await until(lambda: len(desk.looks) == 1)
        await desk.happen("message.queued", "user")
        await desk.happen("message.received", "client")
        await handle.signal("ring")
        await handle.result()
    assert [str(f.clock.metric) for f, _ in desk.fired] == ["nrt"]
    desk.require_punctual()


async def test_a_ring_during_the_last_look_is_looked_after(env: WorkflowEnvironment) -> None:
    desk = await desk_at(env, "2026-03-02T10:00")
    inside, go_on = asyncio.Event(), asyncio.Event()

    @activity.defn(name="look_at_clocks")
    async def slow(look: ClocksLook) -> ClocksSeen:
        inside.set()
        await go_on.wait()
        return await desk.look_at_clocks(look)

    async with worker_for(env.client, options.INTERACTIVE, [slow]):
        handle = await begin(env)
        await inside.wait()
        await handle.signal("ring")
        go_on.set()
        await handle.result()
    assert len(desk.looks) == 2


async def test_a_long_life_continues_as_new(env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "RENEW_AT", 40)
    warn = tuple(range(2, 100, 2))
    desk = await desk_at(env, "2026-03-02T10:00", tfr(1000, *warn))
    async with serving(env, desk):
        handle = await begin(env)
        await handle.result()
        assert not await is_running(handle)
    assert [p for p, _ in desk.told()] == [*warn, None]
    assert len(desk.runs) == len(set(desk.runs)) > 1
