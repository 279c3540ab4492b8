"""Those who watch a ticket are told of every change by somebody else, in the transaction that made it (P161, P162)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from domain import watching as words
from domain.dialogs import Kind
from domain.events import Fact
from domain.watching import Change
from store.ids import new_id

if TYPE_CHECKING:
    from store.dialogs import Scene
    from store.transactions import Work

_TICKETS = text("""
SELECT d.id, d.ticket_number, d.number,
       ARRAY(SELECT user_id FROM participants p WHERE p.dialog_id = d.id AND role = 'watcher') AS watchers
FROM dialogs d WHERE d.id = ANY(:ids) AND d.kind = 'ticket'
""")
_PEOPLE = text("SELECT id, name, locale, is_active FROM users WHERE id = ANY(:ids)")
_TERMS = text("""
SELECT 'priority' AS kind, key, name_uk AS uk, name_en AS en FROM priorities WHERE key = ANY(:priority)
UNION ALL SELECT 'topic', key, name, name FROM topics WHERE key = ANY(:topic)
UNION ALL SELECT 'team', key, name, name FROM teams WHERE key = ANY(:team)
UNION ALL SELECT 'tag', key, name, name FROM tags WHERE key = ANY(:tag)
UNION ALL SELECT 'field', key, name, name FROM ticket_fields WHERE key = ANY(:field)
""")
_TELL = text("""
INSERT INTO notices (id, user_id, title, text, link, run_id, dialog_id)
SELECT id, user_id, title, text, link, :run, dialog_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS told (id uuid, user_id uuid, title text, text text, link text, dialog_id uuid)
""")
Told = dict[str, Any]
Lines = list[tuple[str, str]]


@dataclass(slots=True)
class _Ticket:
    """`facts`: what is to be told; `watchers` as the transaction found them: who came since was told so."""

    id: UUID
    number: int
    watchers: Collection[UUID]
    facts: list[Told] = field(default_factory=list)

    def hearers(self, fact: Told) -> set[UUID]:
        """Whoever did it knows already; who began to watch with it was told so."""
        people = set(self.watchers)
        if fact["kind"] in words.TO_ASSIGNEE and fact["operator_id"] is not None:
            people.add(fact["operator_id"])
        if fact["kind"] in (Fact.WATCHER_ADDED, Fact.WATCHER_REMOVED):
            people.discard(fact["operator_id"])
        return people - {fact["actor_id"]}


async def tell_watchers(work: Work, facts: Sequence[Told]) -> None:
    """Asks nothing of the database where nobody is to be told, as far as the scenes at hand say so."""
    by_dialog: defaultdict[UUID, list[Told]] = defaultdict(list)
    opened = {f["dialog_id"] for f in facts if f["kind"] == Fact.DIALOG_OPENED}
    for fact in facts:
        is_heard = fact["dialog_id"] not in opened or fact["kind"] in words.TO_ASSIGNEE
        if is_heard and fact["kind"] in words.LINES and fact["dialog_id"] is not None:
            by_dialog[fact["dialog_id"]].append(fact)
    tickets = await _tickets(work, by_dialog)
    heard = {t.id: {i: p for i, f in enumerate(t.facts) if (p := t.hearers(f))} for t in tickets}
    if any(heard.values()):
        await _tell(work, tickets, heard)


async def _tickets(work: Work, by_dialog: Mapping[UUID, list[Told]]) -> list[_Ticket]:
    known: list[_Ticket] = []
    unknown: list[UUID] = []
    for dialog_id, facts in by_dialog.items():
        scene = work.scenes.get(dialog_id)
        kind = vars(scene.dialog).get("kind") if scene is not None else None
        if scene is None or kind is None:  # not at hand, or out of date since a savepoint was rolled back
            unknown.append(dialog_id)
        elif kind == Kind.TICKET:
            dialog = scene.dialog
            known.append(_Ticket(dialog_id, dialog.ticket_number or dialog.number, scene.relation.watchers, facts))
    if unknown:
        await work.session.flush()
        rows = await work.session.execute(_TICKETS, {"ids": sorted(unknown)})
        known += [_Ticket(r.id, r.ticket_number or r.number, r.watchers, by_dialog[r.id]) for r in rows]
    return known


async def _tell(work: Work, tickets: Sequence[_Ticket], heard: Mapping[UUID, Mapping[int, set[UUID]]]) -> None:
    facts = [f for t in tickets for f in t.facts]
    ids = {p for told in heard.values() for people in told.values() for p in people} | _named(facts)
    people = {p.id: p for p in await work.session.execute(_PEOPLE, {"ids": sorted(ids)})}
    names = {str(p.id): p.name for p in people.values()}
    terms = await _terms(work, facts)
    rows: list[dict[str, Any]] = []
    for ticket in tickets:
        lines: defaultdict[UUID, Lines] = defaultdict(list)
        for place, hearers in heard[ticket.id].items():
            line = _line(ticket.facts[place], names, terms)
            for person in hearers:
                is_given = ticket.facts[place]["kind"] == Fact.TICKET_REASSIGNED
                is_mine = is_given and person == ticket.facts[place]["operator_id"]
                lines[person].append(words.YOURS if is_mine else line)
        for person, told in sorted(lines.items()):
            if person in people and people[person].is_active:
                titles, is_english = words.title_of(ticket.number), people[person].locale == "en"
                rows.append(_row(ticket.id, person, titles, told, is_english=is_english))
    if rows:
        await _write(work, rows, "watchers")


async def _write(work: Work, rows: Sequence[dict[str, Any]], to: str | None) -> None:
    """The notices, and one event which those told hear."""
    await work.session.execute(_TELL, {"rows": json.dumps(rows), "run": work.run_id})
    work.record(
        Fact.NOTICE_SENT, count=len(rows), to=to, people=sorted({r["user_id"] for r in rows}),
        dialogs=sorted({r["dialog_id"] for r in rows}),
    )  # fmt: skip


async def _terms(work: Work, facts: Sequence[Told]) -> dict[words.Term, words.Words]:
    """How priorities, topics, teams, tags and fields are called that the lines may name."""
    keys: dict[str, list[str]] = {"priority": [], "topic": [], "team": [], "tag": [], "field": []}
    for kind, key in {term for fact in facts for term in words.terms_of(fact["data"])}:
        keys[kind].append(key)
    if not any(keys.values()):
        return {}
    return {(r.kind, r.key): (r.uk, r.en) for r in await work.session.execute(_TERMS, keys)}


def _line(fact: Told, names: Mapping[str, str], terms: Mapping[words.Term, words.Words]) -> tuple[str, str]:
    person = str(fact["operator_id"]) if fact["operator_id"] else None
    actor = names.get(str(fact["actor_id"])) if fact["actor_kind"] == "user" else None
    return words.line_of(Change(fact["kind"], fact["data"], person, names, terms), actor)


def _row(
    dialog_id: UUID, person: UUID, titles: tuple[str, str], lines: Sequence[tuple[str, str]], *, is_english: bool
) -> dict[str, Any]:
    which = 1 if is_english else 0
    body = "\n".join(dict.fromkeys(line[which] for line in lines))
    return {
        "id": str(new_id()), "user_id": str(person), "title": titles[which], "text": body,
        "link": f"/dialogs/{dialog_id}", "dialog_id": str(dialog_id),
    }  # fmt: skip


def _named(facts: Sequence[Told]) -> set[UUID]:
    """Whom the lines may name."""
    found = {f["actor_id"] for f in facts if f["actor_kind"] == "user"} | {f["operator_id"] for f in facts}
    for fact in facts:
        for side in ("before", "after"):
            inner = fact["data"].get(side)
            if isinstance(inner, Mapping) and inner.get("operator"):
                found.add(UUID(str(inner["operator"])))
    return {i for i in found if i is not None}


async def tell_of_watching(work: Work, scene: Scene, people: Sequence[UUID], to: str | None) -> None:
    """Somebody made these people watch a dialog: they are told, whatever its kind."""
    dialog = scene.dialog
    found = await work.session.execute(_PEOPLE, {"ids": sorted(people)})
    number = dialog.ticket_number
    titles = words.title_of(number) if number is not None else (f"#{dialog.number}", f"#{dialog.number}")
    rows = [_row(dialog.id, p.id, titles, [words.WATCHING], is_english=p.locale == "en") for p in found if p.is_active]
    if rows:
        await _write(work, rows, to)
