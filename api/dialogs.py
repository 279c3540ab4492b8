"""Reading dialogs: lists, and one with everything known of it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi import Query as FromQuery

from api.house import Reading
from api.pages import CriteriaQuery, Cursor, Limit, Listed
from api.viewers import needs
from domain.permissions import Permission as P
from domain.permissions import Viewer
from store import dialog_lists, dialog_rows
from store.dialog_lists import Sort

router = APIRouter(prefix="/dialogs", tags=["dialogs"])
Reader = Annotated[Viewer, Depends(needs(P.DIALOG_READ))]


class DialogsQuery(CriteriaQuery):
    sort: Sort = "newest"
    limit: Limit = 50
    after: Cursor | None = None
    before: Cursor | None = None


@router.get("")
async def list_dialogs(asked: Annotated[DialogsQuery, FromQuery()], viewer: Reader, session: Reading) -> Listed:
    """The dialogs the caller may read. `sort`: newest, oldest, waiting (the longest without an answer first),
    last_message.
    """
    criteria = await asked.criteria(session, viewer)
    page = await dialog_lists.list_dialogs(
        session, viewer, dialog_lists.Asked(criteria, asked.sort, asked.limit, asked.after, asked.before)
    )
    return Listed(items=page.items, next=page.next, previous=page.previous)


@router.get("/{dialog_id}")
async def read_dialog(dialog_id: UUID, viewer: Reader, session: Reading) -> dict[str, Any]:
    return await dialog_rows.get_dialog(session, viewer, dialog_id)
