"""Loads kept as counts: they equal the slots counted, whatever storm went over them (ADR 17)."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.commands import Accept, Transfer
from store.candidates import candidates_in
from store.loads import recount
from store.transactions import Work

SLOTS = (
    "INSERT INTO reservations (dialog_id, operator_id, kind, channel_key, expires_at, over_limit) SELECT d, :o, :k, :c,"
    " CASE WHEN :k = 'offer' THEN now() + interval '1 h' END, true FROM unnest(CAST(:d AS uuid[])) AS d"
)
ACTS = {
    "take": SLOTS,
    "free": "DELETE FROM reservations WHERE dialog_id = ANY(:d)",
    "accept": (
        "UPDATE reservations SET kind = 'held', expires_at = NULL WHERE dialog_id = ANY(:d) AND kind = 'offer'"
        " AND NOT EXISTS (SELECT 1 FROM reservations r WHERE r.dialog_id = ANY(:d) AND r.kind = 'held')"
    ),
    "move": "UPDATE reservations SET channel_key = :c WHERE dialog_id = ANY(:d)",
    "hand over": "UPDATE reservations SET operator_id = :o WHERE dialog_id = ANY(:d)",
    "forget": "DELETE FROM dialogs WHERE id = ANY(:d) AND operator_id IS NULL AND random() < 0.2",
}


async def kept(stage) -> dict:
    rows = await stage.sql("SELECT operator_id, held, channels FROM operator_loads WHERE held > 0")
    return {r.operator_id: (r.held, r.channels) for r in rows}


async def counted(stage) -> dict:
    rows = await stage.sql(
        "SELECT operator_id, sum(n)::int AS held, jsonb_object_agg(channel_key, n) AS channels FROM"
        " (SELECT operator_id, channel_key, count(*) AS n FROM reservations WHERE kind = 'held' GROUP BY 1, 2) AS x"
        " GROUP BY 1"
    )
    return {r.operator_id: (r.held, r.channels) for r in rows}


async def load_of(stage, name: str):
    async with stage.sessions() as session:
        people = await candidates_in(Work(session), [stage.key("support")], [])
    return next(c.load for c in people if c.operator_id == stage.people[name])


@pytest.mark.parametrize("seed", range(4))
async def test_after_any_storm_the_counts_are_those_of_the_slots(stage, seed):
    """Eight connections insert, move and delete slots, and some of their transactions give up."""
    people = [await stage.person(name) for name in ("olha", "taras", "iryna")]
    channels = [stage.channel, await stage.add_channel("mail", "support")]
    dialogs = [await stage.opened(f"c{n}") for n in range(12)]
    done = 0

    async def rove(dice: random.Random) -> None:
        nonlocal done
        for _ in range(40):
            given = {"o": dice.choice(people), "k": dice.choice(["held", "offer"]), "c": dice.choice(channels)}
            some = sorted(dice.sample(dialogs, dice.choice([1, 1, 1, 3])))
            try:
                async with stage.sessions.begin() as session:
                    for name in dice.sample(list(ACTS), dice.choice([1, 2])):
                        await session.execute(text(ACTS[name]), {**given, "d": some})
                    if dice.random() < 0.1:
                        raise InterruptedError
                done += 1
            except (DBAPIError, InterruptedError):  # a slot taken twice, a dialog gone, a deadlock: all of it undone
                continue

    await asyncio.gather(*(rove(random.Random(seed * 100 + n)) for n in range(8)))
    assert done > 50
    assert await kept(stage) == await counted(stage)
    await stage.sql("DELETE FROM reservations")
    assert await kept(stage) == {}


async def test_an_offer_counts_until_its_deadline_has_passed_though_nobody_carried_that_out(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.person("taras", online=True, channel_limits={stage.channel: 3})
    told = await stage.do("olha", dialog, Transfer(to_operator=stage.people["taras"]))
    assert (await load_of(stage, "taras")).total == 1
    assert (await load_of(stage, "taras")).channels == {stage.channel: 1}
    await stage.pass_deadline(UUID(told["transfer_id"]))
    assert (await load_of(stage, "taras")).total == 0
    assert (await load_of(stage, "olha")).total == 1


async def test_an_accepted_offer_is_a_slot_held(stage):
    await stage.person("olha", online=True)
    dialog = await stage.opened("c")
    await stage.person("taras", online=True, channel_limits={stage.channel: 3})
    told = await stage.do("olha", dialog, Transfer(to_operator=stage.people["taras"]))
    await stage.do("taras", dialog, Accept(), transfer=UUID(told["transfer_id"]))
    assert await kept(stage) | {stage.people["taras"]: (1, {stage.channel: 1})} == await kept(stage)
    assert (await load_of(stage, "olha")).total == 0
    assert (await load_of(stage, "taras")).channels == {stage.channel: 1}


WRONG = {
    "too low": "UPDATE operator_loads SET held = 0, channels = '{}'",
    "too high": "UPDATE operator_loads SET held = held + 5",
    "of another channel": "UPDATE operator_loads SET channels = jsonb_build_object('other', held)",
    "gone": "DELETE FROM operator_loads",
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_count_somebody_made_wrong_is_mended_by_the_next_look_and_told(stage, wrong):
    """Too low a count chooses somebody who is full, whom the slots then refuse; too high a one passes over somebody."""
    olha = await stage.person("olha", online=True, max_dialogs=3)
    for n in range(2):
        await stage.opened(f"c{n}")
    before = await stage.sql("SELECT id FROM events WHERE kind = 'distribution.anomaly'")
    await stage.sql(WRONG[wrong])
    assert (await stage.sweep()).miscounted >= 1
    assert await kept(stage) == await counted(stage)
    assert (await stage.sweep()).miscounted == 0
    told = await stage.sql("SELECT operator_id, data FROM events WHERE kind = 'distribution.anomaly' ORDER BY id")
    mine = [t.data["miscounted"]["slots"] for t in told[len(before) :] if t.operator_id == olha]
    assert mine == [2]
    third = await stage.opened("c3")
    assert await stage.holder(third) == "olha"


async def test_slots_that_come_and_go_meanwhile_are_neither_counted_twice_nor_told(stage):
    people = [await stage.person(name) for name in ("olha", "taras")]
    dialogs = [await stage.opened(f"c{n}") for n in range(6)]
    wrong = 0

    async def rove(dice: random.Random) -> None:
        for _ in range(30):
            given = {"o": dice.choice(people), "k": "held", "c": stage.channel, "d": sorted(dice.sample(dialogs, 2))}
            try:
                async with stage.sessions.begin() as session:
                    await session.execute(text(ACTS[dice.choice(["take", "free", "hand over"])]), given)
            except DBAPIError:
                continue

    async def look() -> None:
        nonlocal wrong
        for _ in range(15):
            wrong += await recount(stage.sessions)

    await asyncio.gather(*(rove(random.Random(n)) for n in range(5)), look())
    assert wrong == 0
    await stage.sql(WRONG["too high"])
    await asyncio.gather(*(rove(random.Random(n)) for n in range(5, 10)), look())
    assert await kept(stage) == await counted(stage)
    await stage.sql("DELETE FROM reservations WHERE operator_id = ANY(:p)", p=people)
