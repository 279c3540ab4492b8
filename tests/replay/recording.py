"""Keeps histories of workflows beside this file, without who and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowExecutionStatus

from tests.stack import Stack, eventually
from workflows import options

RUNS = "SELECT run_id FROM workflow_runs WHERE workflow_id = :w ORDER BY started_at"


class Recorder:
    """Keeps what happened under the name of its path."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack, self._folder = stack, folder

    async def keep(self, name: str, workflow_id: str, *, run_id: str | None = None) -> None:
        client = await self._stack.connect()
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        kept = {
            "workflow_id": workflow_id,
            "renew_at": options.RENEW_AT,
            "history": anonymous(json.loads(history.to_json())),
        }
        (self._folder / f"{name}.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")

    async def ended(self, workflow_id: str) -> None:
        handle = (await self._stack.connect()).get_workflow_handle(workflow_id)

        async def is_over() -> bool:
            return (await handle.describe()).status != WorkflowExecutionStatus.RUNNING

        await eventually(is_over)


def anonymous(told: Any) -> Any:
    """Without who and where: names of machines and processes, and where files lay."""
    if isinstance(told, dict):
        return {k: "worker" if k == "identity" else "" if k == "stackTrace" else anonymous(v) for k, v in told.items()}
    return [anonymous(item) for item in told] if isinstance(told, list) else told
