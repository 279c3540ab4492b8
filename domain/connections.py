"""What a named connection lets a definition call: its address, its paths, its headers (ARCHITECTURE §6)."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from domain.errors import InvalidError
from domain.walks.ports import StepError

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SAFE_METHODS = frozenset({"GET", "HEAD"})
AUTH_KINDS = ("none", "bearer", "basic", "header", "query")
LONGEST_PATH = 2000
LONGEST_HEADER = 4096
MOST_HEADERS = 50
LONGEST_TIMEOUT = 60

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~-._"
#: a server may decode more than once: whatever appears within so many rounds counts
_ROUNDS = 4

#: of headers a definition may send; anything else beginning with `x-` as well
SENDABLE = frozenset(
    {
        "accept", "accept-language", "content-language", "content-type", "if-match", "if-modified-since",
        "if-none-match", "if-unmodified-since", "prefer", "range", "user-agent",
    }
)  # fmt: skip
#: `x-` headers by which proxies and frameworks take another method, path or caller than was checked
_TREACHEROUS = ("x-forwarded-", "x-http-method", "x-method-override", "x-original-", "x-rewrite-", "x-real-ip")
#: what no header of ours may be, a connection's own included
_OURS = frozenset(
    {
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade",
        "expect", "proxy-authorization", "proxy-connection", "proxy-authenticate", "accept-encoding",
        "idempotency-key",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """A connection as it is now. `auth` names a secret, it never holds one; `timeout` in seconds."""

    key: str
    base_url: str
    auth: Mapping[str, Any] = field(default_factory=lambda: {"kind": "none"})
    allow: tuple[Mapping[str, Any], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    keep_headers: frozenset[str] = frozenset()
    redact: frozenset[str] = frozenset()
    timeout: float = 10.0
    internal: bool = False
    safe_get: bool = False


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`timeout` in seconds, of one attempt. `idempotency_key` where the call may be repeated though it is no GET."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    expect: tuple[int, ...] = (200,)
    pick: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    timeout: float | None = None

    @property
    def is_repeatable(self) -> bool:
        return self.method in SAFE_METHODS or self.idempotency_key is not None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    picked: dict[str, Any] = field(default_factory=dict)


class CallFailedError(StepError):
    """`reach`: never (not sent), answered (refused by a status), taken (well, but its answer is of no use) or lost."""

    def __init__(self, type: str, message: str, reach: str, **details: Any) -> None:
        super().__init__(type, message, details=details)
        self.reach = reach


def target_of(connection: ConnectionFacts, request: HttpRequest) -> str:
    """The path, query and base path to ask for, encoded. Raises InvalidError, or one `not allowed` (field `path`)."""
    path = plain_path(request.path)
    if not is_allowed(connection.allow, request.method, path):
        raise InvalidError(f"The connection {connection.key} does not allow {request.method} {path}.", field="path")
    base = urlsplit(connection.base_url).path.rstrip("/")
    query = query_of(request.query)
    return base + quote(path, safe=_SAFE_IN_PATH) + (f"?{query}" if query else "")


def plain_path(path: str) -> str:
    """The path, if it means the same to everybody who reads it. Raises InvalidError.

    Refused: dots that climb, empty segments, encoded slashes, backslashes, another host, queries, control characters,
    and whatever turns into one of these when decoded again.
    """
    if not path.startswith("/") or len(path) > LONGEST_PATH:
        raise InvalidError(f"A path begins with / and has at most {LONGEST_PATH} characters.", field="path")
    if "?" in path or "#" in path:
        raise InvalidError("A path has no ? and no #: parameters go into `query`.", field="path")
    if _BAD_ESCAPE.search(path):
        raise InvalidError("A path has a % that encodes nothing.", field="path")
    slashes, decoded = path.count("/"), path
    for _ in range(_ROUNDS):
        _require_plain(decoded, slashes)
        further = unquote(decoded, errors="strict") if _is_utf8(decoded) else None
        if further is None:
            raise InvalidError("A path is encoded as UTF-8.", field="path")
        if further == decoded:
            return path
        decoded = further
    raise InvalidError("A path is encoded over and over.", field="path")


def _is_utf8(path: str) -> bool:
    try:
        unquote(path, errors="strict").encode()
    except UnicodeError:
        return False
    return True


def _require_plain(path: str, slashes: int) -> None:
    flat = unicodedata.normalize("NFKC", path)
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in path) or "\\" in flat:
        raise InvalidError("A path has no backslashes and no control characters.", field="path")
    segments = flat.split("/")
    if flat.count("/") != slashes or "" in segments[1:-1]:
        raise InvalidError("A path has no empty segments and no encoded slashes.", field="path")
    if any(segment.split(";")[0].strip() in (".", "..") for segment in segments):
        raise InvalidError("A path does not climb: no . and no .. in it.", field="path")


def is_allowed(allow: Iterable[Mapping[str, Any]], method: str, path: str) -> bool:
    """Whether one of the entries names the method and the path. `*` stands for one segment or a part of it, `**` for
    any number of them; both match the path as a server reads it, decoded.
    """
    read = unquote(path)
    return any(
        method in entry.get("methods", ()) and any(_matches(pattern, read) for pattern in entry.get("paths", ()))
        for entry in allow
    )


def _matches(pattern: str, path: str) -> bool:
    """In time of pattern × path, whatever the stars are."""
    tokens = re.findall(r"\*\*|\*|[^*]", pattern)
    reached = _past_stars(tokens, {0})
    for char in path:
        stay = {i for i in reached if i < len(tokens) and (tokens[i] == "**" or (tokens[i] == "*" and char != "/"))}
        step = {i + 1 for i in reached if i < len(tokens) and tokens[i] == char and char != "*"}
        reached = _past_stars(tokens, stay | step)
    return len(tokens) in reached


def _past_stars(tokens: list[str], reached: set[int]) -> set[int]:
    """A star may stand for nothing."""
    for i in sorted(reached):
        while i < len(tokens) and tokens[i][0] == "*":
            i += 1
            reached.add(i)
    return reached


def query_of(query: Mapping[str, Any]) -> str:
    """`a=1&b=x`; lists repeat their name, null is left out. Raises InvalidError for what is no plain value."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict | list):
                raise InvalidError(f"The query parameter {name} is a text, a number or a list of these.", field="query")
            if one is not None:
                pairs.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
    try:
        return urlencode(pairs, quote_via=quote, safe="")
    except UnicodeError:
        raise InvalidError("A query parameter has characters that cannot be sent.", field="query") from None


