"""`set`: all right sides read the old values, then they are written together."""

from typing import Any

from domain.definitions.shapes import Set
from domain.walks.courses import Course
from domain.walks.traces import Entry


async def do_set(course: Course, step: Set, entry: Entry) -> dict[str, Any]:
    values = {name: course.value(source, entry.now) for name, source in step.set.items()}
    written = {name: course.plain(value) for name, value in values.items()}
    entry.branch = {"before": {name: course.plain(course.scope.vars.get(name)) for name in values}}
    course.scope.write(values, written)
    return written
