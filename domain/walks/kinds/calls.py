"""`call` and `emit`: the steps with effects."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.actions.fields import ANY_ID
from domain.actions.manifests import Manifest, Placement, Retry
from domain.definitions.shapes import Call, Emit
from domain.definitions.shapes import Retry as WrittenRetry
from domain.picks import redacted
from domain.topologies import waits_for_transfer
from domain.walks.courses import Course, seconds_in, span_of
from domain.walks.kinds.transfers import end_of_transfer
from domain.walks.ports import Deed, StepError
from domain.walks.sizes import MOST_PARAMS, MOST_RESULT, size_of
from domain.walks.traces import Entry

#: steps of these are seen in the trace while they go on
_SLOW = (Placement.OUTSIDE, Placement.SEND)
_ASKS_ONLY = ("GET", "HEAD")
_SENT = ("query", "headers", "body")


async def do_call(course: Course, step: Call, entry: Entry) -> dict[str, Any]:
    manifest = course.walk.actions.get(step.call)
    if manifest is None:
        raise StepError("invalid", f"there is no action '{step.call}'")
    params = {**course.params(step.with_, entry.now), **_taken_away(manifest, step.with_)}
    result = await _done(course, manifest, params, step.retry, entry)
    if waits_for_transfer(step) and entry.inputs.get("wait") is True:
        return await end_of_transfer(course, result, entry)
    return result


def _taken_away(manifest: Manifest, written: Mapping[str, Any]) -> dict[str, None]:
    """A null that is written out where something must be given is meant: set_topic takes the topic away. One that an
    expression comes to is not: nothing is taken away because a value happened to be missing.
    """
    fields = manifest.params.model_fields
    return {
        name: None for name, value in written.items() if value is None and name in fields and fields[name].is_required()
    }


async def do_emit(course: Course, step: Emit, entry: Entry) -> dict[str, Any]:
    data = course.params(step.emit.data, entry.now)
    return await _done(course, course.walk.actions["emit"], {"event": step.emit.event, "data": data}, step.retry, entry)


async def _done(
    course: Course, manifest: Manifest, params: dict[str, Any], retry: WrittenRetry | None, entry: Entry
) -> dict[str, Any]:
    entry.inputs = _shown(course, manifest, params)
    if size_of(params) > MOST_PARAMS:
        raise StepError("limit", f"the parameters are larger than {MOST_PARAMS // 1024} KB")
    checked = _checked(manifest, params, ANY_ID if course.walk.takes_any_id else None)
    if manifest.placement is Placement.NONE:
        return manifest.simulate(checked, course.scope.names)
    if manifest.placement in _SLOW:
        course.walk.tracer.write(course.effects, entry, "running", None)
    names = course.scope.names
    done = await course.effects.act(
        Deed(
            key=f"{course.walk.brief.item_key}:{entry.path}",
            action=manifest.name,
            params=params,
            step=entry.step,
            path=entry.path,
            retry=_retry(manifest, params, retry),
            timeout=course.left(entry.now),
            dialog_id=names["dialog"].get("id"),
            contact_id=names["contact"].get("id"),
            revision=names["dialog"].get("revision"),
        )
    )
    entry.attempts = done.attempts
    if done.snapshot is not None:
        course.scope.take(done.snapshot)
    if size_of(done.result) > MOST_RESULT:
        raise StepError("limit", f"the result is larger than {MOST_RESULT // 1024} KB", attempts=done.attempts)
    return done.result


def _shown(course: Course, manifest: Manifest, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters as the trace has them: what the connection hides of answers, it hides of requests, too."""
    names = course.walk.brief.redact.get(str(params.get("connection"))) if manifest.name == "http" else None
    if not names:
        return params
    hidden = frozenset(names)
    return {name: redacted(value, hidden) if name in _SENT else value for name, value in params.items()}


def _checked(manifest: Manifest, params: dict[str, Any], context: dict[str, Any] | None) -> BaseModel:
    try:
        return manifest.params.model_validate(params, context=context)
    except ValidationError as error:
        errors = [{"parameter": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()[:10]]
        first = errors[0]
        raise StepError(
            "invalid", f"parameter '{first['parameter']}': {first['message']}", details={"errors": errors}
        ) from None


def _retry(manifest: Manifest, params: dict[str, Any], written: WrittenRetry | None) -> Retry:
    """A call that is not known to be safe to repeat is made once, whatever is written."""
    if manifest.name == "http" and params.get("method") not in _ASKS_ONLY and not params.get("idempotent"):
        return Retry(max_attempts=1)
    if written is None:
        return manifest.retry
    return Retry(
        max_attempts=written.max_attempts,
        initial=seconds_in(span_of(written.initial)),
        factor=written.factor,
        longest=seconds_in(span_of(written.max)),
        on=manifest.retry.on if written.on is None else frozenset(written.on),
    )
