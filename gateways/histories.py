"""Histories of workflow runs: read backwards from Temporal a few events at a time, or from the copy that was kept."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import UnavailableError
from gateways.payloads import moment, value_of

#: Temporal counts its pages in batches of events, about four a command
BATCHES = 50
KEPT_CHUNK = 200
_RPC = timedelta(seconds=3)
_NO_NAMESPACE = "NamespaceNotFoundFailure"
_STATUS = "WORKFLOW_EXECUTION_STATUS_"


class GoneError(Exception):
    """Temporal no longer has this run."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events in falling order; `token` fetches the same chunk again."""

    token: bytes
    events: Sequence[HistoryEvent]


@dataclass(frozen=True, slots=True)
class Described:
    """How a run stands in Temporal. `tries`: activity id → attempt and last failure of what is under way."""

    run_id: str
    status: str
    started_at: datetime
    closed_at: datetime | None
    tries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        return self.status in ("running", "paused")


async def describe(client: Client, workflow_id: str, run_id: str = "") -> Described:
    """The named run, or the newest. Raises GoneError, UnavailableError."""
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    )
    try:
        answer = await client.workflow_service.describe_workflow_execution(request, timeout=_RPC)
    except RPCError as error:
        raise _told(error) from error
    info = answer.workflow_execution_info
    tries = {
        pending.activity_id: {"attempt": pending.attempt, "last_failure": value_of(pending.last_failure)}
        for pending in answer.pending_activities
    }
    return Described(
        info.execution.run_id,
        WorkflowExecutionStatus.Name(info.status).removeprefix(_STATUS).lower(),
        moment(info.start_time),
        moment(info.close_time) if info.HasField("close_time") else None,
        tries,
    )


async def live_chunks(client: Client, workflow_id: str, run_id: str, token: bytes = b"") -> AsyncGenerator[Chunk, None]:
    """From the newest event down, or on from `token`. Raises GoneError, UnavailableError."""
    while True:
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=BATCHES,
            next_page_token=token,
        )
        try:
            answer = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=_RPC)
        except RPCError as error:
            if token and error.status == RPCStatusCode.INVALID_ARGUMENT:
                # A token of another server version: from the top again; the reader skips what it has.
                token = b""
                continue
            raise _told(error) from error
        yield Chunk(token, answer.history.events)
        token = answer.next_page_token
        if not token:
            return


async def kept_chunks(kept: bytes, before: int = 0) -> AsyncGenerator[Chunk, None]:
    """From the newest event down, or from the one under `before`, so that only what a page needs is decoded."""
    events = thaw(kept)
    end = min(before - 1, len(events)) if before else len(events)
    while end > 0:
        yield Chunk(b"", events[max(0, end - KEPT_CHUNK) : end][::-1])
        end -= KEPT_CHUNK


def thaw(kept: bytes) -> Sequence[HistoryEvent]:
    """About 6 ms for 10,000 events: cheaper than another thread."""
    return History.FromString(zlib.decompress(kept)).events


def freeze(events: Sequence[HistoryEvent]) -> bytes:
    """The whole history with its payloads as they are stored, compressed."""
    return zlib.compress(History(events=events).SerializeToString(), 6)


async def copy_of(client: Client, workflow_id: str, run_id: str) -> tuple[bytes, int]:
    """The frozen history of a closed run and its number of events. Raises GoneError, UnavailableError."""
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    try:
        history = await handle.fetch_history(rpc_timeout=timedelta(seconds=30))
    except RPCError as error:
        raise _told(error) from error
    return await asyncio.to_thread(freeze, history.events), len(history.events)


def _told(error: RPCError) -> Exception:
    """A missing namespace is a broken server, not a run that is gone."""
    is_gone = error.status == RPCStatusCode.NOT_FOUND and _NO_NAMESPACE.encode() not in error.raw_grpc_status
    if is_gone or error.status == RPCStatusCode.INVALID_ARGUMENT:
        return GoneError(error.message)
    return UnavailableError("The workflow server is away. Try again shortly.")
