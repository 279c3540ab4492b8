"""Workers of two builds: a dialog stays with the build that began it and moves on with its next fresh run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from domain import workflow_ids
from domain.commands import DialogStart
from tests.stack import Shop, Stack, eventually
from worker import DEPLOYMENT, activities_of, worker_for

QUEUE = "versioned"


async def make_current(client: Client, build_id: str) -> None:
    """Succeeds once a worker of that build has been seen."""

    async def ask() -> bool:
        try:
            await client.workflow_service.set_worker_deployment_current_version(
                SetWorkerDeploymentCurrentVersionRequest(
                    namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build_id, identity="tests"
                )
            )
        except RPCError:
            return False
        return True

    await eventually(ask)


async def test_a_dialog_moves_to_the_new_build_with_a_fresh_run(
    stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.open("olha")
    await stack.stop_worker()
    monkeypatch.setattr(stack.bells[1], "ring", lambda ids: None)
    heard = await shop.hear("hello")
    dialog_id = UUID(heard.json()["dialog_id"])
    client, activities = await stack.connect(), activities_of(stack.sessions, stack.bells[0])
    me = workflow_ids.of_dialog(dialog_id)
    begun = "SELECT run_id FROM workflow_runs WHERE workflow_id = :w ORDER BY started_at"

    async def runs() -> list[Any]:
        return await stack.rows(begun, w=me)

    async def runs_after_a_ring() -> list[Any]:
        """News of the current version take a moment to reach the queue; then any task tells of it."""
        await client.get_workflow_handle(me).signal("ring")
        return await runs()

    async with worker_for(client, QUEUE, activities, build_id="one"):
        await make_current(client, "one")
        await client.start_workflow("DialogWorkflow", DialogStart(dialog_id), id=me, task_queue=QUEUE)
        await eventually(runs, lambda found: len(found) == 1)
        async with worker_for(client, QUEUE, activities, build_id="two"):
            await make_current(client, "two")
            await eventually(runs_after_a_ring, lambda found: len(found) == 2)
            await stack.write("UPDATE dialogs SET status = 'closed', place = NULL, operator_id = NULL WHERE id = :d",
                              d=dialog_id)  # fmt: skip
            latest = client.get_workflow_handle(me)
            await latest.signal("ring")
            await latest.result()
    described = await latest.describe()
    assert described.raw_description.workflow_execution_info.versioning_info.deployment_version.build_id == "two"
