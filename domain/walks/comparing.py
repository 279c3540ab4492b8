"""What a test expected against what happened, in words (PROCESS_LANGUAGE 12)."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from domain.definitions.canonical import is_generated
from domain.definitions.shapes import Expectation
from domain.durations import format_duration
from domain.walks.ports import Outcome, StepRecord


def differences(
    expected: Expectation, outcome: Outcome, path: Sequence[str], calls: Mapping[str, int], took: timedelta
) -> list[str]:
    """One line for everything that differs. What is not said is not compared."""
    found: list[str] = []

    def compare(what: str, wanted: Any, was: Any) -> None:
        if wanted != was or isinstance(wanted, bool) is not isinstance(was, bool):
            found.append(f"{what}: expected {_shown(wanted)}, was {_shown(was)}")

    if expected.status is not None:
        compare("status", expected.status, outcome.state)
    if expected.error is not None:
        compare("error", str(expected.error), outcome.error_type)
    if expected.message is not None:
        compare("message", str(expected.message), outcome.message)
    if expected.path is not None:
        named = set(expected.path)
        compare("path", list(expected.path), [step for step in path if step in named or not is_generated(step)])
    for action, count in expected.calls.items():
        compare(f"calls of {action}", count, calls.get(action, 0))
    outputs = {output["id"]: output["value"] for output in outcome.outputs}
    for name, value in expected.outputs.items():
        if name in outputs or value is not None:
            compare(f"output {name}", value, outputs.get(name))
    if expected.took is not None and expected.took.span != took:
        found.append(f"took: expected {format_duration(expected.took.span)}, was {format_duration(took)}")
    if found and outcome.error_type is not None and expected.error != outcome.error_type:
        found.append(f"it failed with {outcome.error_type}: {outcome.error_message} (step {outcome.error_step})")
    return found


def told(records: Sequence[StepRecord]) -> str:
    """The trace, a line a step."""
    lines = [f"  {record.status:<9} {record.path}{_why(record)}" for record in records]
    return "\n".join(["what happened:", *lines]) if lines else "no step was executed"


def _why(record: StepRecord) -> str:
    if record.error:
        return f" — {record.error.get('type')}: {record.error.get('message')}"
    branch = record.branch if isinstance(record.branch, Mapping) else {}
    if record.status == "skipped" and "if" in branch:
        return f" — {branch['if']} is false: {_shown(branch.get('values'))}"
    return f" — case {branch['case']}" if "case" in branch else ""


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:199] + "…"
