"""Waits by a calendar, on the real stack: the hours that count are waited for, and no others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain.calendars.reading import DAYS, calendar_of
from domain.calendars.reckoning import add_working
from store import calendars
from store.transactions import Work, transact
from tests.launching import items_of, rows, run_ended
from tests.runs import Runs
from tests.stack import Shop

WHOLE = {"zone": "Europe/Kyiv", "weekly": {day: ["00:00-24:00"] for day in DAYS}}
OFFICE = {"zone": "Europe/Kyiv", "weekly": {day: ["09:00-13:00", "14:00-18:00"] for day in DAYS[:5]}}
PAUSE = "do: [{{ id: pause, wait: {{ for: {span}, calendar: {calendar} }} }}]"


async def _calendar(runs: Runs, body: dict[str, Any]) -> str:
    key = runs.shop.key("hours")

    async def story(work: Work) -> None:
        await calendars.add(work, {"key": key, "name": key, **body}, by=None)

    await transact(runs.sessions, story)
    return key


async def test_a_wait_of_working_time_goes_on_while_it_counts(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id, status = await runs.run(PAUSE.format(span="1s", calendar=await _calendar(runs, WHOLE)))
    assert (status, await runs.trace(run_id)) == ("succeeded", [("pause", "succeeded")])


async def test_a_wait_of_office_hours_ends_when_the_office_has_been_open_for_so_long(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id = await runs.launch(await runs.publish(PAUSE.format(span="20h", calendar=await _calendar(runs, OFFICE))))
    (item,) = await runs.waiting(run_id)
    (asked,) = await rows(runs.sessions, "SELECT clock_timestamp() AS now")
    until = datetime.fromisoformat(item.waits_for["until"])
    expected = add_working(calendar_of(OFFICE), asked.now, timedelta(hours=20))
    assert expected - timedelta(minutes=1) <= until <= expected
    await runs.command("cancel", run_id, "now")
    assert await run_ended(runs.sessions, run_id) == "cancelled"


async def test_a_wait_by_a_calendar_that_is_gone_fails_its_step(shop: Shop) -> None:
    runs = await Runs(shop).open()
    run_id, status = await runs.run(PAUSE.format(span="1h", calendar="nowhere"))
    (item,) = await items_of(runs.sessions, run_id)
    assert (status, item.error_type, item.error_step) == ("failed", "not_found", "pause")


async def test_a_dry_run_knows_the_calendar_too(shop: Shop) -> None:
    runs = await Runs(shop).open()
    for calendar, state in ((await _calendar(runs, OFFICE), "succeeded"), ("nowhere", "failed")):
        key = await runs.publish(PAUSE.format(span="2h", calendar=calendar), name=f"dry-{state}")
        run_id = await runs.launch(key, is_dry=True)
        await run_ended(runs.sessions, run_id)
        assert await runs.states(run_id) == [state]
