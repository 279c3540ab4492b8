"""Channels as settings. Needs the right channels.manage."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, Field

from api.changes import Change, changing
from api.fields import UNSENT, Body, Key, KeyInPath, Name, Storable
from api.house import Reading
from api.viewers import needs
from domain.permissions import Permission
from store import channels
from store.transactions import Work

router = APIRouter(prefix="/channels", tags=["channels"])
MAY = Depends(needs(Permission.CHANNELS_MANAGE))
Changing = Annotated[Change, Depends(changing(Permission.CHANNELS_MANAGE))]
Switching = Annotated[Change, Depends(changing(Permission.RUNS_CONTROL))]
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
Rate = Annotated[str, Field(max_length=20), Storable]


class Channel(BaseModel):
    """`reopen_window` in seconds: how long after closing a client's message reopens the dialog; `team` takes dialogs
    without a topic; `settings` as the channel's kind needs them. `rate`: what its account may send (`25/s`);
    `reply_window` in seconds since the client's last message, null: the kind's own rule. `bot_process`: the process
    that speaks with clients first. `sending_stopped_at`: since when processes and macros may send nothing here.
    """

    key: str
    kind: str
    name: str
    team: str | None
    reopen_window: int
    settings: dict[str, Any]
    active: bool
    rate: str | None
    reply_window: int | None
    bot_process: str | None
    sending_stopped_at: str | None
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
    rate: Rate | None = None
    reply_window: ReopenWindow | None = None
    bot_process: Key | None = None


class ChannelChange(Body):
    name: Name = UNSENT
    team: Key | None = None
    reopen_window: ReopenWindow = UNSENT
    settings: Settings = UNSENT
    active: bool = UNSENT
    rate: Rate | None = None
    reply_window: ReopenWindow | None = None
    bot_process: Key | None = None


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


@router.put("/{key}/sending")
async def allow_sending(key: KeyInPath, change: Switching) -> Channel:
    """Processes and macros may send here (again)."""
    return await _switch(key, change, stopped=False)


@router.delete("/{key}/sending")
async def stop_sending(key: KeyInPath, change: Switching) -> Channel:
    """The kill switch: from now on no process and no macro sends anything here, begun or not. People still may."""
    return await _switch(key, change, stopped=True)


async def _switch(key: str, change: Change, *, stopped: bool) -> Channel:
    async def story(work: Work) -> dict[str, Any]:
        return await channels.set_sending(work, key, stopped=stopped)

    return Channel(**await change.make(story))


@router.delete("/{key}", status_code=204)
async def delete_channel(key: KeyInPath, change: Changing) -> None:
    """Only one that nobody wrote in; deactivate others."""

    async def story(work: Work) -> dict[str, Any]:
        return await channels.remove(work, key)

    await change.make(story)
