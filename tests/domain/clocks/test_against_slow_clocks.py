"""The engine against clocks that tick second by second, over thousands of random lives."""

import os
from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings

from domain.calendars.reckoning import working_between
from domain.clocks.reckoning import remaining
from tests.domain.clocks.playing import comparable, play, same_clocks, told_by_engine, told_slowly
from tests.domain.clocks.slow_calendars import HORIZON
from tests.domain.clocks.stories import Story, at, stories

_LIVES = int(os.environ.get("CLOCK_LIVES", "1000"))
lives = settings(
    max_examples=_LIVES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
some_lives = settings(lives, max_examples=max(1, _LIVES // 5))


def _near(story: Story, kept: list) -> list:
    """Deadlines beyond the slow clocks' horizon are not compared."""
    return [k if k.due is None or k.due <= HORIZON else type(k)(**{**vars(k), "due": None}) for k in kept]


@lives
@given(stories())
def test_every_clock_is_what_counting_second_by_second_says(story: Story) -> None:
    clocks, firings = play(story, story.looks)
    assert comparable(_near(story, told_by_engine(story, clocks, firings))) == comparable(told_slowly(story))


@some_lives
@given(stories())
def test_looking_at_any_moment_changes_nothing(story: Story) -> None:
    seen, fired = play(story, story.looks)
    unseen, fired_at_once = play(story, [])
    assert same_clocks(seen) == same_clocks(unseen)
    told = [sorted((f.at, f.clock.metric, f.percent or 100) for f in all_) for all_ in (fired, fired_at_once)]
    assert told[0] == told[1]


@some_lives
@given(stories())
def test_folding_the_facts_again_gives_the_same_clocks(story: Story) -> None:
    assert play(story, story.looks) == play(story, story.looks, stored=True)


@some_lives
@given(stories())
def test_every_ledger_is_unbroken_and_each_second_has_its_cause(story: Story) -> None:
    clocks, _ = play(story, story.looks)
    end = at(story.base, story.end)
    for clock in clocks:
        lines = clock.ledger
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
        assert lines[0].began_at == clock.started_at
        assert all(a.ended_at == b.began_at for a, b in pairwise(lines))
        assert lines[-1].ended_at == clock.ended_at
        assert all(line.cause for line in lines)
        assert all(line.began_at < line.ended_at for line in lines[:-1] if line.ended_at)
        assert clock.state in ("ended", lines[-1].state)
        runs = [line for line in lines if line.state == "running"]
        counted = sum((working_between(clock.calendar, r.began_at, r.ended_at or end) for r in runs), timedelta())
        assert counted == timedelta(seconds=clock.target) - remaining(clock, end)


@some_lives
@given(stories())
def test_each_threshold_and_breach_fires_at_most_once(story: Story) -> None:
    clocks, firings = play(story, story.looks)
    told = [(f.clock.id, f.percent) for f in firings]
    assert len(told) == len(set(told))
    assert {f.clock.id for f in firings if f.percent is None} == {c.id for c in clocks if c.breached_at}
    for firing in firings:
        assert firing.percent is not None or firing.at == firing.clock.breached_at == firing.clock.due_at
