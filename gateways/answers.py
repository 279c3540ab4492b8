"""What an outside system answered: its status judged, its body read within bounds, names picked, secrets hidden."""

import json
import math
from collections.abc import Iterable
from typing import Any

from domain.connections import CallFailedError, ConnectionFacts, HttpAnswer, HttpRequest
from domain.picks import pick, storable, wants_body, without

MOST_BYTES = 256 * 1024
LARGEST_RESULT = 64 * 1024
DEEPEST = 64
LONGEST_WAIT = 3600


def result_of(
    connection: ConnectionFacts,
    secrets: Iterable[str],
    request: HttpRequest,
    status: int,
    headers: dict[str, str],
    body: bytes | None,
) -> HttpAnswer:
    if status not in request.expect:
        raise _status_error(connection, status, headers)
    read: Any = None
    if wants_body(request.pick):
        read = _read_body(connection, headers, body)
    kept = {name: value for name, value in headers.items() if name in connection.keep_headers}
    picked = pick(request.pick, status=status, headers=kept, body=read, redact=connection.redact)
    for secret in secrets:
        picked = without(picked, secret)
    result = storable(picked)
    if len(json.dumps(result)) > LARGEST_RESULT:
        message = f"What was picked of {connection.key}'s answer is longer than {LARGEST_RESULT} characters."
        raise CallFailedError("limit", message, "taken", status=status)
    return HttpAnswer(status, result)


def _read_body(connection: ConnectionFacts, headers: dict[str, str], body: bytes | None) -> Any:
    """JSON as its value, anything else as text."""
    if body is None:
        raise CallFailedError("limit", f"{connection.key} answered more than {MOST_BYTES // 1024} KB.", "taken")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise CallFailedError("invalid", f"{connection.key} answered in an encoding nobody asked for.", "taken")
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        return text
    if _is_too_deep(value):
        raise CallFailedError("limit", f"{connection.key} answered values nested too deeply.", "taken")
    return value


def _no_number(name: str) -> float:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits[:40])
    return number


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [v for one in level if isinstance(one, dict | list) for v in _members(one)]
        if not level:
            return False
    return True


def _members(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _status_error(connection: ConnectionFacts, status: int, headers: dict[str, str]) -> CallFailedError:
    details: dict[str, Any] = {"status": status}
    after = headers.get("retry-after", "")
    if status in (429, 503) and after.isascii() and after.isdigit():
        details["retry_after"] = min(int(after[:9]), LONGEST_WAIT)
    if 300 <= status < 400:
        message = f"{connection.key} answered {status}: redirects are never followed."
        return CallFailedError("invalid", message, "answered", **details)
    type = {401: "forbidden", 403: "forbidden", 404: "not_found", 429: "rate_limited"}.get(status)
    type = type or ("unavailable" if status >= 500 else "invalid")
    return CallFailedError(type, f"{connection.key} answered {status}.", "answered", **details)
