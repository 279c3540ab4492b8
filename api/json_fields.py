"""JSON that doors take as it comes (fields, inputs): small, and storable."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field

LARGEST_FIELDS = 20_000
LARGEST_INPUTS = 32_768


def _bounded(most: int) -> Any:
    def check(value: Any) -> Any:
        told = json.dumps(value, ensure_ascii=False, allow_nan=False)
        if len(told.encode("utf-8", "surrogatepass")) > most:
            raise ValueError(f"must have at most {most} bytes as JSON")
        if "\\u0000" in told or any("\ud800" <= c <= "\udfff" for c in told):
            raise ValueError("must not contain NUL or malformed Unicode")
        return value

    return AfterValidator(check)


Fields = Annotated[dict[str, Any], Field(max_length=200), _bounded(LARGEST_FIELDS)]
Inputs = Annotated[dict[str, Any], Field(max_length=200), _bounded(LARGEST_INPUTS)]
Json = Annotated[dict[str, Any], _bounded(LARGEST_FIELDS)]
