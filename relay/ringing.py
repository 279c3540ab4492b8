"""Waking workflows: signal-with-start `ring`, coalesced, after the commit and beside the answer.

A ring may be lost; the rows may not. What nobody rang for is rung by the relay (DECISIONS 1).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
)
from temporalio.service import RPCError, RPCStatusCode

from domain import workflow_ids
from domain.commands import ClocksStart, DialogStart, PresenceStart, TransferStart
from domain.errors import UnavailableError
from domain.run_messages import MacroStart, MassRunStart, ProcessStart
from workflows import options

log = structlog.get_logger("bell")
DIALOG_ID = SearchAttributeKey.for_keyword("DialogId")
RUN_KIND = SearchAttributeKey.for_keyword("RunKind")
OPERATOR = SearchAttributeKey.for_keyword("Operator")
_MASS_WORK = frozenset({workflow_ids.MASS, workflow_ids.PROCESS})
_RPC = timedelta(seconds=5)
_READY_FOR = 1.0

Connect = Callable[[], Awaitable[Client]]


def start_of(workflow_id: str) -> tuple[str, Any, TypedSearchAttributes] | None:
    """Workflow, input and search attributes under which an id is started; None when nobody starts it by ringing."""
    kind, rest = workflow_ids.parse(workflow_id)
    if kind == workflow_ids.DIALOG:
        return "DialogWorkflow", DialogStart(UUID(rest)), tagged(DIALOG_ID, rest)
    if kind == workflow_ids.PRESENCE:
        return "PresenceWorkflow", PresenceStart(UUID(rest)), tagged(OPERATOR, rest)
    if kind == workflow_ids.SLA:
        return "SlaClockWorkflow", ClocksStart(UUID(rest)), tagged(DIALOG_ID, rest)
    if kind == workflow_ids.TRANSFER:
        return "TransferWorkflow", TransferStart(UUID(rest), UUID(int=0)), TypedSearchAttributes.empty
    if kind == workflow_ids.MASS:
        return "MassRunWorkflow", MassRunStart(UUID(rest)), tagged(RUN_KIND, "process")
    if kind == workflow_ids.PROCESS:
        return "ProcessWorkflow", ProcessStart(*workflow_ids.item_of(rest)), tagged(RUN_KIND, "item")
    if kind == workflow_ids.MACRO:
        return "MacroWorkflow", MacroStart(UUID(rest)), tagged(RUN_KIND, "macro")
    return None


def queue_of(workflow_id: str) -> str:
    """Runs and their items have workers of their own: whoever waits for an answer never waits behind them."""
    return options.MASS if workflow_ids.parse(workflow_id)[0] in _MASS_WORK else options.INTERACTIVE


def tagged(key: SearchAttributeKey[str], value: str) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(key, value)])


async def ring(client: Client, workflow_id: str) -> None:
    """Wake one workflow, starting it when it does not run. Raises RPCError."""
    found = start_of(workflow_id)
    if found is None:
        if workflow_ids.parse(workflow_id)[0] == workflow_ids.LAUNCH:
            await _tell_firing(client, workflow_id)
        return
    name, start, attributes = found
    await client.start_workflow(
        name, start, id=workflow_id, task_queue=queue_of(workflow_id), start_signal="ring",
        search_attributes=attributes, task_timeout=options.TASK_TIMEOUT, rpc_timeout=_RPC,
    )  # fmt: skip


async def _tell_firing(client: Client, workflow_id: str) -> None:
    """Only a schedule starts it; one that is gone needs no telling."""
    try:
        await client.get_workflow_handle(workflow_id).signal("ring", rpc_timeout=_RPC)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise


class Bell:
    """Rings in the background, each workflow at most once at a time; knows whether Temporal and a worker answer."""

    def __init__(self, connect: Connect, *, ringers: int = 8) -> None:
        self._connect = connect
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._waiting: dict[str, None] = {}
        self._under_way: set[str] = set()
        self._news = asyncio.Event()
        self._ringers = ringers
        self._tasks: list[asyncio.Task[None]] = []
        self._ready_at = float("-inf")
        self._is_away = False

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._ring_on()) for _ in range(self._ringers)]
        self._tasks.append(asyncio.create_task(self._watch()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def ring(self, ids: Iterable[str]) -> None:
        """Queue rings and return at once. Repeated ids melt into one ring."""
        for workflow_id in ids:
            self._waiting[workflow_id] = None
        if self._waiting:
            self._news.set()

    async def ring_each(self, ids: Iterable[str]) -> set[str]:
        """Ring now, a few at a time, and answer who was reached; ends early when Temporal turns out to be away."""
        waiting, reached = list(ids), set[str]()

        async def ring_on() -> None:
            while waiting:
                workflow_id = waiting.pop(0)
                try:
                    await ring(await self.client(), workflow_id)
                    reached.add(workflow_id)
                except (RPCError, UnavailableError, RuntimeError, TimeoutError) as error:
                    log.warning("ring.lost", workflow_id=workflow_id, error=str(error)[:200])
                    if self._is_away:
                        return

        await asyncio.gather(*(ring_on() for _ in range(self._ringers)))
        return reached

    async def client(self) -> Client:
        """Raises UnavailableError while Temporal cannot be reached."""
        if self._client is not None:
            return self._client
        async with self._connecting:
            if self._client is None:
                try:
                    self._client = await asyncio.wait_for(self._connect(), 3)
                except (RuntimeError, RPCError, TimeoutError, OSError) as error:
                    self._is_away = True
                    raise UnavailableError("The workflow server is away; nothing was started. Try again.") from error
        return self._client

    @property
    def is_away(self) -> bool:
        """True when the last look found Temporal out of reach."""
        return self._is_away

    async def is_ready(self) -> None:
        """A round trip through a worker. Raises UnavailableError."""
        now = asyncio.get_running_loop().time()
        if now - self._ready_at < _READY_FOR:
            return
        client = await self.client()
        try:
            await client.start_workflow(
                "ProbeWorkflow", id=workflow_ids.PROBE, task_queue=options.INTERACTIVE,
                rpc_timeout=timedelta(seconds=2), id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )  # fmt: skip
            handle = client.get_workflow_handle(workflow_ids.PROBE)
            await handle.query("alive", rpc_timeout=timedelta(seconds=4))
        except Exception as error:
            raise UnavailableError("No worker answers.", part="worker") from error
        self._ready_at = asyncio.get_running_loop().time()

    async def _ring_on(self) -> None:
        while True:
            workflow_id = self._next()
            if workflow_id is None:
                self._news.clear()
                await self._news.wait()
                continue
            self._under_way.add(workflow_id)
            try:
                await ring(await self.client(), workflow_id)
            except (RPCError, UnavailableError, RuntimeError, TimeoutError) as error:
                log.warning("ring.lost", workflow_id=workflow_id, error=str(error)[:200])
                await asyncio.sleep(0.2)
            except Exception as error:
                log.error("ring.failed", workflow_id=workflow_id, exc_info=error)
            finally:
                self._under_way.discard(workflow_id)
                if self._waiting:
                    self._news.set()

    def _next(self) -> str | None:
        for workflow_id in self._waiting:
            if workflow_id not in self._under_way:
                del self._waiting[workflow_id]
                return workflow_id
        return None

    async def _watch(self) -> None:
        while True:
            try:
                client = await self.client()
                await client.service_client.check_health(timeout=timedelta(seconds=2))
                self._is_away = False
            except Exception:
                self._is_away = True
                self._ready_at = float("-inf")
            await asyncio.sleep(1)
