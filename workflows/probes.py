"""A workflow that only answers: proof that a worker is there, end to end."""

from temporalio import workflow


@workflow.defn
class ProbeWorkflow:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def alive(self) -> bool:
        return True
