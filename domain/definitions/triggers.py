"""What starts a definition. Each trigger has exactly one of `manual`, `event`, `schedule`, `webhook`."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from domain.definitions.scalars import Condition, Cron, Duration, Id, Key, Line, Name, Shape, Text, Value

Place = Literal["table", "folder", "dialog", "operator", "contact", "button"]


class Origins(Shape):
    from_: Annotated[tuple[Place, ...], Field(min_length=1, alias="from")]


class Timetable(Shape):
    cron: Cron
    timezone: Line = "UTC"
    overlap: Literal["skip", "queue"] = "skip"
    jitter: Duration | None = None


class Hook(Shape):
    """`secret` names a stored secret; `dedupe` a header, or a field of the body, that makes a delivery unique."""

    path: Name
    secret: Key
    dedupe: Line | None = None


class ManualTrigger(Shape):
    manual: Origins


class EventTrigger(Shape):
    """`once_per`: at most once in that time for one `once_key` (else for one target)."""

    event: str
    if_: Condition | None = Field(None, alias="if")
    once_per: Duration | None = None
    once_key: Text | None = None
    inputs: dict[Id, Value] = Field(default_factory=dict)


class ScheduleTrigger(Shape):
    schedule: Timetable
    inputs: dict[Id, Value] = Field(default_factory=dict)


class WebhookTrigger(Shape):
    """An input that `inputs` does not name is taken from the body's field of its name."""

    webhook: Hook
    if_: Condition | None = Field(None, alias="if")
    inputs: dict[Id, Value] = Field(default_factory=dict)


TRIGGERS: dict[str, type[Shape]] = {
    "manual": ManualTrigger,
    "event": EventTrigger,
    "schedule": ScheduleTrigger,
    "webhook": WebhookTrigger,
}


def _tag(value: Any) -> str | None:
    if isinstance(value, Shape):
        return next(("trigger:" + kind for kind, shape in TRIGGERS.items() if isinstance(value, shape)), None)
    found = [kind for kind in TRIGGERS if kind in value] if isinstance(value, dict) else []
    return "trigger:" + found[0] if len(found) == 1 else None


Trigger = Annotated[
    Annotated[ManualTrigger, Tag("trigger:manual")]
    | Annotated[EventTrigger, Tag("trigger:event")]
    | Annotated[ScheduleTrigger, Tag("trigger:schedule")]
    | Annotated[WebhookTrigger, Tag("trigger:webhook")],
    Discriminator(_tag),
]
