"""Calls of definitions to outside systems: the checked address, no redirects, few bytes, little time, no secrets told.

A call is made over a connection of its own. What went wrong is told by status and kind, never by what was sent or read.
"""

import asyncio
import base64
import json
import math
import ssl
from functools import cache
from typing import Any
from urllib.parse import quote

import httpcore
import httpx

from domain.connections import CallFailedError, ConnectionFacts, HttpAnswer, HttpRequest, require_sendable, target_of
from domain.errors import InvalidError
from domain.picks import parse_pick
from gateways.answers import MOST_BYTES, result_of
from gateways.guards import CheckedBackend, RefusedAddressError, Resolve, resolve

MOST_SENT = 64 * 1024


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


class HttpCaller:
    """`resolve` and `tls` as tests want them."""

    def __init__(self, resolve: Resolve = resolve, tls: ssl.SSLContext | None = None) -> None:
        self._resolve = resolve
        self._tls = tls

    async def call(self, connection: ConnectionFacts, secret: str | None, request: HttpRequest) -> HttpAnswer:
        """One attempt. Raises CallFailedError; nothing in it tells a credential or what the other side wrote."""
        target, headers, body = _prepare(connection, secret, request)
        for path in request.pick.values():
            _require_pick(path)
        call = _Call(connection, request, self._tls or _tls(), self._resolve)
        try:
            async with asyncio.timeout(min(connection.timeout, request.timeout or math.inf)):
                answer = await call.make(target, headers, body)
        except TimeoutError:
            raise call.lost("timeout", f"{connection.key} did not answer in time.") from None
        except RefusedAddressError:
            message = f"The host of {connection.key} leads to a private address; only an internal connection may."
            raise CallFailedError("forbidden", message, "never") from None
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            raise CallFailedError("unavailable", f"{connection.key} cannot be reached.", "never") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError, ValueError):
            raise call.lost("unavailable", f"{connection.key} broke the connection off.") from None
        return result_of(connection, _told_forms(connection, secret), request, *answer)


class _Call:
    """One call under way; `is_sent` once the other side may have read something of it."""

    def __init__(
        self, connection: ConnectionFacts, request: HttpRequest, tls: ssl.SSLContext, resolve: Resolve
    ) -> None:
        self._connection, self._request, self._tls, self._resolve = connection, request, tls, resolve
        self.is_sent = False

    async def make(
        self, target: str, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, dict[str, str], bytes | None]:
        """Status, headers, and the body unless it is too long."""
        backend = CheckedBackend(self._resolve, internal=self._connection.internal)
        base = httpcore.URL(self._connection.base_url)
        url = httpcore.URL(scheme=base.scheme, host=base.host, port=base.port, target=target.encode("ascii"))
        async with httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=backend) as pool:
            async with pool.stream(
                self._request.method, url, headers=headers, content=body, extensions={"trace": self._watch}
            ) as answer:
                kept = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in answer.headers}
                read = bytearray()
                if self._request.method != "HEAD":
                    async for piece in answer.aiter_stream():
                        read += piece
                        if len(read) > MOST_BYTES:
                            return answer.status, kept, None
                return answer.status, kept, bytes(read)

    def lost(self, type: str, message: str) -> CallFailedError:
        """What it means that no answer came."""
        if not self.is_sent:
            return CallFailedError(type, message, "never")
        if self._request.is_repeatable:
            return CallFailedError(type, message, "lost")
        failure = CallFailedError("unknown_effect", f"{message} Nobody knows whether it was carried out.", "lost")
        failure.needs_attention = True
        return failure

    async def _watch(self, name: str, info: dict[str, Any]) -> None:
        if name.endswith("send_request_headers.started"):
            self.is_sent = True


def _prepare(
    connection: ConnectionFacts, secret: str | None, request: HttpRequest
) -> tuple[str, list[tuple[bytes, bytes]], bytes]:
    """Raises CallFailedError: a request that its connection does not allow is never sent."""
    try:
        target = target_of(connection, request)
        headers = require_sendable(request.headers)
    except InvalidError as error:
        type = "forbidden" if "does not allow" in error.detail else "invalid"
        raise CallFailedError(type, error.detail, "never") from None
    body = _body(request, headers)
    headers |= {name.lower(): value for name, value in connection.headers.items()}
    headers.setdefault("accept", "application/json")
    headers.setdefault("user-agent", "switchboard")
    headers["accept-encoding"] = "identity"
    if body or request.method in ("POST", "PUT", "PATCH"):
        headers["content-length"] = str(len(body))
    if request.idempotency_key is not None and request.method not in ("GET", "HEAD"):
        headers["idempotency-key"] = request.idempotency_key
    try:
        target = _authenticate(connection, secret, headers, target)
        sent = [(b"host", host_header(connection.base_url)), *((n.encode(), v.encode()) for n, v in headers.items())]
    except UnicodeError:
        raise CallFailedError("invalid", f"A header of {connection.key} cannot be sent.", "never") from None
    return target, sent, body


def host_header(base_url: str) -> bytes:
    """The Host header of an address: its name, and its port unless it goes without saying."""
    url = httpcore.URL(base_url)
    host = b"[" + url.host + b"]" if b":" in url.host else url.host
    usual = {b"http": 80, b"https": 443}[url.scheme]
    return host if url.port in (None, usual) else b"%b:%d" % (host, url.port)


def _authenticate(connection: ConnectionFacts, secret: str | None, headers: dict[str, str], target: str) -> str:
    """Adds the credential where the connection says; answers the target."""
    auth = connection.auth
    kind = auth.get("kind", "none")
    if kind == "none":
        return target
    if not secret:
        raise CallFailedError("invalid", f"The secret of {connection.key} is not set.", "never")
    if any(not " " <= c <= "~" for c in secret) and kind in ("bearer", "header"):
        raise CallFailedError("invalid", f"The secret of {connection.key} cannot be sent in a header.", "never")
    if kind == "bearer":
        headers["authorization"] = f"Bearer {secret}"
    elif kind == "basic":
        headers["authorization"] = f"Basic {_basic(connection, secret)}"
    elif kind == "header":
        headers[str(auth["name"]).lower()] = secret
    elif kind == "query":
        separator = "&" if "?" in target else "?"
        return f"{target}{separator}{quote(str(auth['name']), safe='')}={quote(secret, safe='')}"
    return target


def _body(request: HttpRequest, headers: dict[str, str]) -> bytes:
    if request.body is None:
        return b""
    try:
        if isinstance(request.body, str) and "json" not in headers.get("content-type", "json"):
            body = request.body.encode()
        else:
            headers.setdefault("content-type", "application/json")
            body = json.dumps(request.body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise CallFailedError("invalid", "The body cannot be written as JSON.", "never") from None
    if len(body) > MOST_SENT:
        raise CallFailedError("limit", f"A body has at most {MOST_SENT} bytes.", "never")
    return body


def _require_pick(path: str) -> None:
    try:
        parse_pick(path)
    except ValueError as error:
        raise CallFailedError("invalid", str(error), "never") from None


def _told_forms(connection: ConnectionFacts, secret: str | None) -> list[str]:
    """The credential in every form in which the other side saw it and might tell it back."""
    if not secret:
        return []
    forms = [secret, quote(secret, safe="")]
    if connection.auth.get("kind") == "basic":
        forms.append(_basic(connection, secret))
    return forms


def _basic(connection: ConnectionFacts, secret: str) -> str:
    return base64.b64encode(f"{connection.auth['user']}:{secret}".encode()).decode()
