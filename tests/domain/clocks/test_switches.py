"""Clocks over both switches of Europe/Kyiv, nights and week-ends, to the microsecond."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.calendars.calendars import Calendar
from domain.clocks.clocks import Clock
from domain.clocks.lives import Happening, begun
from domain.clocks.reckoning import reckon, remaining
from tests.domain.clocks.playing import plan_at
from tests.domain.clocks.scenes import ROUND_THE_CLOCK, Scene, metric, when
from tests.domain.clocks.stories import NAMES, Fact, Story, Topic, calendar_named

HOUR = 3600
DAYTIME = Calendar("Europe/Kyiv", (((540, 1080),),) * 7)
NIGHTS = Calendar("Europe/Kyiv", (((1320, 1800),),) * 7)


def test_in_spring_a_day_of_all_hours_is_over_an_hour_later_by_the_wall() -> None:
    scene = Scene(metric("ttc", 24 * HOUR), calendar=ROUND_THE_CLOCK).opened("2026-03-28 12:00")
    assert scene.of("ttc").due_at == when("2026-03-29 13:00")


def test_in_autumn_a_day_of_all_hours_is_over_an_hour_earlier_by_the_wall() -> None:
    scene = Scene(metric("ttc", 24 * HOUR), calendar=ROUND_THE_CLOCK).opened("2026-10-24 12:00")
    assert scene.of("ttc").due_at == when("2026-10-25 11:00")


def test_working_days_are_as_long_as_ever_over_both_switches() -> None:
    for opened, due in (("2026-03-28 17:00", "2026-03-29 10:00"), ("2026-10-24 17:00", "2026-10-25 10:00")):
        scene = Scene(metric("ttc", 2 * HOUR), calendar=DAYTIME).opened(opened)
        assert scene.of("ttc").due_at == when(due)


def test_the_night_of_the_spring_switch_is_an_hour_shorter_and_that_of_autumn_an_hour_longer() -> None:
    spring = Scene(metric("ttc", 8 * HOUR), calendar=NIGHTS).opened("2026-03-28 22:00")
    assert spring.of("ttc").due_at == when("2026-03-29 23:00")
    autumn = Scene(metric("ttc", 9 * HOUR), calendar=NIGHTS).opened("2026-10-24 22:00")
    assert autumn.of("ttc").due_at == when("2026-10-25 06:00")


def test_a_pause_over_the_switch_takes_what_really_passed() -> None:
    scene = Scene(metric("ttc", 10 * HOUR), calendar=ROUND_THE_CLOCK).opened("2026-03-28 22:00")
    scene.become("pending", "2026-03-28 23:00")
    scene.reopen("2026-03-29 12:00")
    assert scene.of("ttc").due_at == when("2026-03-29 21:00")


def test_a_calendar_that_runs_dry_never_makes_a_clock_due() -> None:
    closed = {date(2026, 11, 2) + timedelta(days=n): () for n in range(400)}
    rare = Calendar("Europe/Kyiv", (((540, 541),),) + ((),) * 6, closed)
    scene = Scene(metric("ttc", 10 * 366 * 24 * HOUR), calendar=rare).opened("mon 09:00")
    assert (scene.of("ttc").due_at, scene.of("ttc").next_at) == (None, None)
    scene.become("pending", "mon 10:00")
    scene.close("mon 11:00")
    assert scene.of("ttc").result == "met"


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@given(moments, st.integers(1, 10**7), st.sampled_from(NAMES), st.lists(st.integers(0, 10**12), min_size=2, max_size=8))
def test_exactly_the_target_has_been_counted_when_a_clock_is_due(
    opened: datetime, target: int, calendar: str, steps: list[int]
) -> None:
    policy = {"kinds": ["ticket"], "metrics": [{"metric": "ttc", "target": target}]}
    story = Story(opened, {"a": Topic(policy, calendar)}, {"one": (None, None)}, [], [], 0)
    plan = plan_at(story, Fact("dialog.opened", 0, "client", {}, "ticket", "a", "normal", "one"))
    clocks: tuple[Clock, ...] = ()
    life, now = None, opened
    for n, step in enumerate([0, *steps]):
        now += timedelta(microseconds=step)
        happening = _turn(n, now)
        life = life.after(happening) if life else begun(happening)
        clocks = reckon(clocks, life, plan, happening, aims_anew=False, new_id=lambda: UUID(int=1)).clocks
    (clock,) = clocks
    assert clock.calendar == calendar_named(calendar)
    if clock.due_at is not None and (clock.state == "running" or clock.breached_at is not None):
        assert remaining(_as_it_was(clock, clock.due_at), clock.due_at) == timedelta()


def _as_it_was(clock: Clock, at: datetime) -> Clock:
    """The clock with what its ledger said at that moment."""
    known = [line for line in clock.ledger if line.began_at <= at]
    lines = [replace(line, ended_at=min(line.ended_at, at) if line.ended_at else None) for line in known]
    return replace(clock, ledger=tuple(lines))


def _turn(n: int, now: datetime) -> Happening:
    if n == 0:
        return Happening("dialog.opened", now, "client", None, {"kind": "ticket", "status": "open"})
    before, after = ("open", "pending") if n % 2 else ("pending", "open")
    fact = "ticket.status_changed" if n % 2 else "ticket.reopened"
    return Happening(fact, now, "user", None, {"before": {"status": before}, "after": {"status": after}})
