"""Folders (shared lists of dialogs; changing them needs desk.manage) and saved filters (one's own)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, create_model

from api.changes import Change, changing
from api.fields import UNSENT, Body, Key, KeyInPath, Name, Storable
from api.house import Reading
from api.viewers import needs
from domain.criteria import MOST_VALUES, PARSERS
from domain.permissions import Permission, Viewer
from store import folders
from store.folders import Kind
from store.transactions import Work

Reader = Annotated[Viewer, Depends(needs(Permission.DESK_READ))]
Value = Annotated[str, Field(max_length=200), Storable]
Values = Annotated[list[Value], Field(max_length=MOST_VALUES)]


class _Criteria(Body):
    """As the query parameters of `GET /dialogs`: field → values."""


Criteria = create_model(
    "FolderCriteria",
    __base__=_Criteria,
    **{("from_" if name == "from" else name): (Values, Field(default_factory=list, alias=name)) for name in PARSERS},  # type: ignore[call-overload]
)


class Folder(BaseModel):
    """`criteria`: field → values, as the query parameters of `GET /dialogs`; `me` is whoever looks."""

    id: str
    key: str
    kind: str
    name: str
    criteria: dict[str, list[str]]
    owner_id: str | None
    public: bool
    created_at: str


class Folders(BaseModel):
    items: list[Folder]


class NewFolder(Body):
    key: Key
    name: Name
    criteria: Criteria


class FolderChange(Body):
    name: Name = UNSENT
    criteria: Criteria = UNSENT


class NewFilter(NewFolder):
    """`public`: others may use it, too; needs desk.manage."""

    public: bool = False


class FilterChange(FolderChange):
    public: bool = UNSENT


def _plain(given: dict[str, Any], body: Any) -> dict[str, Any]:
    if "criteria" in given:
        given["criteria"] = {n: v for n, v in body.criteria.model_dump(by_alias=True).items() if v}
    return given


def _router(prefix: str, kind: Kind, new: type[NewFolder], changed: type[FolderChange], may: Permission) -> APIRouter:
    router = APIRouter(prefix=prefix, tags=["folders"])
    Changing = Annotated[Change, Depends(changing(may))]

    @router.get("", name=f"list_{kind}s")
    async def list_all(viewer: Reader, session: Reading) -> Folders:
        return Folders.model_validate({"items": await folders.all_folders(session, viewer, kind)})

    @router.get("/{key}", name=f"read_{kind}")
    async def read(key: KeyInPath, viewer: Reader, session: Reading) -> Folder:
        return Folder(**await folders.get_folder(session, viewer, kind, key))

    @router.post("", status_code=201, name=f"add_{kind}")
    async def add(body: new, change: Changing) -> Folder:  # type: ignore[valid-type]
        given = _plain({"public": kind == "folder", **body.model_dump()}, body)  # type: ignore[attr-defined]

        async def story(work: Work) -> dict[str, Any]:
            return await folders.add(work, change.viewer, kind, given)

        return Folder(**await change.make(story))

    @router.patch("/{key}", name=f"change_{kind}")
    async def change(key: KeyInPath, body: changed, change: Changing) -> Folder:  # type: ignore[valid-type]
        given = _plain(body.given(), body)  # type: ignore[attr-defined]

        async def story(work: Work) -> dict[str, Any]:
            return await folders.change(work, change.viewer, kind, key, given)

        return Folder(**await change.make(story))

    @router.delete("/{key}", status_code=204, name=f"delete_{kind}")
    async def delete(key: KeyInPath, change: Changing) -> None:
        async def story(work: Work) -> dict[str, Any]:
            return await folders.remove(work, change.viewer, kind, key)

        await change.make(story)

    return router


router = _router("/folders", "folder", NewFolder, FolderChange, Permission.DESK_MANAGE)
filters = _router("/filters", "filter", NewFilter, FilterChange, Permission.DESK_READ)
