"""What oneself was told by processes, macros and the system."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Query as FromQuery
from pydantic import BaseModel

from api.changes import OwnChange
from api.house import Reading
from api.pages import Limit, Listed, Query
from api.viewers import CurrentViewer
from store import notices
from store.transactions import Work

router = APIRouter(prefix="/notices", tags=["notices"])


class NoticesQuery(Query):
    """`after` is the id of the last notice of the page before."""

    unread: bool = False
    after: UUID | None = None
    limit: Limit = 50


class Notices(Listed):
    unread: int


class Read(BaseModel):
    read: int


@router.get("")
async def list_notices(asked: Annotated[NoticesQuery, FromQuery()], viewer: CurrentViewer, session: Reading) -> Notices:
    """One's own, newest first; `unread` counts all that wait to be read."""
    items, after, unread = await notices.list_notices(
        session, viewer.user_id, unread=asked.unread, after=asked.after, limit=asked.limit
    )
    return Notices(items=items, next=after, previous=None, unread=unread)


@router.post("/reading")
async def read_all(change: OwnChange) -> Read:
    """All of one's own are read now."""

    async def story(work: Work) -> dict[str, Any]:
        return await notices.mark_all_read(work, change.viewer.user_id)

    return Read(**await change.make(story))


@router.post("/{notice_id}/reading")
async def read_notice(notice_id: UUID, change: OwnChange) -> dict[str, Any]:
    async def story(work: Work) -> dict[str, Any]:
        return await notices.mark_read(work, change.viewer.user_id, notice_id)

    return await change.make(story)
