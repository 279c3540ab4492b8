"""`raise` and `stop`: an item's end, with and without failure."""

from domain.definitions.shapes import Raise, Stop
from domain.walks.courses import Course
from domain.walks.interrupts import Ended
from domain.walks.ports import StepError
from domain.walks.traces import Entry


async def do_raise(course: Course, step: Raise, entry: Entry) -> None:
    raise StepError(step.raise_.error, course.text(step.raise_.message, entry.now))


async def do_stop(course: Course, step: Stop, entry: Entry) -> None:
    message = step.stop.message
    raise Ended(step.stop.status, None if message is None else course.text(message, entry.now))
