"""People as settings. Needs the right users.manage."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import UNSENT, Body, Count, Email, Key, Name, Password
from api.house import Reading
from api.viewers import needs
from domain.permissions import Permission
from store import users
from store.passwords import hash_password
from store.transactions import Work

router = APIRouter(prefix="/users", tags=["users"])
MAY = Depends(needs(Permission.USERS_MANAGE))
Changing = Annotated[Change, Depends(changing(Permission.USERS_MANAGE))]
Roles = Annotated[list[Key], Field(max_length=50)]
ChannelLimits = Annotated[dict[Key, Count], Field(max_length=200)]


class User(BaseModel):
    """`limit`: dialogs at once; `channel_limits` narrows single channels; `daily_quota`: different clients a day."""

    id: UUID
    email: str
    name: str
    locale: str
    active: bool
    roles: list[str]
    teams: list[str]
    limit: int | None
    channel_limits: dict[str, int]
    daily_quota: int | None
    status: str | None
    created_at: str
    deactivated_at: str | None


class Users(BaseModel):
    items: list[User]


class NewUser(Body):
    email: Email
    name: Name
    password: Password
    roles: Roles = Field(default_factory=list)
    locale: Literal["uk", "en"] = "uk"
    limit: Count = 5
    channel_limits: ChannelLimits = Field(default_factory=dict)
    daily_quota: Count | None = None


class UserChange(Body):
    email: Email = UNSENT
    name: Name = UNSENT
    password: Password = UNSENT
    roles: Roles = UNSENT
    locale: Literal["uk", "en"] = UNSENT
    limit: Count = UNSENT
    channel_limits: ChannelLimits = UNSENT
    daily_quota: Count | None = None
    active: bool = UNSENT


@router.get("", dependencies=[MAY])
async def list_users(session: Reading) -> Users:
    """Everybody, deactivated people too, by name."""
    return Users.model_validate({"items": await users.all_users(session)})


@router.get("/{user_id}", dependencies=[MAY])
async def read_user(user_id: UUID, session: Reading) -> User:
    return User(**await users.get_user(session, user_id))


@router.post("", status_code=201)
async def add_user(body: NewUser, change: Changing) -> User:
    hashed = await hash_password(body.password)

    async def story(work: Work) -> dict[str, Any]:
        return await users.add(work, change.viewer, hashed, body.model_dump(exclude={"password"}))

    return User(**await change.make(story))


@router.patch("/{user_id}")
async def change_user(user_id: UUID, body: UserChange, change: Changing) -> User:
    """Change what is sent. A raised limit gives waiting dialogs out at once; a lowered one takes none away.

    `active: false`, or roles without the right dialog.hold: sessions and tokens end, held dialogs go to their teams'
    pools, offers to the person are rescinded.
    """
    hashed = await hash_password(body.password) if body.password is not None else None

    async def story(work: Work) -> dict[str, Any]:
        return await users.change(work, change.viewer, user_id, body.given("password"), password_hash=hashed)

    return User(**await change.make(story))


@router.delete("/{user_id}", status_code=204)
async def deactivate_user(user_id: UUID, change: Changing) -> None:
    """People are deactivated, never deleted: what they did keeps its name."""

    async def story(work: Work) -> dict[str, Any]:
        return await users.change(work, change.viewer, user_id, {"active": False})

    await change.make(story)
