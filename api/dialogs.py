"""Reading dialogs: lists, and one with everything known of it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi import Query as FromQuery
from pydantic import Field

from api.fields import KEY_PATTERN
from api.house import Reading
from api.pages import CriteriaQuery, Cursor, Limit, Listed
from api.viewers import needs
from domain.criteria import Criteria
from domain.permissions import Permission as P
from domain.permissions import Viewer
from store import dialog_lists, dialog_rows, folders
from store.dialog_lists import Sort
from store.folders import Kind as FolderKind

router = APIRouter(prefix="/dialogs", tags=["dialogs"])
Reader = Annotated[Viewer, Depends(needs(P.DIALOG_READ))]


Named = Annotated[str, Field(pattern=KEY_PATTERN, description="Key or id.")]


class DialogsQuery(CriteriaQuery):
    """A `folder` and a `filter` narrow the list down: what they ask must fit besides."""

    folder: Named | None = None
    filter: Named | None = None
    sort: Sort = "newest"
    limit: Limit = 50
    after: Cursor | None = None
    before: Cursor | None = None


@router.get("")
async def list_dialogs(asked: Annotated[DialogsQuery, FromQuery()], viewer: Reader, session: Reading) -> Listed:
    """The dialogs the caller may read. `sort`: newest, oldest, waiting (the longest without an answer first),
    last_message, due (the deadline that presses most first, then those without one).
    """
    wanted = [await asked.criteria(session, viewer)]
    narrowed: tuple[tuple[FolderKind, str | None], ...] = (("folder", asked.folder), ("filter", asked.filter))
    for kind, named in narrowed:
        if named is not None:
            wanted.append(await folders.criteria_of(session, viewer, kind, named))
    first, *also = [c for c in wanted if c != Criteria()] or [Criteria()]
    page = await dialog_lists.list_dialogs(
        session, viewer, dialog_lists.Asked(first, asked.sort, asked.limit, asked.after, asked.before, tuple(also))
    )
    return Listed(items=page.items, next=page.next, previous=page.previous)


@router.get("/{dialog_id}")
async def read_dialog(dialog_id: UUID, viewer: Reader, session: Reading) -> dict[str, Any]:
    return await dialog_rows.get_dialog(session, viewer, dialog_id)
