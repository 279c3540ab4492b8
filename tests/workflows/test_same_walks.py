"""The same walk in memory and in a workflow: random definitions end alike and leave the same trace."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from domain.definitions.steps import KINDS
from domain.durations import parse_duration
from domain.walks.ports import StepRecord
from domain.walks.rehearsals import Played, rehearse_once
from tests.domain.walks.strategies import Scene, scenes
from tests.workflows.conftest import until
from tests.workflows.items import ItemHouse
from worker import worker_for
from workflows import options

#: side by side the order of the steps is not told by the definition
KINDS_IN_ORDER = frozenset(KINDS) - {"fork"}
#: no deadline falls on the end of a wait: in a workflow the time between two steps is short, but not nothing
DEADLINES = {"1s": "7s", "30s": "47s", "10m": "13m", "2h": "3h7m", "1d": "1d5h"}
BESIDE = timedelta(milliseconds=500)


def fit(scene: Scene) -> Scene:
    canonical = _fit(scene.brief.canonical)
    listens = set(_ids(canonical, "listen"))
    mocks = {step: mock for step, mock in scene.mocks.items() if step not in listens and not isinstance(mock, list)}
    return replace(scene, brief=replace(scene.brief, canonical=canonical), mocks=mocks)


def _fit(value: Any) -> Any:
    if isinstance(value, list):
        return [_fit(one) for one in value]
    if not isinstance(value, dict):
        return value
    fitted = {name: _fit(one) for name, one in value.items()}
    if "timeout" in fitted:
        fitted["timeout"] = DEADLINES.get(fitted["timeout"], fitted["timeout"])
    if "concurrency" in fitted:
        fitted["concurrency"] = 1
    if fitted.get("call") == "transfer":
        fitted |= {"call": "get_dialog", "with": {}}
    return fitted


def _ids(value: Any, kind: str) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in _ids(one, kind)]
    if not isinstance(value, dict):
        return []
    own = [value["id"]] if kind in value and "id" in value else []
    return own + [found for one in value.values() for found in _ids(one, kind)]


def told(record: StepRecord) -> tuple[Any, ...]:
    error = record.error["type"] if record.error else None
    return record.path, record.kind, record.status, record.attempts, error


async def play(env: WorkflowEnvironment, scene: Scene) -> ItemHouse:
    """The item in a workflow; events happen when the clock says so."""
    house = ItemHouse(scene.brief, scene.mocks)
    async with worker_for(env.client, options.MASS, house.activities):
        handle = await house.start(env)
        begun = await env.get_current_time()
        for after, name, payload in sorted(scene.events, key=lambda event: parse_duration(event[0])):
            if house.outcome is not None:
                break
            moment = begun + parse_duration(after) + BESIDE
            await env.sleep(max(timedelta(0), moment - await env.get_current_time()))
            house.hear(name, moment.isoformat(), **payload)
            looks = house.looks
            with contextlib.suppress(RPCError):  # it has ended meanwhile
                await handle.signal("ring")
            await until(lambda: house.outcome is not None or house.looks > looks)  # noqa: B023
        await asyncio.wait_for(handle.result(), 30)
    return house


# The same definitions every time: two deadlines that fall together by chance may pass in either order.
@settings(
    derandomize=True,
    max_examples=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(scene=scenes(KINDS_IN_ORDER))
async def test_a_workflow_walks_as_the_memory_does(env: WorkflowEnvironment, scene: Scene) -> None:
    scene = fit(scene)
    events = [Played(parse_duration(after) + BESIDE, name, payload) for after, name, payload in scene.events]
    expected = rehearse_once(scene.brief, scene.mocks, events)
    house = await play(env, scene)
    assert house.outcome is not None
    assert [told(house.records[n]) for n in sorted(house.records)] == [told(record) for record in expected.records]
    outcome = house.outcome
    assert (outcome.state, outcome.error_type, outcome.error_step) == (
        expected.outcome.state, expected.outcome.error_type, expected.outcome.error_step,
    )  # fmt: skip
