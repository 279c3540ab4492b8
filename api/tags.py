"""Tags as settings."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.changes import Change, changing
from api.fields import UNSENT, Body, Key, KeyInPath, Name
from api.house import Reading
from api.viewers import needs
from domain.permissions import Permission
from store import tags
from store.transactions import Work

router = APIRouter(prefix="/tags", tags=["tags"])
READS = Depends(needs(Permission.TEAMS_READ))
Changing = Annotated[Change, Depends(changing(Permission.TAGS_MANAGE))]


class Tag(BaseModel):
    key: str
    name: str


class Tags(BaseModel):
    items: list[Tag]


class NewTag(Body):
    key: Key
    name: Name


class TagChange(Body):
    name: Name = UNSENT


@router.get("", dependencies=[READS])
async def list_tags(session: Reading) -> Tags:
    return Tags.model_validate({"items": await tags.all_tags(session)})


@router.get("/{key}", dependencies=[READS])
async def read_tag(key: KeyInPath, session: Reading) -> Tag:
    return Tag(**await tags.get_tag(session, key))


@router.post("", status_code=201)
async def add_tag(body: NewTag, change: Changing) -> Tag:
    async def story(work: Work) -> dict[str, Any]:
        return await tags.add(work, body.key, body.name)

    return Tag(**await change.make(story))


@router.patch("/{key}")
async def rename_tag(key: KeyInPath, body: TagChange, change: Changing) -> Tag:
    async def story(work: Work) -> dict[str, Any]:
        return await tags.rename(work, key, body.name)

    return Tag(**await change.make(story))


@router.delete("/{key}", status_code=204)
async def delete_tag(key: KeyInPath, change: Changing) -> None:
    """Refused while a dialog or a contact carries it; `where` says how many."""

    async def story(work: Work) -> dict[str, Any]:
        return await tags.remove(work, key)

    await change.make(story)
