"""The small types of the definition language: ids, durations, rates, conditions, values.

Durations and rates stay texts (that is what canonical documents hold) and know what they mean: `step.timeout.span`.
A text that cannot be read raises PydanticCustomError whose type is the diagnostic's code.
"""

import json
import re
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    Strict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from domain.durations import parse_duration
from domain.rates import Rate, parse_rate

#: what a text with an expression in it contains
BRACES = ("{{", "{%")


class Shape(BaseModel):
    """Every object of a definition: closed and frozen. Attributes that are Python words end in `_`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


class _Read(str):
    """A text with a meaning; `read` raises ValueError when it has none."""

    code: ClassVar[str]
    schema: ClassVar[dict[str, Any]]

    @classmethod
    def read(cls, value: Any) -> Self:
        if not isinstance(value, str):
            raise PydanticCustomError(cls.code, "{value}", {"value": _shown(value)})
        try:
            cls.check(value)
        except (ValueError, OverflowError):
            raise PydanticCustomError(cls.code, "{value}", {"value": _shown(value)}) from None
        return cls(value)

    @classmethod
    def check(cls, text: str) -> None:
        """Raises ValueError or OverflowError for a text without a meaning."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.read, serialization=core_schema.to_string_ser_schema(when_used="always")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: Any) -> dict[str, Any]:
        return dict(cls.schema)


class Duration(_Read):
    """`30s`, `15m`, `1h30m`, `3d`."""

    code = "E209"
    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": r"^(\d+(ms|[smhd]))+$"}

    @classmethod
    def check(cls, text: str) -> None:
        parse_duration(text)

    @property
    def span(self) -> timedelta:
        return parse_duration(self)


class RateText(_Read):
    """`25/s`, `300/m`, `1000/h`."""

    code = "E210"
    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": r"^\d+/[smh]$", "examples": ["25/s", "300/m"]}

    @classmethod
    def check(cls, text: str) -> None:
        parse_rate(text)

    @property
    def rate(self) -> Rate:
        return parse_rate(self)


class Took(_Read):
    """How long a test's item takes: a duration, or a clock reading such as `2:00:00` or `1 day, 0:00:00`."""

    code = "E209"
    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["2h", "1 day, 0:00:00"]}
    _CLOCK: ClassVar[re.Pattern[str]] = re.compile(r"(?:(\d{1,4}) days?, )?(\d{1,2}):([0-5]\d):([0-5]\d)", re.ASCII)

    @classmethod
    def check(cls, text: str) -> None:
        if not cls._CLOCK.fullmatch(text):
            parse_duration(text)

    @property
    def span(self) -> timedelta:
        read = self._CLOCK.fullmatch(self)
        if read is None:
            return parse_duration(self)
        days, hours, minutes, seconds = (int(part or 0) for part in read.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


class Percent(_Read):
    """`5%`: a share of a run's items."""

    code = "E203.share"
    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,2})?%$", "examples": ["5%"]}
    _PERCENT: ClassVar[re.Pattern[str]] = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)%", re.ASCII)

    @classmethod
    def check(cls, text: str) -> None:
        read = cls._PERCENT.fullmatch(text)
        if read is None or float(read[1]) > 100:
            raise ValueError(text)

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return float(self[:-1]) / 100


class Cron(_Read):
    """Five fields: minute hour day month weekday."""

    code = "E211"
    schema: ClassVar[dict[str, Any]] = {"type": "string", "examples": ["0 10 * * 1-5"]}

    @classmethod
    def check(cls, text: str) -> None:
        from domain.definitions.crons import parse_cron

        parse_cron(text)


def require_one_of(given: dict[str, Any]) -> None:
    """Raises PydanticCustomError unless exactly one of the values is there."""
    there = [key for key, value in given.items() if value is not None]
    keys = ", ".join(f"'{key}'" for key in (there or given))
    if len(there) != 1:
        raise PydanticCustomError("E205.one_of" if there else "E202.one_of", "{keys}", {"keys": keys})


def has_braces(text: object) -> bool:
    """Whether a value is a text with an expression in it."""
    return isinstance(text, str) and any(brace in text for brace in BRACES)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"


def _duration_or_expression(value: Any) -> Any:
    return value if has_braces(value) else Duration.read(value)


def _condition(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool) else value


ID_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
NAME_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
#: as long as a key in an address may be
LONGEST_NAME = 63


def _matching(pattern: str, wording: str) -> Any:
    compiled = re.compile(pattern, re.ASCII)

    def read(value: str) -> str:
        if not compiled.fullmatch(value):
            raise PydanticCustomError(wording, "{value}", {"value": _shown(value)})
        return value

    return read


def _after(check: Any, schema: dict[str, Any]) -> tuple[Any, Any]:
    return (AfterValidator(check), WithJsonSchema(schema))


#: id of a step, input, variable, output, branch: what expressions name
Id = Annotated[str, *_after(_matching(ID_PATTERN, "E208"), {"type": "string", "pattern": ID_PATTERN})]
#: name of a definition, key of a thing of this installation
Name = Annotated[
    str,
    StringConstraints(max_length=LONGEST_NAME),
    *_after(
        _matching(NAME_PATTERN, "E208.name"), {"type": "string", "pattern": NAME_PATTERN, "maxLength": LONGEST_NAME}
    ),
]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Natural = Annotated[int, Strict(), Field(ge=1)]
#: a bare expression that yields true or false; YAML's true and false are taken for their texts
Condition = Annotated[str, BeforeValidator(_condition, json_schema_input_type=str | bool)]
#: any JSON value, texts in it may hold expressions
Value = Any
DurationOrExpression = Annotated[
    Duration | str,
    PlainValidator(_duration_or_expression),
    WithJsonSchema({"anyOf": [Duration.schema, {"type": "string", "pattern": r"\{[{%]"}]}),
]