def require_sendable(headers: Mapping[str, Any]) -> dict[str, str]:
    """A definition's own headers, names in small letters. Raises InvalidError."""
    sent: dict[str, str] = {}
    for given, value in headers.items():
        name = given.lower()
        is_known = name in SENDABLE or (name.startswith("x-") and not name.startswith(_TREACHEROUS))
        if not is_known or name in _OURS:
            raise InvalidError(f"A definition may not send the header {given[:100]!r}.", field="headers")
        if value is not None:
            sent[name] = str(value)
    _require_headers(sent)
    return sent


def _require_headers(headers: Mapping[str, Any]) -> None:
    if len(headers) > MOST_HEADERS:
        raise InvalidError(f"At most {MOST_HEADERS} headers.", field="headers")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise InvalidError(f"{name[:100]!r} is not a header's name.", field="headers")
        if not isinstance(value, str) or len(value) > LONGEST_HEADER or not _VALUE.fullmatch(value):
            raise InvalidError(f"The header {name} has characters that cannot be sent.", field="headers")


def require_connection(
    *, base_url: Any, auth: Mapping[str, Any], allow: Iterable[Any], headers: Mapping[str, Any], timeout: Any
) -> None:
    """Raises InvalidError for a connection nothing could be called with; `field` says where."""
    _require_base_url(base_url)
    _require_auth(auth)
    for entry in allow:
        _require_entry(entry)
    _require_headers(headers)
    if taken := sorted({n.lower() for n in headers} & _OURS):
        raise InvalidError(f"A connection may not set the header {taken[0]}.", field="headers")
    if isinstance(timeout, bool) or not isinstance(timeout, int) or not 1 <= timeout <= LONGEST_TIMEOUT:
        raise InvalidError(f"`timeout` is a number of seconds from 1 to {LONGEST_TIMEOUT}.", field="timeout")


def _require_base_url(url: Any) -> None:
    refusal = InvalidError(
        "`base_url` is an http or https address with a host, without user, query and fragment.", field="base_url"
    )
    if not isinstance(url, str) or len(url) > LONGEST_PATH or any(c <= " " or c > "~" or c == "\\" for c in url):
        raise refusal
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refusal from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or "?" in url or "#" in url:
        raise refusal
    if parts.path.rstrip("/"):
        plain_path(parts.path.rstrip("/"))


def _require_auth(auth: Mapping[str, Any]) -> None:
    kind = auth.get("kind")
    if kind not in AUTH_KINDS:
        raise InvalidError(f"`auth.kind` is one of {', '.join(AUTH_KINDS)}.", field="auth")
    wanted = {
        "none": set(), "bearer": {"secret"}, "basic": {"secret", "user"}, "header": {"secret", "name"},
        "query": {"secret", "name"},
    }[kind]  # fmt: skip
    if set(auth) - {"kind"} != wanted or not all(isinstance(auth[n], str) and auth[n] for n in wanted):
        needs = ", ".join(sorted(wanted)) or "nothing else"
        raise InvalidError(f"`auth` of kind {kind} has {needs}; `secret` is the name of one.", field="auth")
    if kind == "header" and (not _TOKEN.fullmatch(auth["name"]) or auth["name"].lower() in _OURS):
        raise InvalidError("`auth.name` is not a header that carries a credential.", field="auth")
    if kind == "basic" and (":" in auth["user"] or not _VALUE.fullmatch(auth["user"])):
        raise InvalidError("`auth.user` has a character that basic authentication cannot carry.", field="auth")


def _require_entry(entry: Any) -> None:
    if not isinstance(entry, Mapping) or set(entry) != {"methods", "paths"}:
        raise InvalidError('`allow` lists entries like {"methods": ["GET"], "paths": ["/v2/**"]}.', field="allow")
    methods, paths = entry["methods"], entry["paths"]
    if not isinstance(methods, list) or not methods or any(m not in METHODS for m in methods):
        raise InvalidError(f"`methods` are some of {', '.join(METHODS)}.", field="allow")
    if not isinstance(paths, list) or not paths or not all(isinstance(p, str) for p in paths):
        raise InvalidError("`paths` is a list of texts.", field="allow")
    for path in paths:
        plain_path(path)
        if path.count("*") > 10 or "***" in path or "%" in path:
            raise InvalidError("A path of `allow` has at most ten stars, no *** and nothing encoded.", field="allow")
