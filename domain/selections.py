"""Structured conditions over dialogs, contacts and operators: a closed list of fields, each with its kind of value.

`read` turns `{field, op, value}` trees, their values rendered, into tests; store/selections.py compiles them to SQL.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.durations import parse_duration
from domain.errors import InvalidError

#: fields of the target `dialog`; those of `contact` may be asked of a dialog's contact, too
DIALOG_FIELDS: Mapping[str, str] = {
    "dialog.id": "id", "dialog.number": "number", "dialog.kind": "text", "dialog.status": "text",
    "dialog.place": "text", "dialog.channel": "text", "dialog.channel_kind": "text", "dialog.team": "text",
    "dialog.topic": "text", "dialog.priority": "text", "dialog.subject": "text", "dialog.ticket_type": "text",
    "dialog.tags": "list", "dialog.fields": "open", "dialog.weight": "number", "dialog.operator_id": "id",
    "dialog.operator_name": "text", "dialog.author_id": "id", "dialog.csat": "number", "dialog.cycle": "number",
    "dialog.opened_at": "moment", "dialog.closed_at": "moment", "dialog.closed_by": "id",
    "dialog.waiting_since": "moment", "dialog.assigned_at": "moment", "dialog.awaiting_reply_since": "moment",
    "dialog.last_message_at": "moment", "dialog.last_message_from": "text",
    "dialog.last_client_message_at": "moment", "dialog.ticket_number": "number", "dialog.description": "text",
    "dialog.pending_until": "moment", "dialog.due_at": "moment", "dialog.is_overdue": "boolean",
}  # fmt: skip
CONTACT_FIELDS: Mapping[str, str] = {
    "contact.id": "id", "contact.name": "text", "contact.phone": "text", "contact.email": "text",
    "contact.external_id": "text", "contact.consent": "boolean", "contact.blocked": "boolean",
    "contact.tags": "list", "contact.fields": "open", "contact.created_at": "moment",
}  # fmt: skip
OPERATOR_FIELDS: Mapping[str, str] = {
    "operator.id": "id", "operator.name": "text", "operator.email": "text", "operator.status": "text",
    "operator.teams": "list",
}  # fmt: skip
#: target → what its selection may ask
FIELDS: Mapping[str, Mapping[str, str]] = {
    "dialog": {**DIALOG_FIELDS, **CONTACT_FIELDS},
    "contact": CONTACT_FIELDS,
    "operator": OPERATOR_FIELDS,
    "none": {},
}
#: what items may be ordered by: texts have no order people agree on
ORDERABLE = frozenset({"moment", "number"})

_ANY = {"eq", "ne", "in", "not_in", "is_empty", "is_not_empty"}
_ORDERED = {"gt", "gte", "lt", "lte", "between"}
OPS: Mapping[str, frozenset[str]] = {
    "id": frozenset(_ANY),
    "text": frozenset(_ANY | {"contains", "not_contains", "starts_with"}),
    "open": frozenset(_ANY | {"contains", "not_contains", "starts_with"}),
    "number": frozenset(_ANY | _ORDERED),
    "moment": frozenset(_ANY | _ORDERED | {"older_than", "newer_than"}),
    "boolean": frozenset({"eq", "ne", "is_empty", "is_not_empty"}),
    "list": frozenset({"contains", "not_contains", "in", "not_in", "is_empty", "is_not_empty"}),
}
MOST_VALUES = 2_000
MOST_TESTS = 100
DEEPEST = 8
LONGEST_TEXT = 2_000
_BIGGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """`kind` of the field; `value` in its type: text, number, moment, a duration for older_than and newer_than, a tuple
    for in, not_in and between. `part`: the name below an open field.
    """

    field: str
    kind: str
    op: str
    value: Any = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Both:
    """All of them; of no condition at all, everything."""

    tests: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Either:
    tests: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Neither:
    test: "Tree"


Tree = Asked | Both | Either | Neither


def read(where: Any, target: str, *, pointer: str = "/where") -> Tree:
    """The tests of a rendered condition. Raises InvalidError with the `pointer` of what is wrong."""
    return _Reader(FIELDS.get(target, {})).read(where, pointer, 0)


class _Reader:
    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self._count = 0

    def read(self, where: Any, pointer: str, depth: int) -> Tree:
        self._count += 1
        if depth > DEEPEST or self._count > MOST_TESTS:
            raise _wrong(pointer, f"A condition has at most {MOST_TESTS} tests, nested at most {DEEPEST} deep.")
        if not isinstance(where, Mapping):
            raise _wrong(pointer, "A condition is {field, op, value}, or {all: […]}, {any: […]}, {not: …}.")
        for key, kind in (("all", Both), ("any", Either)):
            if key in where:
                _only(where, {key}, pointer)
                given = where[key]
                if not isinstance(given, list | tuple) or (key == "any" and not given):
                    raise _wrong(f"{pointer}/{key}", f"{key} is a list of conditions.")
                return kind(tuple(self.read(w, f"{pointer}/{key}/{i}", depth + 1) for i, w in enumerate(given)))
        if "not" in where:
            _only(where, {"not"}, pointer)
            return Neither(self.read(where["not"], f"{pointer}/not", depth + 1))
        return self._test(where, pointer)

    def _test(self, where: Mapping[str, Any], pointer: str) -> Asked:
        _only(where, {"field", "op", "value"}, pointer)
        field, op = where.get("field"), where.get("op")
        kind, part = self._kind_of(field)
        if kind is None:
            known = ", ".join(sorted(self._fields)) or "none here"
            raise _wrong(f"{pointer}/field", f"There is no field {_shown(field)} to select by. Known: {known}.")
        if op not in OPS[kind]:
            raise _wrong(f"{pointer}/op", f"{field} takes one of {', '.join(sorted(OPS[kind]))}, not {_shown(op)}.")
        if op in ("is_empty", "is_not_empty"):
            return Asked(str(field), kind, str(op), None, part)
        if "value" not in where:
            raise _wrong(f"{pointer}/value", f"{op} needs a value.")
        value = where["value"]
        return Asked(str(field), kind, str(op), _value(str(op), kind, value, f"{pointer}/value"), part)

    def _kind_of(self, field: Any) -> tuple[str | None, str | None]:
        if not isinstance(field, str):
            return None, None
        if field in self._fields:
            kind = self._fields[field]
            return (kind, None) if kind != "open" else (None, None)
        for root in ("dialog.fields.", "contact.fields."):
            part = field.removeprefix(root)
            if part != field and root[:-1] in self._fields and 0 < len(part) <= 100 and "\x00" not in part:
                return "open", part
        return None, None


def _only(where: Mapping[str, Any], known: set[str], pointer: str) -> None:
    unknown = sorted(str(k) for k in where if k not in known)
    if unknown:
        raise _wrong(f"{pointer}/{unknown[0][:50]}", f"{unknown[0][:50]!r} does not belong here.")


def _wrong(pointer: str, message: str) -> InvalidError:
    return InvalidError(message, errors=[{"pointer": pointer, "code": "invalid_condition", "message": message}])


def _shown(value: Any) -> str:
    return repr(value)[:60]


def _value(op: str, kind: str, value: Any, pointer: str) -> Any:
    if op in ("older_than", "newer_than"):
        return _duration(value, pointer)
    if op == "between":
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise _wrong(pointer, "between takes [from, to].")
        return tuple(_single(kind, v, pointer) for v in value)
    if op in ("in", "not_in"):
        values = value if isinstance(value, list | tuple) else [value]
        if len(values) > MOST_VALUES:
            raise _wrong(pointer, f"At most {MOST_VALUES} values.")
        return tuple(_single(kind, v, pointer) for v in values if v is not None)
    if value is None and op in ("eq", "ne"):
        return None
    return _single(kind, value, pointer)


def _duration(value: Any, pointer: str) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(value) if isinstance(value, str) else _no_duration()
    except ValueError:
        raise _wrong(pointer, f"{_shown(value)} is not a duration: write 30s, 15m, 2h or 3d.") from None


def _no_duration() -> timedelta:
    raise ValueError


def _single(kind: str, value: Any, pointer: str) -> Any:
    if kind == "moment":
        return _moment(value, pointer)
    if kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _BIGGEST or value != value:
            raise _wrong(pointer, f"{_shown(value)} is not a number.")
        return value
    if kind == "boolean":
        if not isinstance(value, bool):
            raise _wrong(pointer, f"{_shown(value)} is neither true nor false.")
        return value
    if kind == "open" and isinstance(value, bool | int | float):
        return json.dumps(value)
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not _is_storable(value):
        raise _wrong(pointer, f"{_shown(value)} is not a text of at most {LONGEST_TEXT} characters.")
    if kind == "id":
        return as_id(value)
    return value


def as_id(value: str) -> UUID:
    """The nil id for a text that is nobody's id: nothing equals it."""
    try:
        return UUID(value)
    except ValueError:
        return UUID(int=0)


def _moment(value: Any, pointer: str) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if 1970 <= moment.year <= 9998:
            return moment
    except (ValueError, TypeError):
        pass
    raise _wrong(pointer, f"{_shown(value)} is not a moment such as 2026-11-22T09:00:00Z.")


def _is_storable(value: str) -> bool:
    return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
