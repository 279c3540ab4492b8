"""What the OpenAPI document says of refusals: one shape, on every route."""

from typing import Any

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
_REFUSALS = {
    400: "The request cannot be read.",
    401: "Not signed in (`unauthenticated`, `bad_credentials`).",
    403: "Not allowed (`forbidden`, `not_yours`, `bad_csrf`).",
    404: "There is no such thing, or none that the caller may see.",
    409: "How things stand does not allow it; `code` names the rule.",
    413: "Too large.",
    422: "Invalid (`invalid`, `key_reused`, `unknown_topic`).",
    429: "Too many tries; see Retry-After.",
    503: "A part of the system is away; see Retry-After.",
}

#: status → description and shape, for `responses=` of every router
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {"application/problem+json": {"schema": _PROBLEM}}}
    for status, description in _REFUSALS.items()
}
