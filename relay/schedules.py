"""Temporal Schedules kept equal to the schedule triggers of active definitions.

A change of what is active writes a reaction to `schedule:{definition}`; carrying it out compares and mends, so it may
be repeated, and a sweep at start-up finds what was lost with a Temporal of another day.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from domain import workflow_ids
from domain.durations import parse_duration
from domain.run_launches import Firing
from store import schedules
from store.engines import Sessions
from workflows import options

log = structlog.get_logger("relay")

PREFIX = "switchboard"
#: firings that a Temporal that was away may still make up for
CATCH_UP = timedelta(minutes=10)
_RPC = timedelta(seconds=10)
_OVERLAPS = {"skip": ScheduleOverlapPolicy.SKIP, "queue": ScheduleOverlapPolicy.BUFFER_ONE}


async def carry_out_due(sessions: Sessions, client: Client) -> int:
    """Make the schedules of definitions whose triggers changed equal to them; answers how many definitions."""
    due = await schedules.due(sessions)
    for definition, ids in due.items():
        await equalise(client, definition, await schedules.timetables_of(sessions, definition))
        await schedules.finish(sessions, ids)
    return len(due)


async def equalise_all(sessions: Sessions, client: Client) -> None:
    """Every schedule there should be, and none that should not."""
    wanted = await schedules.all_timetables(sessions)
    listed = [definition_of(entry.id) async for entry in await client.list_schedules(page_size=200)]
    for definition in sorted(wanted.keys() | {d for d in listed if d is not None}):
        await equalise(client, definition, wanted.get(definition, {}))


async def equalise(client: Client, definition: str, wanted: Mapping[int, Mapping[str, Any]]) -> None:
    """`wanted`: position of the trigger → its timetable. Raises RPCError."""
    for position in range(schedules.MOST):
        schedule_id = id_of(definition, position)
        if position in wanted:
            await _put(client, schedule_id, schedule_for(definition, position, wanted[position]))
        else:
            await _drop(client, schedule_id)


def id_of(definition: str, position: int) -> str:
    return f"{PREFIX}:{definition}:{position}"


def definition_of(schedule_id: str) -> str | None:
    prefix, _, rest = schedule_id.partition(":")
    return rest.rpartition(":")[0] or None if prefix == PREFIX else None


def schedule_for(definition: str, position: int, timetable: Mapping[str, Any]) -> Schedule:
    """`timetable`: cron, timezone, overlap, jitter, as the definition has them."""
    jitter = timetable.get("jitter")
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "LaunchWorkflow", Firing(definition, position), id=workflow_ids.of_launch(definition, position),
            task_queue=options.MASS, task_timeout=options.TASK_TIMEOUT,
        ),
        spec=ScheduleSpec(
            cron_expressions=[timetable["cron"]], time_zone_name=timetable.get("timezone") or "UTC",
            jitter=parse_duration(jitter) if jitter else None,
        ),
        policy=SchedulePolicy(overlap=_OVERLAPS[timetable.get("overlap") or "skip"], catchup_window=CATCH_UP),
    )  # fmt: skip


async def _put(client: Client, schedule_id: str, schedule: Schedule) -> None:
    try:
        await client.create_schedule(schedule_id, schedule, rpc_timeout=_RPC)
        log.info("schedule.made", id=schedule_id)
    except ScheduleAlreadyRunningError:

        def change(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule)

        await client.get_schedule_handle(schedule_id).update(change, rpc_timeout=_RPC)


async def _drop(client: Client, schedule_id: str) -> None:
    try:
        await client.get_schedule_handle(schedule_id).delete(rpc_timeout=_RPC)
        log.info("schedule.dropped", id=schedule_id)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
