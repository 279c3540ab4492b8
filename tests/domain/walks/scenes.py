"""Small definitions and how they are walked, in a line each."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from domain.definitions.canonical import canonical_of
from domain.definitions.shapes import Definition
from domain.durations import parse_duration
from domain.walks.ports import Brief, Snapshot, StepRecord
from domain.walks.rehearsals import Played, Rehearsal, rehearse_once
from domain.walks.samples import sample_run, sample_snapshot


def document(do: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """A canonical process."""
    written = {"dsl": 1, "kind": "process", "name": "tried", "title": "Tried", "do": list(do), **more}
    Definition.model_validate(written)
    return canonical_of(written)


def brief_of(
    do: Sequence[Mapping[str, Any]],
    *,
    given: Mapping[str, Any] | None = None,
    snapshot: Snapshot | None = None,
    trigger: Mapping[str, Any] | None = None,
    items: dict[str, Any] | None = None,
    left: dict[str, Any] | None = None,
    locks: dict[str, Any] | None = None,
    **more: Any,
) -> Brief:
    """`given` are the values of inputs, `left` what the phase before left behind; the rest goes into the document."""
    return Brief(
        canonical=document(do, **more),
        inputs=dict(given or {}),
        item_key="run-1:1",
        run=sample_run("tried"),
        trigger=dict(trigger or {}),
        items=items,
        before=left or {},
        snapshot=sample_snapshot("dialog") if snapshot is None else snapshot,
        locks=locks or {},
    )


def walked(
    *do: Mapping[str, Any],
    mocks: Mapping[str, Any] | None = None,
    events: Sequence[tuple[str, str, dict[str, Any]]] = (),
    cancel_after: str | None = None,
    **more: Any,
) -> Rehearsal:
    """The item, walked in memory. An event is (after, name, payload)."""
    played = [Played(parse_duration(after), name, payload) for after, name, payload in events]
    stop: timedelta | None = None if cancel_after is None else parse_duration(cancel_after)
    return rehearse_once(brief_of(do, **more), mocks, played, cancel_after=stop)


def statuses(rehearsal: Rehearsal) -> dict[str, str]:
    """path → status of what is in the trace."""
    return {record.path: record.status for record in rehearsal.records}


def record_of(rehearsal: Rehearsal, path: str) -> StepRecord:
    return next(record for record in rehearsal.records if record.path == path)


def shown(rehearsal: Rehearsal) -> dict[str, Any]:
    """Outputs by id."""
    return {output["id"]: output["value"] for output in rehearsal.outcome.outputs}


def output(**values: Any) -> dict[str, Any]:
    """Outputs that show these expressions."""
    return {name: {"label": name, "value": value} for name, value in values.items()}


def log(step: str, text: Any = "hello", **more: Any) -> dict[str, Any]:
    return {"id": step, "call": "log", "with": {"text": text}, **more}


def tag(step: str, **more: Any) -> dict[str, Any]:
    """A step with an effect."""
    return {"id": step, "call": "add_tag", "with": {"tag": "seen"}, **more}
