"""Names picked out of an outside system's answer: `status_code`, `headers.etag`, `body.items[0].state`."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "•••"
LONGEST = 500
MOST_STEPS = 20

_NAME = r"[^\s.\[\]\"'{}|%]{1,100}"
_PATH = re.compile(rf"body((?:\.{_NAME}|\[[0-9]{{1,6}}\])*)")
_STEP = re.compile(rf"\.({_NAME})|\[([0-9]{{1,6}})\]")
_HEADER = re.compile(r"headers\.([A-Za-z0-9!#$&^_`|~*+-]{1,100})")

Path = tuple[str | int, ...]


def parse_pick(path: str) -> Path:
    """`body.items[0].state` → ("body", "items", 0, "state"). Raises ValueError that says what a path looks like."""
    if len(path) <= LONGEST:
        if path == "status_code":
            return ("status_code",)
        if header := _HEADER.fullmatch(path):
            return ("headers", header[1].lower())
        if found := _PATH.fullmatch(path):
            steps = [name or int(number) for name, number in _STEP.findall(found[1])]
            if len(steps) <= MOST_STEPS:
                return ("body", *steps)
    raise ValueError(f"{path[:80]!r} is not a path: write status_code, headers.NAME or body.items[0].name")


def wants_body(picks: Mapping[str, str]) -> bool:
    return any(path.startswith("body") for path in picks.values())


def pick(
    picks: Mapping[str, str], *, status: int, headers: Mapping[str, str], body: Any, redact: frozenset[str]
) -> dict[str, Any]:
    """Name → what stands at its path, null where nothing does; `redact`: names (in small letters) shown as dots."""
    answer = {"status_code": status, "headers": headers, "body": body}
    return {name: _hide(_at(answer, parse_pick(path)), parse_pick(path), redact) for name, path in picks.items()}


def _at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _hide(value: Any, path: Path, redact: frozenset[str]) -> Any:
    if value is not None and any(isinstance(step, str) and step.lower() in redact for step in path):
        return HIDDEN
    return redacted(value, redact)


def redacted(value: Any, names: frozenset[str]) -> Any:
    """The same value with the members of these names (in small letters) shown as dots, however deep they stand."""
    if isinstance(value, Mapping):
        return {
            k: HIDDEN if v is not None and str(k).lower() in names else redacted(v, names) for k, v in value.items()
        }
    if isinstance(value, list):
        return [redacted(v, names) for v in value]
    return value


def without(value: Any, secret: str) -> Any:
    """The same value with every occurrence of a secret text shown as dots, in names as well."""
    if not secret:
        return value
    if isinstance(value, str):
        return value.replace(secret, HIDDEN)
    if isinstance(value, Mapping):
        return {without(k, secret): without(v, secret) for k, v in value.items()}
    if isinstance(value, list):
        return [without(v, secret) for v in value]
    return value


def storable(value: Any) -> Any:
    """The same JSON value with the characters no database stores (NUL, lone surrogates) replaced."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {storable(k): storable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [storable(v) for v in value]
    return value
