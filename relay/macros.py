"""A macro is started by whoever launched it, and waited for: nobody should look twice for what takes a moment."""

import asyncio
from datetime import timedelta
from uuid import UUID

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import Priority, TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from domain import workflow_ids
from domain.run_messages import MacroStart
from domain.walks.ports import Outcome
from relay.ringing import RUN_KIND, tagged
from workflows import options

WITHIN = timedelta(seconds=60)
_RPC = timedelta(seconds=5)


async def play(client: Client, run_id: UUID, *, within: timedelta = WITHIN) -> Outcome | None:
    """Start the workflow of a macro that was launched, and wait for its end; None when that takes longer, or nobody
    answers. The rows tell the rest either way, and the relay starts what could not be started here.
    """
    workflow_id = workflow_ids.of_macro(run_id)
    attributes: TypedSearchAttributes = tagged(RUN_KIND, "macro")
    try:
        await client.start_workflow(
            "MacroWorkflow", MacroStart(run_id), id=workflow_id, task_queue=options.INTERACTIVE,
            task_timeout=options.TASK_TIMEOUT, search_attributes=attributes, rpc_timeout=_RPC,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE, priority=Priority(priority_key=1),
        )  # fmt: skip
    except WorkflowAlreadyStartedError:
        pass
    except RPCError:
        return None
    handle = client.get_workflow_handle(workflow_id, result_type=Outcome)
    try:
        return await asyncio.wait_for(handle.result(), within.total_seconds())
    except (TimeoutError, RPCError, WorkflowFailureError):
        return None
