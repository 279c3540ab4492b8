"""`run`: another definition."""

from typing import Any

from domain.definitions.shapes import Errand, Run
from domain.walks.courses import Course
from domain.walks.ports import StepError, SubRun, lock_key
from domain.walks.traces import Entry

_ENDED_WELL = frozenset({"succeeded", "partially_failed", "queued", "running", "awaiting_approval", "paused"})
_ERRORS = {"cancelled": "cancelled", "rejected": "approval_rejected"}


async def do_run(course: Course, step: Run, entry: Entry) -> dict[str, Any]:
    """The child's outputs, `run_id` and `status`. A child that failed fails the step with the child's error."""
    errand = step.run
    kind = "process" if errand.process is not None else "macro"
    inputs = course.params(errand.inputs, entry.now)
    entry.inputs = inputs
    version = _version(course, errand, kind)
    course.walk.tracer.write(course.effects, entry, "running", None)
    selection = errand.selection
    ended = await course.effects.run(
        SubRun(
            key=f"{course.walk.brief.item_key}:{entry.path}",
            step=entry.step,
            path=entry.path,
            kind=kind,
            name=errand.name,
            version=version,
            inputs=inputs,
            mode=errand.mode,
            selection=None
            if selection is None
            else course.params(selection.model_dump(mode="json", by_alias=True, exclude_unset=True), entry.now),
            timeout=course.left(entry.now),
        )
    )
    entry.branch = {"run_id": ended.run_id, "version": version}
    if errand.mode == "wait" and ended.status not in _ENDED_WELL:
        error = ended.error or {}
        raise StepError(
            error.get("type") or _ERRORS.get(ended.status, "internal"),
            error.get("message") or f"'{errand.name}' ended as {ended.status}",
            details={"run_id": ended.run_id, "status": ended.status},
        )
    return {**ended.outputs, "run_id": ended.run_id, "status": ended.status}


def _version(course: Course, errand: Errand, kind: str) -> int:
    if isinstance(errand.version, int):
        return errand.version
    version = course.walk.brief.locks.get(lock_key(kind, errand.name, errand.version))
    if not isinstance(version, int):
        raise StepError("not_found", f"no version of '{errand.name}' was settled when this run began")
    return version
