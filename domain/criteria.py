"""Which dialogs a list, a folder or a filter holds: a closed list of fields, OR within a field, AND between fields.

The same criteria answer `matches` here and compile to SQL in store/criteria.py.
"""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from domain.dialogs import Kind, Place, Status
from domain.errors import InvalidError
from domain.tickets import read_spoken

NONE = "none"
ME = "me"
MOST_VALUES = 100
LONGEST_KEY = 200
LONGEST_WORDS = 200
#: a contact is looked for by its name, phone or e-mail from this many characters on
SHORTEST_CONTACT = 3
BIGGEST_NUMBER = 2**63 - 1

STATUSES = frozenset(str(s) for s in Status)
PLACES = frozenset(str(p) for p in Place)
KINDS = frozenset(str(k) for k in Kind)
_YEARS = (1970, 9998)
_WORD = re.compile(r"\w+")
_PHONE = re.compile(r"[+()\d\s.-]+")


@dataclass(frozen=True, slots=True)
class Criteria:
    """An empty set and None ask nothing of their field. `None` in a set stands for "has none".

    `status` holds statuses and places alike. `operator`: who holds the dialog, of a closed one who held it last.
    `opened_from` counts itself, `opened_to` does not. `overdue`: a promise to the client is broken, see
    domain.clocks.deadlines. `words`: all of them in one message, or the dialog's or ticket's number, or a part of the
    contact's name, phone or e-mail.
    """

    status: frozenset[str] = frozenset()
    kind: frozenset[str] = frozenset()
    topic: frozenset[str | None] = frozenset()
    tag: frozenset[str | None] = frozenset()
    operator: frozenset[UUID | None] = frozenset()
    channel: frozenset[str] = frozenset()
    team: frozenset[str] = frozenset()
    contact: frozenset[UUID] = frozenset()
    rating: frozenset[int | None] = frozenset()
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    awaiting_reply: bool | None = None
    overdue: bool | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class DialogView:
    """What criteria look at in one dialog. `texts`: its messages' texts, as far as the asker may read them."""

    number: int
    status: str
    place: str | None
    kind: str
    channel: str
    team: str
    contact_id: UUID
    opened_at: datetime
    topic: str | None = None
    tags: frozenset[str] = frozenset()
    operator_id: UUID | None = None
    last_operator_id: UUID | None = None
    rating: int | None = None
    awaiting_reply_since: datetime | None = None
    is_overdue: bool = False
    ticket_number: int | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    contact_email: str | None = None
    texts: tuple[str, ...] = ()

    @property
    def handler(self) -> UUID | None:
        return self.last_operator_id if self.status == Status.CLOSED else self.operator_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `words` may mean: a dialog's or a ticket's number, a part of a contact's particulars, words of a message."""

    number: int | None
    ticket: int | None
    contact: str | None
    words: tuple[str, ...] = field(default=())


def read_words(words: str) -> Wanted:
    """How a search text is understood."""
    asked = words.strip()
    digits = asked.removeprefix("#")
    number = int(digits) if digits.isascii() and digits.isdigit() and int(digits) <= BIGGEST_NUMBER else None
    part = re.sub(r"\D", "", asked) if _PHONE.fullmatch(asked) else asked.lower()
    ticket = number if number is not None else read_spoken(asked)
    return Wanted(number, ticket, part if len(part) >= SHORTEST_CONTACT else None, tuple(_WORD.findall(asked.lower())))


def matches(dialog: DialogView, criteria: Criteria) -> bool:
    c = criteria
    return (
        _fits({dialog.status, dialog.place}, c.status)
        and _fits({dialog.kind}, c.kind)
        and _fits({dialog.topic}, c.topic)
        and _fits(dialog.tags or {None}, c.tag)
        and _fits({dialog.handler}, c.operator)
        and _fits({dialog.channel}, c.channel)
        and _fits({dialog.team}, c.team)
        and _fits({dialog.contact_id}, c.contact)
        and _fits({dialog.rating}, c.rating)
        and (c.opened_from is None or dialog.opened_at >= c.opened_from)
        and (c.opened_to is None or dialog.opened_at < c.opened_to)
        and (c.awaiting_reply is None or c.awaiting_reply == (dialog.awaiting_reply_since is not None))
        and (c.overdue is None or c.overdue == dialog.is_overdue)
        and (c.words is None or _is_found(dialog, read_words(c.words)))
    )


def _fits(has: Set[Any], asked: Set[Any]) -> bool:
    return not asked or bool(has & asked)


def _is_found(dialog: DialogView, wanted: Wanted) -> bool:
    if wanted.number == dialog.number or (wanted.ticket is not None and wanted.ticket == dialog.ticket_number):
        return True
    if wanted.contact is not None and wanted.contact in sought_of(
        dialog.contact_name, dialog.contact_phone, dialog.contact_email
    ):
        return True
    return bool(wanted.words) and any(set(wanted.words) <= set(_WORD.findall(t.lower())) for t in dialog.texts)


def sought_of(name: str | None, phone: str | None, email: str | None) -> str:
    """What a search for a contact looks into, one particular a line (the column contacts.sought)."""
    return "\n".join((name or "", phone or "", re.sub(r"\D", "", phone or ""), email or "")).lower()


