"""Texts of definitions as request bodies: YAML or JSON, taken as they are written."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from domain.definitions.loading import load
from domain.errors import InvalidDefinitionError, TooLargeError

#: bytes: beyond the language's own limit, so that a text somewhat too large is told so by a diagnostic
LARGEST = 80_000
LARGEST_BUNDLE = 900_000
YAML, JSON = "application/yaml", "application/json"
_TEXT = {"schema": {"type": "string"}}
#: `openapi_extra` of doors that take a definition
DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {YAML: _TEXT, "text/yaml": _TEXT, "text/plain": _TEXT, JSON: {"schema": {"type": "object"}}},
    }
}


@dataclass(frozen=True, slots=True)
class Source:
    text: str
    media_type: str

    @property
    def is_json(self) -> bool:
        return self.media_type == JSON


async def source_of(request: Request) -> Source:
    """Raises TooLargeError, and InvalidDefinitionError for bytes that are no text."""
    return await _taken(request, LARGEST)


async def bundle_of(request: Request) -> Source:
    """The same for several definitions in one."""
    return await _taken(request, LARGEST_BUNDLE)


async def _taken(request: Request, most: int) -> Source:
    raw = await request.body()
    if len(raw) > most:
        raise TooLargeError(f"It has at most {most} bytes.")
    media = request.headers.get("content-type", YAML).partition(";")[0].strip().lower()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        errors = [one.as_json() for one in load(raw).diagnostics]
        raise InvalidDefinitionError("It is not a text in UTF-8.", errors=errors) from None
    return Source(text, JSON if media.endswith("json") else YAML)


TakenSource = Annotated[Source, Depends(source_of)]
TakenBundle = Annotated[Source, Depends(bundle_of)]


def fields_in(source: Source) -> dict[str, Any] | None:
    """A JSON object that is no definition itself (it has no `dsl`): fields of a command; None for anything else."""
    if not source.is_json or not source.text.strip():
        return None
    try:
        found = json.loads(source.text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "dsl" not in found else None
