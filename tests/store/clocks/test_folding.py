"""Random stories on a real database: what is kept while it happens equals what the events tell afterwards."""

from __future__ import annotations

import random

import pytest

from domain.commands import Close, Convert, Reopen, Say, SetPriority, SetStatus, Take, Unassign
from store.clocks.timed import lives_of, standings_of
from tests.store.clocks.promises import NRT, TFR, TTC, clocks, ledger, promised

MOVES = (
    Say("an answer"), Say("an answer"), Say("a note", mode="note"), SetStatus("in_progress"), SetStatus("pending"),
    SetStatus("resolved"), Close(), Reopen(), Convert(), SetPriority("critical"), SetPriority("normal"), Unassign(),
    Take(),
)  # fmt: skip
FAR = 1_000_000


@pytest.mark.parametrize("seed", range(8))
async def test_the_events_tell_the_same_life_and_the_same_clocks(stage, seed):
    chance = random.Random(seed)
    await stage.person("olha", online=True)
    await stage.change_team("support", accept_norm=FAR, respond_norm=FAR)
    metrics = [
        {**TFR, "target": FAR, "warn": [], "targets": {"critical": FAR // 2}}, {**NRT, "target": FAR}, TTC,
        *({"metric": "tis", "status": s, "target": FAR} for s in ("open", "in_progress", "pending")),
    ]  # fmt: skip
    dialog = await stage.opened("c1", topic=await promised(stage, *metrics))
    for _ in range(25):
        if chance.random() < 0.3:
            await stage.write("c1", "and?")
        else:
            await stage.ask("olha", dialog, chance.choice(MOVES))
    async with stage.sessions() as session:
        (standing,) = await standings_of(session, [dialog])
        folded = (await lives_of(session, [dialog]))[dialog]
        assert standing.life == folded
    rows = await clocks(stage, dialog)
    assert rows
    for clock in rows:
        lines = await ledger(stage, clock)
        assert lines[0].began_at == clock.started_at
        assert [a.ended_at for a in lines[:-1]] == [b.began_at for b in lines[1:]]
        assert lines[-1].ended_at == clock.ended_at
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    open_keys = [(c.metric, c.status) for c in rows if c.state != "ended"]
    assert len(open_keys) == len(set(open_keys))
    spans = folded.spans()
    assert {(c.metric, c.status): c.started_at for c in rows if c.state != "ended"} == {
        (str(metric), status): span.start
        for (metric, status), span in spans.items()
        if standing.plan.target_for(metric, status) is not None
    }
