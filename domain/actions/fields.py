"""The small types of action parameters. `x-reference` names what a text refers to: forms offer a choice of it, the
validator looks it up.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, WithJsonSchema

from domain.durations import parse_duration
from domain.expressions.values import format_moment, parse_moment
from domain.messages import LONGEST_TEXT

#: those a new installation has; more may be added
PRIORITIES = ("low", "normal", "high", "critical")
LONGEST_LINE = 300
MOST_FOUND = 200


def _is_stored(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a text may not contain the NUL character")
    text.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return text


def _refers(kind: str, *, longest: int = 200, pattern: str | None = None) -> tuple[Any, ...]:
    return (
        StringConstraints(min_length=1, max_length=longest, pattern=pattern),
        Field(json_schema_extra={"x-reference": kind}),
        AfterValidator(_is_stored),
    )


#: context of a validation in a definition's own tests, where people may be called op_1
ANY_ID = {"any_id": True}


def _is_uuid(text: str, info: ValidationInfo) -> str:
    return text if info.context == ANY_ID else str(UUID(text))


def _is_address(text: str, info: ValidationInfo) -> str:
    kind, colon, rest = text.partition(":")
    if colon and kind in ("role", "team") and rest:
        return text
    try:
        return _is_uuid(text, info)
    except ValueError:
        raise ValueError("write an operator's id, role:NAME or team:NAME") from None


def _is_duration(text: str) -> str:
    parse_duration(text)
    return text


def _said(value: Any) -> Any:
    return format_moment(value) if isinstance(value, datetime) else value


def _is_moment(text: str) -> str:
    if parse_moment(text) is None:
        raise ValueError("write a moment such as 2026-11-22T09:00:00Z")
    return text


Line = Annotated[str, StringConstraints(max_length=LONGEST_LINE), AfterValidator(_is_stored)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_is_stored)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_is_stored)]
Moment = Annotated[str, StringConstraints(max_length=40), BeforeValidator(_said), AfterValidator(_is_moment)]
Duration = Annotated[str, StringConstraints(max_length=50), AfterValidator(_is_duration)]
Link = Annotated[str, StringConstraints(max_length=2000, pattern=r"^(https?://|/)\S*$")]

Operator = Annotated[str, *_refers("operator"), AfterValidator(_is_uuid)]
#: an operator's id, or everybody of `role:NAME`, `team:NAME`
People = Annotated[str, *_refers("people"), AfterValidator(_is_address)]
Team = Annotated[str, *_refers("team")]
Topic = Annotated[str, *_refers("topic")]
Tag = Annotated[str, *_refers("tag")]
TicketStatus = Annotated[str, *_refers("status")]
QuickReply = Annotated[str, *_refers("quick_reply")]
Template = Annotated[str, *_refers("template")]
Channel = Annotated[str, *_refers("channel")]
Connection = Annotated[str, *_refers("connection")]
ContactId = Annotated[str, *_refers("contact"), AfterValidator(_is_uuid)]
Priority = Annotated[str, *_refers("priority", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
TicketType = Annotated[str, *_refers("ticket_type")]
Id = Annotated[str, StringConstraints(max_length=36), AfterValidator(_is_uuid)]

Scope = Literal["dialog", "contact"]
Weight = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
Strategy = Literal["least_loaded", "round_robin", "topic_priority"]
#: any JSON value
Json = Annotated[Any, WithJsonSchema({})]
