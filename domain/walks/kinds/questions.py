"""`approve`: people are asked."""

from typing import Any

from domain.definitions.shapes import Approve, InputField
from domain.walks.courses import Course, seconds_in, span_of
from domain.walks.interrupts import Overdue
from domain.walks.ports import Asking, Decided, StepError
from domain.walks.traces import Entry


async def do_approve(course: Course, step: Approve, entry: Entry) -> dict[str, Any]:
    """Rejected (or undecided, by `on_timeout`): fails with approval_rejected unless `on_reject: continue`."""
    question = step.approve
    message = course.text(question.message, entry.now)
    seconds = seconds_in(span_of(question.timeout))
    left = course.left(entry.now)
    entry.inputs = {"message": message, "timeout": str(question.timeout)}
    course.walk.tracer.write(course.effects, entry, "running", None)
    form = question.form
    decided = await course.effects.approve(
        Asking(
            key=f"{course.walk.brief.item_key}:{entry.path}",
            step=entry.step,
            path=entry.path,
            message=message,
            may_decide={name: list(who) for name, who in question.by},
            count=question.count,
            allow_self=question.allow_self,
            seconds=min(seconds, left),
            form=None if form is None else {name: _written(field) for name, field in form.items()},
        )
    )
    timed_out = decided.approved is None
    if timed_out and left < seconds:
        raise Overdue(course.deadline)
    if timed_out and question.on_timeout == "fail":
        raise StepError("timeout", f"nobody decided within {question.timeout}")
    approved = question.on_timeout == "approve" if decided.approved is None else decided.approved
    entry.extras.update(approved=approved, timed_out=timed_out)
    if not approved and question.on_reject == "stop":
        raise StepError("approval_rejected", _rejection(decided), details={"by": decided.by})
    return {
        "approved": approved, "by": decided.by, "at": decided.at, "comment": decided.comment,
        "form": decided.form or {}, "timed_out": timed_out,
    }  # fmt: skip


def _written(field: InputField) -> dict[str, Any]:
    return field.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _rejection(decided: Decided) -> str:
    if decided.approved is None:
        return "nobody decided in time"
    return f"rejected: {decided.comment}" if decided.comment else "rejected"
