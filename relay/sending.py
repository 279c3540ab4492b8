"""Sending a command to its workflow, by whoever asks: the API first, the relay again for what was answered 202."""

import asyncio
from datetime import timedelta

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain import workflow_ids
from domain.commands import DialogStart, Outcome, Request, TransferStart
from domain.transfers import Offer
from relay.ringing import DIALOG_ID, tagged
from store import commands
from store.engines import Sessions
from store.tables import Dialog, Transfer
from workflows import options
from workflows.renewals import TURNING

_NO_SUCH_RUN = (RPCStatusCode.NOT_FOUND, RPCStatusCode.ABORTED, RPCStatusCode.FAILED_PRECONDITION)
_TURN = 0.1
_RUN_ENDED = "AcceptedUpdateCompletedWorkflow"


class AnswerPendingError(Exception):
    """Nobody can say yet what became of the command: it may still be carried out."""


def workflow_of(request: Request) -> str:
    if request.transfer_id is not None:
        return workflow_ids.of_transfer(request.transfer_id)
    return workflow_ids.of_dialog(request.dialog_id)


async def send(client: Client, sessions: Sessions, request: Request, *, within: timedelta) -> Outcome:
    """Speak the command to its workflow and answer its outcome, refusals included.

    A workflow that is not running (closed dialog, offer not begun or over) is started for it, or the row answers.
    Raises AnswerPendingError when no answer came `within` the time.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + within.total_seconds()
    while True:
        try:
            outcome = await _update(client, request, within)
            break
        except _TurningError:
            if clock() > until:
                raise AnswerPendingError from None
            await asyncio.sleep(_TURN)
    if outcome is not None:
        return outcome
    if stored := await commands.find_result(sessions, request.caller, request.key):
        return stored
    return await _send_with_start(client, sessions, request, within)


class _TurningError(Exception):
    """The run is about to continue as a new one: the same command a moment later finds that."""


async def _update(client: Client, request: Request, within: timedelta) -> Outcome | None:
    """The outcome, or None when there is no run that could answer."""
    handle = client.get_workflow_handle(workflow_of(request))
    try:
        answer: Outcome = await handle.execute_update(
            request.command.kind, request, id=request.update_id, result_type=Outcome, rpc_timeout=within
        )
        return answer
    except WorkflowUpdateFailedError as failure:
        if isinstance(failure.cause, ApplicationError) and failure.cause.type == TURNING:
            raise _TurningError from None
        return _refused(failure)
    except WorkflowUpdateRPCTimeoutOrCancelledError as late:
        raise AnswerPendingError from late
    except RPCError as error:
        if error.status not in _NO_SUCH_RUN:
            raise AnswerPendingError from error
        return None


async def _send_with_start(client: Client, sessions: Sessions, request: Request, within: timedelta) -> Outcome:
    if not await _has_open_target(sessions, request):
        return (await commands.apply(sessions, request, workflow_of(request)))[0]
    try:
        answer: Outcome = await client.execute_update_with_start_workflow(
            request.command.kind,
            request,
            start_workflow_operation=_start(request),
            id=request.update_id,
            result_type=Outcome,
            rpc_timeout=within,
        )
        return answer
    except WorkflowUpdateFailedError as failure:
        if outcome := _refused(failure):
            return outcome
        raise AnswerPendingError from failure
    except WorkflowAlreadyStartedError:
        return (await commands.apply(sessions, request, workflow_of(request)))[0]
    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise AnswerPendingError from error


def _start(request: Request) -> WithStartWorkflowOperation[object, object]:
    if request.transfer_id is not None:
        return WithStartWorkflowOperation(
            "TransferWorkflow",
            TransferStart(request.transfer_id, request.dialog_id),
            id=workflow_of(request),
            task_queue=options.INTERACTIVE,
            task_timeout=options.TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
    return WithStartWorkflowOperation(
        "DialogWorkflow",
        DialogStart(request.dialog_id),
        id=workflow_of(request),
        task_queue=options.INTERACTIVE,
        task_timeout=options.TASK_TIMEOUT,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=tagged(DIALOG_ID, str(request.dialog_id)),
    )


async def _has_open_target(sessions: Sessions, request: Request) -> bool:
    """Nothing is started for an id that somebody made up, nor for an offer that is over: there the row answers."""
    async with sessions() as session:
        if request.transfer_id is not None:
            transfer = await session.get(Transfer, request.transfer_id)
            return transfer is not None and transfer.state == Offer.PENDING
        return await session.get(Dialog, request.dialog_id) is not None


def _refused(failure: WorkflowUpdateFailedError) -> Outcome | None:
    """The refusal inside a failed update; None when the run ended before it answered."""
    cause = failure.cause
    if not isinstance(cause, ApplicationError) or cause.type == _RUN_ENDED:
        return None
    extra = cause.details[0] if cause.details else {}
    return Outcome(0, {"detail": cause.message, "extra": extra}, cause.type or "refused")
