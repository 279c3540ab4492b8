"""Recorded histories of every workflow and path still play on the code as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.replay.changed import ChangedTransferWorkflow
from worker import WORKFLOWS, runner
from workflows import options
from workflows.converting import DATA_CONVERTER

RECORDED = sorted(Path(__file__).parent.glob("*.json"), key=lambda path: path.name)


def load(path: Path) -> tuple[WorkflowHistory, int]:
    """The history, and the length at which its run was renewed."""
    kept = json.loads(path.read_text())
    return WorkflowHistory.from_json(kept["workflow_id"], kept["history"]), kept["renew_at"]


def replayer(workflows: Sequence[type]) -> Replayer:
    return Replayer(workflows=workflows, data_converter=DATA_CONVERTER, workflow_runner=runner())


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_it_still_plays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history, renew_at = load(path)
    monkeypatch.setattr(options, "RENEW_AT", renew_at)
    await replayer(WORKFLOWS).replay_workflow(history)


def test_every_workflow_is_recorded() -> None:
    recorded = {load(path)[0].events[0].workflow_execution_started_event_attributes.workflow_type.name
                for path in RECORDED}  # fmt: skip
    assert recorded == {workflow.__name__ for workflow in WORKFLOWS}


async def test_a_change_that_breaks_running_workflows_is_noticed() -> None:
    history, _ = load(Path(__file__).with_name("transfer_expired.json"))
    with pytest.raises(NondeterminismError):
        await replayer([ChangedTransferWorkflow]).replay_workflow(history)
