"""The records of a walk: numbered, redacted, cut to size."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.definitions.shapes import InputField
from domain.expressions.values import format_moment
from domain.walks.ports import Effects, StepRecord
from domain.walks.sizes import MOST_ANSWER, MOST_BRANCH, MOST_ERROR, MOST_INPUTS, MOST_RECORDS, cut

MASK = "•••"
#: shorter secrets are masked only where they are the whole value, or every text would be full of holes
SHORT = 4


class Masks:
    """Hides the values of sensitive inputs wherever they turn up in a record."""

    def __init__(self, inputs: Mapping[str, Any], fields: Mapping[str, InputField]) -> None:
        secret: set[str] = set()
        for name, field in fields.items():
            if field.sensitive:
                secret.update(_texts(inputs.get(name)))
        self._whole = frozenset(secret)
        self._parts = sorted((text for text in secret if len(text) >= SHORT), key=lambda text: (-len(text), text))

    def hide(self, value: Any) -> Any:
        return self._hidden(value) if self._whole else value

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._hidden(key): self._hidden(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(one) for one in value]
        if value is None or isinstance(value, bool):
            return value
        if str(value) in self._whole:
            return MASK
        if isinstance(value, str):
            for part in self._parts:
                value = value.replace(part, MASK)
        return value


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    return [] if value is None or isinstance(value, bool) or value == "" else [str(value)]


class Entry:
    """What a step has to tell so far. `extras` stand beside `result` in `steps.<id>`."""

    __slots__ = ("attempts", "branch", "extras", "inputs", "kind", "n", "now", "path", "step", "title")

    def __init__(self, n: int, step: str, path: str, kind: str, title: str | None, now: datetime) -> None:
        self.n = n
        self.step = step
        self.path = path
        self.kind = kind
        self.title = title
        self.now = now
        self.attempts = 1
        self.inputs: Any = None
        self.branch: Any = None
        self.extras: dict[str, Any] = {}


class Tracer:
    """Gives records their numbers. After MOST_RECORDS - 1 of them comes one that says so, and then nothing."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._last = 0

    def open(self, step: str, path: str, kind: str, title: str | None, now: datetime) -> Entry:
        self._last += 1
        return Entry(self._last, step, path, kind, title, now)

    def write(
        self,
        effects: Effects,
        entry: Entry,
        status: str,
        at: datetime | None,
        *,
        result: Any = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        """`at`: when it ended, None while it runs."""
        started = format_moment(entry.now)
        if entry.n >= MOST_RECORDS:
            if entry.n == MOST_RECORDS:
                title = f"more than {MOST_RECORDS - 1} steps: the rest is not recorded"
                effects.record(
                    StepRecord(entry.n, entry.step, entry.path, "cut", "skipped", started, started, title=title)
                )
            return
        hide = self._masks.hide
        effects.record(
            StepRecord(
                n=entry.n,
                step=entry.step,
                path=entry.path,
                kind=entry.kind,
                status=status,
                started_at=started,
                finished_at=None if at is None else format_moment(at),
                title=entry.title,
                attempts=entry.attempts,
                inputs=cut(hide(entry.inputs), MOST_INPUTS),
                result=cut(hide(result), MOST_ANSWER),
                branch=cut(hide(entry.branch), MOST_BRANCH),
                error=cut(hide(error), MOST_ERROR),
            )
        )
