"""Refusals as RFC 9457 problem details: the one table of error code → HTTP status."""

import json
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from domain.errors import BY_CODE, DomainError, InvalidError, UnavailableError

STATUSES: dict[str, int] = {
    "unauthenticated": 401,
    "bad_credentials": 401,
    "forbidden": 403,
    "not_yours": 403,
    "own_launch": 403,
    "bad_csrf": 403,
    "not_found": 404,
    "command_expired": 410,
    "too_large": 413,
    "invalid": 422,
    "key_reused": 422,
    "unknown_topic": 422,
    "invalid_definition": 422,
    "invalid_inputs": 422,
    "too_many_requests": 429,
    "unavailable": 503,
}
RETRY_AFTER = "2"
log = structlog.get_logger("api")


def status_of(code: str) -> int:
    """Every refusal not named above is a conflict with how things stand: 409."""
    return STATUSES.get(code, 409)


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """A refusal may quote what was sent, halves of surrogate pairs included."""
        return json.dumps(content, ensure_ascii=False, default=str).encode("utf-8", "replace")


def problem(
    status: int, code: str, title: str, detail: str, extra: Mapping[str, Any] | None = None, errors: Any = None
) -> ProblemResponse:
    body = {"type": f"urn:switchboard:{code}", "title": title, "status": status, "detail": detail, "code": code}
    if errors:
        body["errors"] = errors
    headers = None
    if status in (429, 503):
        headers = {"Retry-After": str((extra or {}).get("retry_after", RETRY_AFTER))}
    return ProblemResponse({**(extra or {}), **body}, status, headers)


def problem_of(error: DomainError) -> ProblemResponse:
    return problem(status_of(error.code), error.code, error.title, error.detail, error.extra)


def refuse(code: str, detail: str, extra: Mapping[str, Any] | None = None) -> ProblemResponse:
    """The problem of a refusal that travelled as data."""
    title = BY_CODE.get(code, DomainError).title
    return problem(status_of(code), code, title, detail, extra)


def install(app: FastAPI) -> None:
    app.add_exception_handler(DomainError, _domain)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _validation)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(PoolTimeoutError, _database)
    app.add_exception_handler(UnicodeEncodeError, _not_storable)
    app.add_exception_handler(Exception, _unexpected)


async def _domain(_: Request, error: DomainError) -> ProblemResponse:
    return problem_of(error)


async def _validation(_: Request, error: RequestValidationError) -> ProblemResponse:
    errors = [
        {"code": e["type"], "message": e["msg"], "pointer": "/" + "/".join(str(p) for p in e["loc"])}
        for e in error.errors()
    ]
    first = errors[0] if errors else {"pointer": "", "message": "invalid"}
    return problem(422, "invalid", "Invalid request", f"{first['pointer']}: {first['message']}", errors=errors)


async def _http(_: Request, error: HTTPException) -> ProblemResponse:
    names = {
        400: ("malformed", "Malformed request"), 404: ("not_found", "Not found"),
        405: ("method_not_allowed", "Method not allowed"), 413: ("too_large", "Too large"),
    }  # fmt: skip
    code, title = names.get(error.status_code, ("refused", "Refused"))
    answer = problem(error.status_code, code, title, str(error.detail))
    if error.headers:
        answer.headers.update(error.headers)
    return answer


async def _database(request: Request, error: Exception) -> ProblemResponse:
    if isinstance(error, DataError):
        return await _not_storable(request, error)
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    is_away = isinstance(error, (OperationalError, InterfaceError, PoolTimeoutError)) or state in ("55P03", "40P01")
    if not is_away:
        return await _unexpected(request, error)
    return problem_of(UnavailableError("The database is away or busy; nothing was changed. Try again shortly."))


async def _not_storable(_: Request, __: Exception) -> ProblemResponse:
    """The database's own word on values that passed every door: NUL, half a surrogate pair, too large a number."""
    return problem_of(InvalidError("A value in this request cannot be stored."))


async def _unexpected(request: Request, error: Exception) -> ProblemResponse:
    log.error("unexpected", path=request.url.path, exc_info=error)
    return problem(500, "unexpected", "Unexpected error", "Something broke on our side; it has been logged.")
