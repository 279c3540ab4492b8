"""How large things may get (PROCESS_LANGUAGE 9.17), in bytes of JSON, and how they are cut for a trace."""

import json
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

MOST_STEPS = 1_000
#: steps that were only looked at, because their condition was false, count here
MOST_LOOKS = 10_000
#: `finally` and `on_failure` of an item that used up its steps may still go so far
STEPS_TO_CLEAN_UP = 100
LONGEST_ITEM = timedelta(days=30)
SHORT_MACRO = timedelta(seconds=30)
#: units of fuel for all that an item's walk works out: less than a second of it
MOST_FUEL = 1_000_000
FUEL_OF_LOOK, FUEL_OF_STEP = 10, 40
FUEL_TO_CLEAN_UP = 50_000
CLEANUP_SECONDS = 60.0
ON_FAILURE_SECONDS = 600.0

MOST_VARS = 128 * 1024
MOST_PARAMS = 64 * 1024
MOST_RESULT = 64 * 1024
#: what the phase before the items leaves for each of them
MOST_NAMES = 256 * 1024
#: characters of a message about an item
LONGEST_MESSAGE = 2_000
MOST_RECORDS = 200
#: the parts of one record; together they stay below 8 KB
MOST_INPUTS = 3_000
MOST_ANSWER = 3_000
MOST_BRANCH = 1_000
MOST_ERROR = 700


def size_of(value: Any) -> int:
    """Bytes of plain JSON."""
    try:
        return len(to_json(value))
    except (PydanticSerializationError, ValueError):
        return len(json.dumps(value, default=str))


def cut(value: Any, most: int) -> Any:
    """The value, or the beginning of its JSON with a mark when it is larger."""
    if value is None:
        return None
    size = size_of(value)
    if size <= most:
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    start = text.encode(errors="replace")[: most - 100].decode(errors="ignore")
    while size_of(start) > most - 60:
        start = start[: len(start) // 2]
    return {"cut": True, "bytes": size, "start": start}
