"""What was said and what happened in one dialog, and why it went to whom."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi import Query as FromQuery
from pydantic import Field

from api.dialogs import Reader
from api.house import Reading
from api.languages import Language
from api.pages import Cursor, Limit, Listed, Query
from domain.errors import InvalidError
from store import threads, timelines

router = APIRouter(prefix="/dialogs/{dialog_id}", tags=["dialogs"])
Number = Annotated[int, Field(ge=0, le=2**63 - 1)]


class MessagesQuery(Query):
    """`after` and `before` are numbers of messages (`seq`); neither = the newest ones."""

    after: Number | None = None
    before: Number | None = None
    limit: Limit = 50


class TimelineQuery(Query):
    after: Cursor | None = None
    before: Cursor | None = None
    limit: Limit = 50


class DecisionsQuery(Query):
    after: Number | None = None
    limit: Limit = 50


@router.get("/messages")
async def list_messages(
    dialog_id: UUID, asked: Annotated[MessagesQuery, FromQuery()], viewer: Reader, session: Reading
) -> Listed:
    """Messages and internal notes in their order. Without the right to read texts they come without them."""
    if asked.after is not None and asked.before is not None:
        raise InvalidError("Give after or before, not both.", field="before")
    page = await threads.list_messages(
        session, viewer, dialog_id, after=asked.after, before=asked.before, limit=asked.limit
    )
    return Listed(items=page.items, next=page.next, previous=page.previous)


@router.get("/timeline")
async def read_timeline(
    dialog_id: UUID,
    asked: Annotated[TimelineQuery, FromQuery()],
    viewer: Reader,
    session: Reading,
    language: Language,
) -> Listed:
    """Messages, notes and facts merged in the order of time, with names and in plain words; what clocks did in the
    language of Accept-Language (en, uk), the rest in English.
    """
    page = await timelines.timeline(
        session, viewer, dialog_id, after=asked.after, before=asked.before, limit=asked.limit, language=language
    )
    return Listed(items=page.items, next=page.next, previous=page.previous)


@router.get("/decisions")
async def list_decisions(
    dialog_id: UUID, asked: Annotated[DecisionsQuery, FromQuery()], viewer: Reader, session: Reading
) -> Listed:
    """Every decision about who gets it, newest first: candidates, loads, limits, rule, tie-break."""
    page = await threads.list_decisions(session, viewer, dialog_id, after=asked.after, limit=asked.limit)
    return Listed(items=page.items, next=page.next, previous=page.previous)
