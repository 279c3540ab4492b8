"""What every request passes: a size limit, characters no database stores, headers, an id, a line in the log."""

import time
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from store.ids import new_id

LARGEST_BODY = 1_000_000
LARGEST_UPLOAD = 12_000_000
_UPLOADS = "/api/v1/attachments"
_SECRET_PATHS = ("/api/v1/hooks/", "/api/v1/csat/")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
log = structlog.get_logger("web")


class Guards:
    """Pure ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = {**_HEADERS, **({"Strict-Transport-Security": "max-age=31536000"} if is_https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id", b""))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = MutableHeaders(scope=message)
                told["X-Request-ID"] = request_id
                for name, value in self._headers.items():
                    told.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    told.setdefault("Cache-Control", "no-store")
            await send(message)

        limit = LARGEST_UPLOAD if scope["path"] == _UPLOADS else LARGEST_BODY
        try:
            if refusal := _refusal(scope, headers, limit):
                await refusal(scope, receive, answer)
            else:
                await self._app(scope, _counting(receive, limit), answer)
        finally:
            took = round((time.perf_counter() - began) * 1000, 1)
            route = scope.get("route")
            log.info(
                "request", method=scope["method"], route=getattr(route, "path", None), path=_loggable(scope["path"]),
                status=status, ms=took,
            )  # fmt: skip


def _loggable(path: str) -> str:
    """Addresses that are secrets themselves are cut short."""
    return next((f"{prefix}…" for prefix in _SECRET_PATHS if path.startswith(prefix)), path)


def _request_id(given: bytes) -> str:
    text = given.decode("latin-1")
    return text if 0 < len(text) <= 64 and text.replace("-", "").isalnum() and text.isascii() else str(new_id())


def _refusal(scope: Scope, headers: dict[bytes, bytes], limit: int) -> Any:
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        return problem(413, "too_large", "Too large", f"A body has at most {limit} bytes here.")
    if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
        return problem(422, "invalid", "Invalid request", "An address cannot contain the character NUL.")
    return None


def _counting(receive: Receive, limit: int) -> Receive:
    """A body without a declared length is counted as it comes."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise HTTPException(413, f"A body has at most {limit} bytes here.")
        return message

    return counted
