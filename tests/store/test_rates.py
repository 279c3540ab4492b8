"""Turns under a rate limit on a real PostgreSQL: evenly apart, none given twice, however many ask at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.rates import Rate, parse_rate
from store import rates
from store.engines import Sessions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def turn(sessions: Sessions, key: str, rate: Rate, now: datetime = NOW) -> float:
    async with sessions.begin() as session:
        return await rates.reserve(session, key, rate, now)


async def test_turns_lie_evenly_apart_and_a_pause_earns_nothing(sessions: Sessions) -> None:
    rate = parse_rate("4/s")
    assert [await turn(sessions, "a", rate) for _ in range(3)] == pytest.approx([0, 0.25, 0.5])
    later = NOW + timedelta(seconds=60)
    assert [await turn(sessions, "a", rate, later) for _ in range(2)] == pytest.approx([0, 0.25])


async def test_of_those_who_ask_at_once_each_gets_a_turn_of_its_own(sessions: Sessions) -> None:
    turns = await asyncio.gather(*(turn(sessions, "b", parse_rate("60/m")) for _ in range(30)))
    assert sorted(turns) == pytest.approx(list(range(30)))


async def test_what_the_other_side_closes_stays_closed_until_then(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await rates.close(session, "c", NOW, 30)
        await rates.close(session, "c", NOW, 5)
        assert await rates.closed_for(session, "c", NOW) == pytest.approx(30)
        assert await rates.closed_for(session, "c", NOW + timedelta(seconds=31)) == 0
        assert await rates.closed_for(session, "none", NOW) == 0
    assert await turn(sessions, "c", parse_rate("10/s")) == pytest.approx(30)
    assert await turn(sessions, "c", parse_rate("10/s")) == pytest.approx(30.1)
