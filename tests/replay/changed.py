"""An offer's workflow with one thing changed that old histories cannot follow: it waits a moment first."""

import asyncio

from temporalio import workflow

from domain.commands import TransferStart


@workflow.defn(name="TransferWorkflow")
class ChangedTransferWorkflow:
    @workflow.run
    async def run(self, start: TransferStart) -> str:
        await asyncio.sleep(1)
        return "expired"

    @workflow.signal
    def ring(self) -> None: ...
