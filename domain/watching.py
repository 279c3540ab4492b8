"""What those who watch a ticket are told of a change, in a line of Ukrainian and one of English.

No texts of messages and no values of own fields: who watches may be somebody who does not read these.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.clocks.sentences import Fired
from domain.events import Fact
from domain.tickets import spoken

#: Ukrainian and English
Words = tuple[str, str]
#: of what kind (priority, topic, team, tag, field), and its key
Term = tuple[str, str]

_STATUSES: Mapping[str, Words] = {
    "new": ("новий", "new"), "open": ("відкритий", "open"), "in_progress": ("у роботі", "in progress"),
    "pending": ("очікує", "pending"), "resolved": ("вирішений", "resolved"), "closed": ("закритий", "closed"),
}  # fmt: skip
_NOBODY: Words = ("нікого", "nobody")
_NONE: Words = ("немає", "none")
_SAID: Mapping[str, Words] = {
    "subject": ("тема", "subject"), "description": ("опис", "description"),
    "pending_until": ("очікує до", "pending until"),
}  # fmt: skip
#: which fields of a fact hold keys of what has a name
_BY_NAME = ("priority", "topic", "team")
YOURS: Words = ("Вас призначено відповідальним.", "You are the assignee now.")
WATCHING: Words = ("Вас додано до спостерігачів.", "You watch it from now on.")


@dataclass(frozen=True, slots=True)
class Change:
    """A fact of a ticket; `names` of the people it may name, by their ids; `person`: whom it concerns.

    `terms`: how what `terms_of` asks for is called.
    """

    kind: str
    data: Mapping[str, Any]
    person: str | None
    names: Mapping[str, str]
    terms: Mapping[Term, Words] = field(default_factory=dict)

    def side(self, name: str, field: str) -> Any:
        inner = self.data.get(name)
        return inner.get(field) if isinstance(inner, Mapping) else None

    def name(self, person: Any) -> Words:
        return _same(self.names.get(str(person), "?")) if person else _NOBODY

    def term(self, kind: str, key: Any) -> Words:
        """As people call it; a status by its own word, what was removed since by its key."""
        if key is None:
            return _NONE
        return _STATUSES.get(key, _same(key)) if kind == "status" else self.terms.get((kind, str(key)), _same(key))


def terms_of(data: Mapping[str, Any]) -> Iterator[Term]:
    """What a line about this may have to call by its name."""
    for side in ("before", "after"):
        inner = data.get(side)
        if isinstance(inner, Mapping):
            yield from ((kind, str(inner[kind])) for kind in _BY_NAME if inner.get(kind) is not None)
            yield from (("field", str(key)) for key in inner.get("fields") or ())
    if data.get("tag") is not None:
        yield "tag", str(data["tag"])


def title_of(number: int) -> Words:
    """`number`: the ticket's."""
    return f"Тікет {spoken(number)}", f"Ticket {spoken(number)}"


def line_of(change: Change, actor: str | None) -> Words:
    """`actor`: the name of who did it; None: the system, a process, the client."""
    uk, en = LINES[change.kind](change)
    return (f"{uk} — {actor}", f"{en} — {actor}") if actor else (uk, en)


def _same(value: Any) -> Words:
    return str(value), str(value)


def _from_to(uk: str, en: str, what: str) -> Callable[[Change], Words]:
    def words(change: Change) -> Words:
        old, new = (change.term(what, change.side(side, what)) for side in ("before", "after"))
        return f"{uk}: {old[0]} → {new[0]}", f"{en}: {old[1]} → {new[1]}"

    return words


def _fixed(uk: str, en: str) -> Callable[[Change], Words]:
    return lambda _: (uk, en)


def _tag(uk: str, en: str) -> Callable[[Change], Words]:
    def words(change: Change) -> Words:
        tag = change.term("tag", change.data.get("tag"))
        return f"{uk}: {tag[0]}", f"{en}: {tag[1]}"

    return words


