"""A calendar is never removed from under a topic that is just naming it, nor named while it is removed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import InUseError, InvalidError, NotFoundError
from domain.walks.ports import StepError
from store import calendars, topic_tree
from store.calendars import working_moment
from store.transactions import Work, transact

HOURS = {"zone": "Europe/Kyiv", "weekly": {"mon": ["09:00-18:00"]}}


async def _made(sessions, key: str) -> str:
    await transact(sessions, lambda work: calendars.add(work, {"key": key, "name": key, **HOURS}, by=None))
    return key


@pytest.mark.parametrize("first", ["named", "removed"])
async def test_who_comes_first_wins(sessions, first):
    key, entered, go_on = await _made(sessions, f"first-{first}"), asyncio.Event(), asyncio.Event()

    async def name(work: Work) -> None:
        await topic_tree.add(work, {"key": f"t-{key}", "name": "T", "calendar": key})

    async def remove(work: Work) -> None:
        await calendars.remove(work, key)

    one, other = (name, remove) if first == "named" else (remove, name)

    async def held(work: Work) -> None:
        await one(work)
        entered.set()
        await go_on.wait()

    leading = asyncio.create_task(transact(sessions, held))
    await entered.wait()
    following = asyncio.create_task(transact(sessions, other))
    await asyncio.sleep(0.3)
    assert not following.done()
    go_on.set()
    await leading
    with pytest.raises(InUseError if first == "named" else InvalidError):
        await following


async def test_a_step_is_told_when_the_time_has_passed_or_why_it_never_will(sessions):
    key = await _made(sessions, "mondays")
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    async with sessions() as session:
        assert await working_moment(session, key, start, 1.5) == datetime(2026, 11, 23, 7, 0, 1, 500_000, tzinfo=UTC)
        with pytest.raises(StepError) as never:
            await working_moment(session, key, start, timedelta(days=365 * 29).total_seconds())
        assert (never.value.type, never.value.details["code"]) == ("invalid", "no_working_time")
        with pytest.raises(StepError) as unknown:
            await working_moment(session, "nowhere", start, 1)
        assert unknown.value.type == "not_found"
        with pytest.raises(NotFoundError):
            await calendars.get_calendar(session, "nowhere")
