"""JSON as PostgreSQL can keep it: without NUL characters and halves of surrogate pairs, which outside systems send."""

import json
import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value: Any) -> Any:
    """The same JSON value with what cannot be kept replaced by U+FFFD."""
    written = json.dumps(value, allow_nan=False)
    return _clean(value) if "\\u0000" in written or "\\ud" in written else value


def written(value: Any) -> str:
    """The same as text for a parameter that is cast to jsonb."""
    told = json.dumps(value, allow_nan=False)
    is_clean = "\\u0000" not in told and "\\ud" not in told
    return told if is_clean else json.dumps(_clean(value), allow_nan=False)


def storable_text(value: str | None) -> str | None:
    return None if value is None else _UNSTORABLE.sub("\ufffd", value)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value
