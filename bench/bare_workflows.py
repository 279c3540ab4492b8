"""The toy workflow of the baselines, in a file of its own: whatever it imports is imported again per instance."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from temporalio import workflow

from workflows import options

QUEUE = "bench"


@dataclass(frozen=True, slots=True)
class Ask:
    item: UUID
    key: str
    said: str


@workflow.defn
class BareWorkflow:
    """Updates of one transaction each; `close` ends it. With `delivers`, each update is followed by an activity."""

    def __init__(self) -> None:
        self._is_closed = False
        self._rings = 0
        self._outbox: list[Ask] = []

    @workflow.run
    async def run(self, delivers: bool) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._outbox) or self._is_closed)
            while self._outbox:
                await workflow.execute_activity("bare_delivery", self._outbox.pop(0), **options.DELIVERY)
            if self._is_closed:
                await workflow.wait_condition(workflow.all_handlers_finished)
                return

    @workflow.update
    async def command(self, ask: Ask) -> int:
        return await workflow.execute_local_activity("bare_transaction", ask, result_type=int, **options.TRANSACTION)

    @workflow.update
    async def reply(self, ask: Ask) -> int:
        seq = await self.command(ask)
        self._outbox.append(ask)
        return seq

    @workflow.update
    async def close(self, ask: Ask) -> int:
        seq = await self.command(ask)
        self._is_closed = True
        return seq

    @workflow.signal
    def ring(self) -> None:
        self._rings += 1


@workflow.defn
class BareMacroWorkflow:
    """One local activity: what a macro cannot do without."""

    @workflow.run
    async def run(self, ask: Ask) -> int:
        return await workflow.execute_local_activity("bare_transaction", ask, result_type=int, **options.TRANSACTION)


@workflow.defn
class BareItemWorkflow:
    """A transaction, a timer, a transaction."""

    @workflow.run
    async def run(self, ask: Ask) -> int:
        await workflow.execute_local_activity("bare_transaction", ask, result_type=int, **options.TRANSACTION)
        await workflow.sleep(1)
        later = Ask(ask.item, f"{ask.key}-later", ask.said)
        return await workflow.execute_local_activity("bare_transaction", later, result_type=int, **options.TRANSACTION)


@workflow.defn
class BareTimerWorkflow:
    """A timer and nothing else."""

    @workflow.run
    async def run(self, due: str) -> None:
        left = datetime.fromisoformat(due) - workflow.now()
        await workflow.sleep(max(left, timedelta(0)))