def _person(uk: str, en: str) -> Callable[[Change], Words]:
    return lambda change: (f"{uk}: {change.name(change.person)[0]}", f"{en}: {change.name(change.person)[1]}")


def _reassigned(change: Change) -> Words:
    if change.side("before", "team") is not None:
        return _from_to("Група", "Team", "team")(change)
    old, new = change.name(change.side("before", "operator")), change.name(change.side("after", "operator"))
    return f"Відповідальний: {old[0]} → {new[0]}", f"Assignee: {old[1]} → {new[1]}"


def _updated(change: Change) -> Words:
    """Which fields, never what they hold."""
    after, own = change.data.get("after"), change.side("after", "fields")
    names = [_SAID.get(str(n), _same(n)) for n in sorted(after) if n != "fields"] if isinstance(after, Mapping) else []
    names += [change.term("field", key) for key in sorted(own)] if isinstance(own, Mapping) else []
    uk, en = (", ".join(words[which] for words in names) for which in (0, 1))
    return f"Змінено поля: {uk}", f"Fields changed: {en}"


def _merged(change: Change) -> Words:
    gone, into = change.data.get("from_number"), change.data.get("into_number")
    if gone is not None:
        return f"Приєднано тікет {spoken(gone)}", f"Ticket {spoken(gone)} was merged into it"
    where = spoken(into) if into is not None else "?"
    return f"Об'єднано з тікетом {where}, він триває там", f"Merged into ticket {where}, where it goes on"


def _breached(change: Change) -> Words:
    uk, en = (Fired(change.data, None, "", language).name for language in ("uk", "en"))
    return f"Прострочено: {uk}", f"Overdue: {en}"


#: the facts that are told
LINES: Mapping[str, Callable[[Change], Words]] = {
    Fact.TICKET_STATUS_CHANGED: _from_to("Статус", "Status", "status"),
    Fact.TICKET_REOPENED: _fixed("Перевідкрито", "Reopened"),
    Fact.TICKET_CLOSED: _fixed("Закрито", "Closed"),
    Fact.TICKET_REASSIGNED: _reassigned,
    Fact.TICKET_UPDATED: _updated,
    Fact.DIALOG_CONVERTED: _fixed("Стало тікетом", "It is a ticket now"),
    Fact.DIALOG_TOPIC_CHANGED: _from_to("Тематика", "Topic", "topic"),
    Fact.DIALOG_TEAM_CHANGED: _from_to("Група", "Team", "team"),
    Fact.DIALOG_PRIORITY_CHANGED: _from_to("Пріоритет", "Priority", "priority"),
    Fact.DIALOG_TAGGED: _tag("Додано тег", "Tag added"),
    Fact.DIALOG_UNTAGGED: _tag("Прибрано тег", "Tag removed"),
    Fact.DIALOG_MERGED: _merged,
    Fact.PARTICIPANT_ADDED: _person("Долучено", "Brought in"),
    Fact.PARTICIPANT_REMOVED: _person("Більше не бере участі", "No longer takes part"),
    Fact.WATCHER_ADDED: _person("Спостерігає", "Watches it now"),
    Fact.WATCHER_REMOVED: _person("Більше не спостерігає", "No longer watches it"),
    Fact.MESSAGE_RECEIVED: _fixed("Написав клієнт", "The client wrote"),
    Fact.MESSAGE_QUEUED: _fixed("Відповідь клієнту", "A reply to the client"),
    Fact.MESSAGE_FAILED: _fixed("Відповідь не доставлено", "A reply could not be delivered"),
    Fact.NOTE_ADDED: _fixed("Нотатка", "A note"),
    Fact.CSAT_RECEIVED: _fixed("Клієнт поставив оцінку", "The client gave a score"),
    Fact.SLA_BREACHED: _breached,
}
#: told also to the assignee, who need not watch
TO_ASSIGNEE = frozenset({Fact.TICKET_REASSIGNED, Fact.SLA_BREACHED})
