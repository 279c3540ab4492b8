"""What a connection to an outside system may say: checked when it is written, not when a definition calls it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from domain.errors import InvalidError

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
AUTH_KINDS = ("none", "bearer", "basic", "header", "query")
LONGEST_URL = 2000
#: headers that the transport or the connection's own `auth` sets
NOT_TO_SET = frozenset(
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection", "keep-alive", "te", "trailer",
        "upgrade", "proxy-authorization", "proxy-authenticate", "authorization", "cookie", "idempotency-key",
    }
)  # fmt: skip
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PATH = re.compile(r"/[\x21-\x7e]*")


def require_connection(told: Mapping[str, Any]) -> None:
    """`told` is the whole connection as it would be kept. Raises InvalidError naming the field."""
    require_base_url(told["base_url"])
    require_auth(told["auth"])
    require_allow(told["allow"])
    require_headers(told["headers"])


def require_base_url(url: str) -> None:
    """http or https with a host; no user, query or fragment: what a definition adds is a path."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if (
        not host
        or len(url) > LONGEST_URL
        or parts.scheme not in ("http", "https")
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
        or any(c <= " " or c > "~" for c in url)
        or "\\" in url
        or ".." in parts.path.split("/")
    ):
        raise InvalidError("base_url is an http or https address with a host, without a user or a ?.", field="base_url")


def require_auth(auth: Mapping[str, Any]) -> None:
    """{kind, secret, username (basic), name (of the header or the query parameter)}: a secret by its name only."""
    kind = auth.get("kind", "none")
    if kind not in AUTH_KINDS:
        raise InvalidError(f"auth.kind is one of {', '.join(AUTH_KINDS)}.", field="auth")
    if kind == "none":
        return
    if not auth.get("secret"):
        raise InvalidError("auth.secret names a stored secret (PUT /secrets/NAME).", field="auth")
    if kind == "basic" and not auth.get("username"):
        raise InvalidError("auth.username is missing.", field="auth")
    if kind in ("header", "query") and not _HEADER.fullmatch(auth.get("name") or ""):
        raise InvalidError("auth.name names the header or the query parameter.", field="auth")
    if kind == "header" and auth["name"].lower() in NOT_TO_SET - {"authorization"}:
        raise InvalidError(f"The header {auth['name']} cannot carry a secret.", field="auth")


def require_allow(allow: Sequence[Mapping[str, Any]]) -> None:
    """[{methods, paths}]: paths begin with / and may hold *; there is no way up or around in them."""
    for rule in allow:
        for path in rule["paths"]:
            if not _PATH.fullmatch(path) or ".." in path.split("/") or "//" in path or "\\" in path or "?" in path:
                raise InvalidError(f"{path!r} is not a path: write /v2/clients/*.", field="allow")


def require_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in NOT_TO_SET:
            raise InvalidError(f"The header {name!r} cannot be set here.", field="headers")
        if any((c < " " and c != "\t") or c > "~" for c in value):
            raise InvalidError(f"The header {name} has a value of printable ASCII.", field="headers")
