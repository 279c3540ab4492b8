"""A small workflow in which everything a history can tell happens, and two runs follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError

SOON = timedelta(seconds=5)


@activity.defn
async def apply_command(request: dict[str, Any]) -> dict[str, Any]:
    return {"status": 200, "answer": {}, "refusal": None, "reactions": request.get("reactions", [])}


@activity.defn
async def deliver_message(message_id: str) -> str:
    if activity.info().attempt == 1:
        raise ApplicationError("the provider is busy")
    return "sent"


@workflow.defn
class ToyChild:
    @workflow.run
    async def run(self) -> int:
        return 1


@workflow.defn
class Toy:
    """Run with how many runs shall follow this one."""

    def __init__(self) -> None:
        self._goes_on = False

    @workflow.run
    async def run(self, left: int) -> str:
        await workflow.execute_local_activity(apply_command, {}, schedule_to_close_timeout=SOON)
        await workflow.wait_condition(lambda: self._goes_on)
        retry = RetryPolicy(initial_interval=timedelta(milliseconds=20))
        await workflow.execute_activity(deliver_message, "m", start_to_close_timeout=SOON, retry_policy=retry)
        await workflow.sleep(timedelta(milliseconds=200), summary="window")
        await workflow.execute_child_workflow(ToyChild.run, id=f"{workflow.info().workflow_id}:{left}")
        await workflow.wait_condition(workflow.all_handlers_finished)
        if left:
            workflow.continue_as_new(left - 1)
        return "ended well"

    @workflow.signal
    def ring(self) -> None:
        self._goes_on = True

    @workflow.update(dynamic=True)
    async def command(self, name: str, args: Sequence[RawValue]) -> dict[str, Any]:
        request = workflow.payload_converter().from_payload(args[0].payload, dict)
        if name == "assign":
            raise ApplicationError("No room.", type="at_capacity", non_retryable=True)
        result: dict[str, Any] = await workflow.execute_local_activity(
            apply_command, request, schedule_to_close_timeout=SOON
        )
        return result
