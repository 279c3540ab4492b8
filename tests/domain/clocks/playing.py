"""A story played through the engine, and through the slow clocks."""

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import count
from uuid import UUID

from domain.clocks.clocks import Clock, Firing
from domain.clocks.lives import Happening, Life, begun, from_json, to_json
from domain.clocks.metrics import Plan
from domain.clocks.policies import Chosen, Norms, plan_for, policy_of
from domain.clocks.reckoning import AIMING, reckon, remaining, settle
from tests.domain.clocks.slow_calendars import seconds_of
from tests.domain.clocks.slow_clocks import Kept, SlowClocks, sorted_fired
from tests.domain.clocks.slow_clocks import Plan as SlowPlan
from tests.domain.clocks.stories import Fact, Story, at, calendar_named

ACTOR = UUID(int=7)


def plan_at(story: Story, fact: Fact) -> Plan:
    topic = story.topics[fact.topic]
    chosen = Chosen(calendar_named(topic.calendar), (topic.calendar, 1)) if topic.calendar else None
    policy = policy_of(topic.policy) if topic.policy else None
    norms = Norms(*story.norms[fact.team])
    return plan_for(policy, fact.kind, fact.priority, chosen, norms, policy_ref=(f"policy-{fact.topic}", 1))


def play(story: Story, looks: Iterable[int], *, stored: bool = False) -> tuple[list[Clock], list[Firing]]:
    """`stored`: the life goes through JSON after every fact, as it does between transactions."""
    clocks: tuple[Clock, ...] = ()
    firings: list[Firing] = []
    life: Life | None = None
    ids = count(1)
    moments = sorted(
        [(fact.second, 0, n) for n, fact in enumerate(story.facts)] + [(s, 1, n) for n, s in enumerate(looks)]
    )
    for second, is_look, n in moments:
        if is_look:
            seen = settle(clocks, at(story.base, second))
        else:
            fact = story.facts[n]
            actor = ACTOR if fact.actor == "user" else None
            happening = Happening(fact.name, at(story.base, second), fact.actor, actor, fact.data)
            life = begun(happening) if life is None else life.after(happening)
            if stored:
                life = from_json(to_json(life))
            seen = reckon(
                clocks, life, plan_at(story, fact), happening, aims_anew=fact.name in AIMING,
                new_id=lambda: UUID(int=next(ids)),
            )  # fmt: skip
        clocks = seen.clocks
        firings += seen.firings
    last = settle(clocks, at(story.base, story.end))
    return list(last.clocks), firings + list(last.firings)


def told_by_engine(story: Story, clocks: list[Clock], firings: list[Firing]) -> list[Kept]:
    """Moments as whole seconds since the base: a threshold at a fraction is passed by the next second."""

    def second(moment: datetime | None) -> int | None:
        return None if moment is None else math.ceil((moment - story.base).total_seconds())

    kept = []
    for c in clocks:
        fired = [(math.ceil((f.at - story.base).total_seconds()), f.percent) for f in firings if f.clock.id == c.id]
        counted = c.target - remaining(c, at(story.base, story.end)).total_seconds()
        is_due = c.state == "running" and c.breached_at is None
        kept.append(
            Kept(
                str(c.metric), c.status, second(c.started_at) or 0, second(c.ended_at), c.result,
                second(c.breached_at), tuple(sorted_fired(fired)), round(counted), second(c.due_at) if is_due else None,
            )
        )  # fmt: skip
    return kept


def told_slowly(story: Story) -> list[Kept]:
    now_true = story.facts[0]

    def plan() -> SlowPlan:
        return _slow_plan(story, now_true)

    slow = SlowClocks(plan)
    for fact in story.facts:
        slow.tick_to(fact.second)
        now_true = fact
        slow.tell(fact.name, fact.data, fact.actor)
        if fact.name in AIMING:
            slow.aim_anew()
    slow.tick_to(story.end)
    return slow.kept + slow.open_ones()


def _slow_plan(story: Story, fact: Fact) -> SlowPlan:
    topic = story.topics[fact.topic]
    counts = seconds_of(topic.calendar or "always", story.base, calendar_named)
    found: SlowPlan = {}
    if topic.policy and fact.kind in topic.policy["kinds"]:
        for m in topic.policy["metrics"]:
            target = m["targets"].get(fact.priority, m["target"])
            found[m["metric"], m["status"] or ""] = target, tuple(sorted(m["warn"])), counts
    for metric, norm in zip(("accept", "respond"), story.norms[fact.team], strict=True):
        if norm is not None:
            found[metric, ""] = norm, (), counts
    return found


def comparable(kept: Iterable[Kept]) -> list[Kept]:
    """Without the clocks that ended for no reason of theirs in the moment they began, and without far deadlines."""
    return sorted(
        (k for k in kept if not (k.result == "dropped" and k.start == k.end)), key=lambda k: str((k.start, k))
    )


def same_clocks(clocks: Iterable[Clock]) -> list[Clock]:
    return [replace(c, id=UUID(int=0)) for c in clocks]
