"""What an item shows when it is done. Nothing in here can fail an item that has succeeded."""

from collections.abc import Mapping
from typing import Any

from domain.definitions.shapes import Output
from domain.walks.courses import Course
from domain.walks.ports import StepError
from domain.walks.sizes import LONGEST_MESSAGE, MOST_RESULT, size_of

_MISSING = frozenset({"R320", "R321"})


def outputs_of(course: Course, outputs: Mapping[str, Output]) -> list[dict[str, Any]]:
    """In the order of the definition. A value that is missing, or cannot be read, hides its output."""
    shown: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    room = MOST_RESULT
    now = course.effects.now()
    for name, output in outputs.items():
        try:
            if output.show_if is not None and not course.test(output.show_if, now):
                continue
            value = course.plain(course.value(output.value, now))
        except StepError as error:
            if error.details.get("code") not in _MISSING:
                refused[name] = error.message
            continue
        room -= size_of(value)
        if room < 0:
            refused[name] = f"the outputs together are larger than {MOST_RESULT // 1024} KB"
            break
        if value is not None:
            shown.append(_shown(name, output, course.walk.masks.hide(value)))
    if refused:
        entry = course.walk.tracer.open("outputs", "outputs", "outputs", None, now)
        course.walk.tracer.write(course.effects, entry, "failed", now, error={"type": "expression", "details": refused})
    return shown


def _shown(name: str, output: Output, value: Any) -> dict[str, Any]:
    return {
        "id": name, "label": output.label, "value": value, "display": output.display, "copy": output.copy_,
        "insert": output.insert,
    }  # fmt: skip


def message_of(course: Course, message: str | None) -> str | None:
    if message is None:
        return None
    try:
        return told(course, course.text(message, course.effects.now()))
    except StepError:
        return None


def told(course: Course, text: str | None) -> str | None:
    """A text as everybody may read it who sees the item: without the values of sensitive inputs, not too long."""
    hidden: str | None = course.walk.masks.hide(text)
    if hidden is None or len(hidden) <= LONGEST_MESSAGE:
        return hidden
    return hidden[: LONGEST_MESSAGE - 1] + "…"
