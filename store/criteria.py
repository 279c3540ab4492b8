"""Criteria as SQL: the same answer as domain.criteria.matches, in pieces that indexes can serve."""

from collections.abc import Sequence
from itertools import product
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, literal, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from domain.criteria import PLACES, Criteria, read_words
from store.deadlines import is_late, late_dialogs
from store.tables import Contact, Dialog, Message

Conditions = list[ColumnElement[bool]]

#: as indexed (store.tables.dialogs.HANDLER)
handler = case((Dialog.status == literal_column("'closed'"), Dialog.last_operator_id), else_=Dialog.operator_id)
#: more alternatives than this are asked as one OR
_MOST_BRANCHES = 4
#: words in at most so many messages are rare
_RARE = 1_000


def compile_criteria(criteria: Criteria, *, with_texts: bool) -> ColumnElement[bool]:
    """One condition on dialogs."""
    return or_(*(and_(literal_column("true"), *branch) for branch in alternatives(criteria, with_texts=with_texts)))


def alternatives(criteria: Criteria, *, with_texts: bool, said_in: Sequence[UUID] | None = None) -> list[Conditions]:
    """Lists of conditions whose union is the criteria: an OR over columns becomes branches, each with its own index.

    `with_texts`: whether the asker may read messages; otherwise words are not looked for in them. `said_in`: what
    `dialogs_saying` found for them.
    """
    found = _sought(criteria.words, with_texts=with_texts, said_in=said_in) if criteria.words else [[]]
    shared = _shared(criteria)
    return [shared + status + words for status, words in product(_statuses(criteria.status), found)]


def _statuses(asked: frozenset[str]) -> list[Conditions]:
    if not asked:
        return [[]]
    branches = [Dialog.place == v if v in PLACES else Dialog.status == v for v in sorted(asked)]
    if len(branches) > _MOST_BRANCHES:
        places, statuses = sorted(asked & PLACES), sorted(asked - PLACES)
        return [[or_(Dialog.place.in_(places), Dialog.status.in_(statuses))]]
    return [[branch] for branch in branches]


async def dialogs_saying(session: AsyncSession, words: str) -> list[UUID] | None:
    """The dialogs with a message of all these words when they are rare; None when they are common.

    Which of the two it is decides how to search: through the index of words, or through the dialogs in their order
    until a page is full. Estimates cannot tell a word of one message from one of thousands.
    """
    wanted = read_words(words).words
    if not wanted:
        return []
    found = list(await session.scalars(select(Message.dialog_id).where(_says(wanted)).limit(_RARE + 1)))
    return None if len(found) > _RARE else sorted(set(found))


def _says(words: Sequence[str]) -> ColumnElement[bool]:
    query = func.plainto_tsquery(text("'simple'"), " ".join(words), type_=TSQUERY)
    return Message.words.bool_op("@@")(query)


def _sought(words: str, *, with_texts: bool, said_in: Sequence[UUID] | None) -> list[Conditions]:
    wanted = read_words(words)
    branches: list[Conditions] = []
    if wanted.number is not None:
        branches.append([Dialog.number == wanted.number])
    if wanted.ticket is not None:
        branches.append([Dialog.ticket_number == wanted.ticket])
    if wanted.contact is not None:
        like = "%" + wanted.contact.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        branches.append([Dialog.contact_id.in_(select(Contact.id).where(Contact.sought.like(like)))])
    if wanted.words and with_texts:
        messages = select(Message.dialog_id).where(_says(wanted.words))
        branches.append([Dialog.id.in_(messages if said_in is None else said_in)])
    return branches or [[literal(False)]]


def _shared(c: Criteria) -> Conditions:
    conditions: Conditions = []
    if c.kind:
        conditions.append(_one_of(Dialog.kind, c.kind))
    if c.topic:
        conditions.append(_one_of(Dialog.topic_key, c.topic))
    if c.tag:
        conditions.append(_tags(c.tag))
    if c.operator:
        conditions.append(_one_of(handler, c.operator))
    if c.channel:
        conditions.append(_one_of(Dialog.channel_key, c.channel))
    if c.team:
        conditions.append(_one_of(Dialog.team_key, c.team))
    if c.contact:
        conditions.append(_one_of(Dialog.contact_id, c.contact))
    if c.rating:
        conditions.append(_one_of(Dialog.rating, c.rating))
    if c.opened_from is not None:
        conditions.append(Dialog.opened_at >= c.opened_from)
    if c.opened_to is not None:
        conditions.append(Dialog.opened_at < c.opened_to)
    if c.awaiting_reply is not None:
        since = Dialog.awaiting_reply_since
        conditions.append(since.is_not(None) if c.awaiting_reply else since.is_(None))
    if c.overdue is not None:
        conditions.append(Dialog.id.in_(late_dialogs) if c.overdue else ~is_late)
    return conditions


def _one_of(column: Any, asked: frozenset[Any]) -> ColumnElement[bool]:
    values = [v for v in asked if v is not None]
    if not values:
        return cast(ColumnElement[bool], column.is_(None))
    is_one = column == values[0] if len(values) == 1 else column.in_(values)
    return or_(column.is_(None), is_one) if None in asked else is_one


def _tags(asked: frozenset[str | None]) -> ColumnElement[bool]:
    keys = sorted(k for k in asked if k is not None)
    has_any = Dialog.tags.overlap(keys)
    has_none = func.cardinality(Dialog.tags) == 0
    if not keys:
        return has_none
    return or_(has_none, has_any) if None in asked else has_any