def parse(given: Mapping[str, Sequence[str]], *, me: UUID, zone: tzinfo) -> Criteria:
    """Criteria from query parameters. A date without a time is the whole day in `zone`.

    Raises InvalidError naming the field.
    """
    unknown = sorted(given.keys() - PARSERS.keys())
    if unknown:
        raise InvalidError(f"There is no field {unknown[0]!r}. Known: {', '.join(PARSERS)}.", field=unknown[0])
    read: dict[str, object] = {}
    for name, values in given.items():
        attribute, parser = PARSERS[name]
        if len(values) > MOST_VALUES:
            raise InvalidError(f"{name}: at most {MOST_VALUES} values.", field=name)
        if values:
            read[attribute] = parser(name, values, me, zone)
    criteria = Criteria(**read)  # type: ignore[arg-type]
    if criteria.opened_from and criteria.opened_to and criteria.opened_from >= criteria.opened_to:
        raise InvalidError("from must lie before to.", field="from")
    return criteria


Parser = Callable[[str, Sequence[str], UUID, tzinfo], object]


def _one_of(known: frozenset[str]) -> Parser:
    def read(name: str, values: Sequence[str], _me: UUID, _zone: tzinfo) -> object:
        for value in values:
            if value not in known:
                raise InvalidError(f"{name} {value!r} is unknown. Known: {', '.join(sorted(known))}.", field=name)
        return frozenset(values)

    return read


def require_keys(name: str, values: Sequence[str]) -> frozenset[str]:
    """Raises InvalidError for what cannot be a key."""
    for value in values:
        if not value or len(value) > LONGEST_KEY or not _is_storable(value):
            raise InvalidError(f"{name} is a key of 1 to {LONGEST_KEY} characters.", field=name)
    return frozenset(values)


def _keys(*, may_be_none: bool) -> Parser:
    def read(name: str, values: Sequence[str], _me: UUID, _zone: tzinfo) -> object:
        require_keys(name, values)
        return frozenset(None if may_be_none and v == NONE else v for v in values)

    return read


def _people(name: str, values: Sequence[str], me: UUID, _zone: tzinfo) -> object:
    return frozenset(None if v == NONE else me if v == ME else _uuid(name, v) for v in values)


def _contacts(name: str, values: Sequence[str], _me: UUID, _zone: tzinfo) -> object:
    return frozenset(_uuid(name, v) for v in values)


def _uuid(name: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise InvalidError(f"{name} is an id.", field=name) from None


def _ratings(name: str, values: Sequence[str], _me: UUID, _zone: tzinfo) -> object:
    for value in values:
        if value != NONE and not re.fullmatch(r"\d{1,3}", value, re.ASCII):
            raise InvalidError(f"{name} is a score or none.", field=name)
    return frozenset(None if v == NONE else int(v) for v in values)


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise InvalidError(f"{name} may be given once.", field=name)
    return values[0]


def _yes_or_no(name: str, values: Sequence[str], _me: UUID, _zone: tzinfo) -> object:
    value = _single(name, values).lower()
    if value not in ("true", "false", "1", "0"):
        raise InvalidError(f"{name} is true or false.", field=name)
    return value in ("true", "1")


def _words(name: str, values: Sequence[str], _me: UUID, _zone: tzinfo) -> object:
    value = _single(name, values).strip()
    if len(value) > LONGEST_WORDS or not _is_storable(value):
        raise InvalidError(f"{name} has at most {LONGEST_WORDS} printable characters.", field=name)
    return value or None


def _is_storable(value: str) -> bool:
    return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _from(name: str, values: Sequence[str], _me: UUID, zone: tzinfo) -> object:
    return read_moment(name, _single(name, values), zone)


def _to(name: str, values: Sequence[str], _me: UUID, zone: tzinfo) -> object:
    return read_moment(name, _single(name, values), zone, ends_day=True)


def read_moment(name: str, value: str, zone: tzinfo, *, ends_day: bool = False) -> datetime:
    """A moment, or a date: its beginning in `zone`, with `ends_day` the beginning of the next. Raises InvalidError."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            day = date.fromisoformat(value) + timedelta(days=1 if ends_day else 0)
            moment = datetime(day.year, day.month, day.day, tzinfo=zone)
        else:
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise InvalidError(f"{name} is a date (2026-11-22) or a moment (2026-11-22T09:00:00Z).", field=name)
    return moment


#: query parameter → attribute of Criteria, how it is read
PARSERS: dict[str, tuple[str, Parser]] = {
    "status": ("status", _one_of(STATUSES | PLACES)),
    "kind": ("kind", _one_of(KINDS)),
    "topic": ("topic", _keys(may_be_none=True)),
    "tag": ("tag", _keys(may_be_none=True)),
    "operator": ("operator", _people),
    "channel": ("channel", _keys(may_be_none=False)),
    "team": ("team", _keys(may_be_none=False)),
    "contact": ("contact", _contacts),
    "rating": ("rating", _ratings),
    "from": ("opened_from", _from),
    "to": ("opened_to", _to),
    "awaiting_reply": ("awaiting_reply", _yes_or_no),
    "overdue": ("overdue", _yes_or_no),
    "q": ("words", _words),
}
