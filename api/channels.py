"""Channels as settings. Needs the right channels.manage."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, Field

from api.changes import Change, changing
from api.fields import UNSENT, Body, Key, KeyInPath, Name
from api.house import Reading
from api.viewers import needs
from domain.permissions import Permission
from store import channels
from store.transactions import Work

router = APIRouter(prefix="/channels", tags=["channels"])
MAY = Depends(needs(Permission.CHANNELS_MANAGE))
Changing = Annotated[Change, Depends(changing(Permission.CHANNELS_MANAGE))]
Kind = Literal[
    "telegram", "viber", "whatsapp", "facebook", "instagram", "facebook_comments", "instagram_comments", "email",
    "widget", "telephony", "sms", "generic",
]  # fmt: skip
LARGEST_SETTINGS = 20_000


def _small(settings: dict[str, Any]) -> dict[str, Any]:
    told = json.dumps(settings, ensure_ascii=False, allow_nan=False)
    if len(told) > LARGEST_SETTINGS:
        raise ValueError(f"must have at most {LARGEST_SETTINGS} characters as JSON")
    if "\\u0000" in told or any("\ud800" <= c <= "\udfff" for c in told):
        raise ValueError("must not contain NUL or malformed Unicode")
    return settings


Settings = Annotated[dict[str, Any], AfterValidator(_small)]
ReopenWindow = Annotated[int, Field(ge=0, le=31_536_000)]


class Channel(BaseModel):
    """`reopen_window` in seconds: how long after closing a client's message reopens the dialog; `team` takes dialogs
    without a topic; `settings` as the channel's kind needs them.
    """

    key: str
    kind: str
    name: str
    team: str | None
    reopen_window: int
    settings: dict[str, Any]
    active: bool
    has_token: bool
    created_at: str


class MadeChannel(Channel):
    """`token` (X-Channel-Token of inbound messages) is told this once; null when the request is repeated."""

    token: str | None


class Channels(BaseModel):
    items: list[Channel]


class NewToken(BaseModel):
    """`token` is told this once; null when the request is repeated."""

    key: str
    token: str | None


class NewChannel(Body):
    key: Key
    kind: Kind
    name: Name
    team: Key | None = None
    reopen_window: ReopenWindow = 86_400
    settings: Settings = Field(default_factory=dict)
    active: bool = True


class ChannelChange(Body):
    name: Name = UNSENT
    team: Key | None = None
    reopen_window: ReopenWindow = UNSENT
    settings: Settings = UNSENT
    active: bool = UNSENT


@router.get("", dependencies=[MAY])
async def list_channels(session: Reading) -> Channels:
    return Channels.model_validate({"items": await channels.all_channels(session)})


@router.get("/{key}", dependencies=[MAY])
async def read_channel(key: KeyInPath, session: Reading) -> Channel:
    return Channel(**await channels.get_channel(session, key))


@router.post("", status_code=201)
async def add_channel(body: NewChannel, change: Changing) -> MadeChannel:
    async def story(work: Work) -> dict[str, Any]:
        return await channels.add(work, body.model_dump())

    return MadeChannel(**await change.make(story, secrets=("token",)))


@router.patch("/{key}")
async def change_channel(key: KeyInPath, body: ChannelChange, change: Changing) -> Channel:
    async def story(work: Work) -> dict[str, Any]:
        return await channels.change(work, key, body.given())

    return Channel(**await change.make(story))


@router.post("/{key}/token", status_code=201)
async def rotate_token(key: KeyInPath, change: Changing) -> NewToken:
    """A new token; the old one ends at once."""

    async def story(work: Work) -> dict[str, Any]:
        return await channels.rotate_token(work, key)

    return NewToken(**await change.make(story, secrets=("token",)))


@router.delete("/{key}", status_code=204)
async def delete_channel(key: KeyInPath, change: Changing) -> None:
    """Only one that nobody wrote in; deactivate others."""

    async def story(work: Work) -> dict[str, Any]:
        return await channels.remove(work, key)

    await change.make(story)
