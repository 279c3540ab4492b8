"""`call: transfer` with `wait: true`: the offer's end is listened for."""

from datetime import timedelta
from typing import Any

from domain.durations import parse_duration
from domain.topologies import TRANSFER_ENDS
from domain.walks.courses import Course, seconds_in
from domain.walks.interrupts import Overdue
from domain.walks.ports import Deed, Event, Listening
from domain.walks.traces import Entry

#: how much later than its window an offer's end may be told
SLACK = timedelta(minutes=1)


async def end_of_transfer(course: Course, offered: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """The result with `accepted` and `end`. An offer that is only supposed (no id) has no end to wait for."""
    offer = offered.get("offer_id")
    if offer is None or offered.get("accepted") is not None:
        return offered
    window = seconds_in(parse_duration(str(entry.inputs.get("accept_within") or "2m")) + SLACK)
    left = course.left(course.effects.now())

    def is_its_end(event: Event) -> bool:
        return event.event in TRANSFER_ENDS and event.payload.get("transfer_id") == offer

    course.walk.tracer.write(course.effects, entry, "running", None, result=offered)
    heard = await course.effects.listen(
        Listening(entry.step, entry.path, TRANSFER_ENDS, entry.now, min(window, left), is_its_end)
    )
    if not heard and left <= window:
        raise Overdue(course.deadline)
    await _look_again(course, entry)
    end = heard[0].event.removeprefix("transfer.") if heard else None
    return {**offered, "accepted": end == "accepted", "end": end}


async def _look_again(course: Course, entry: Entry) -> None:
    """Whoever accepted holds the dialog now."""
    path = f"{entry.path}/after"
    dialog = course.scope.names["dialog"].get("id")
    left = course.left(course.effects.now())
    key = f"{course.walk.brief.item_key}:{path}"
    done = await course.effects.act(Deed(key, "get_dialog", {}, path, path, timeout=left, dialog_id=dialog))
    if done.snapshot is not None:
        course.scope.take(done.snapshot)
