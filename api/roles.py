"""Roles and their rights. Needs the right roles.manage."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import UNSENT, Body, Key, KeyInPath, Name, Storable
from api.house import Reading
from api.viewers import needs
from domain.permissions import Permission
from store import roles
from store.transactions import Work

router = APIRouter(prefix="/roles", tags=["roles"])
MAY = Depends(needs(Permission.ROLES_MANAGE))
Changing = Annotated[Change, Depends(changing(Permission.ROLES_MANAGE))]
Permissions = Annotated[
    list[Annotated[str, Field(max_length=100), Storable]],
    Field(max_length=200, description="Rights such as dialog.reply; an administrator's /me names them all."),
]


class Role(BaseModel):
    key: str
    name: str
    is_built_in: bool
    permissions: list[str]


class Roles(BaseModel):
    items: list[Role]


class NewRole(Body):
    key: Key
    name: Name
    permissions: Permissions = Field(default_factory=list)


class RoleChange(Body):
    name: Name = UNSENT
    permissions: Permissions = UNSENT


@router.get("", dependencies=[MAY])
async def list_roles(session: Reading) -> Roles:
    return Roles.model_validate({"items": await roles.all_roles(session)})


@router.get("/{key}", dependencies=[MAY])
async def read_role(key: KeyInPath, session: Reading) -> Role:
    return Role(**await roles.get_role(session, key))


@router.post("", status_code=201)
async def add_role(body: NewRole, change: Changing) -> Role:
    async def story(work: Work) -> dict[str, Any]:
        return await roles.add(work, change.viewer, body.key, body.name, body.permissions)

    return Role(**await change.make(story))


@router.patch("/{key}")
async def change_role(key: KeyInPath, body: RoleChange, change: Changing) -> Role:
    """Rights count from the next request of everybody who has the role."""

    async def story(work: Work) -> dict[str, Any]:
        return await roles.change(work, change.viewer, key, body.given())

    return Role(**await change.make(story))


@router.delete("/{key}", status_code=204)
async def delete_role(key: KeyInPath, change: Changing) -> None:
    """Not a built-in one, nor one that people have."""

    async def story(work: Work) -> dict[str, Any]:
        return await roles.remove(work, change.viewer, key)

    await change.make(story)
