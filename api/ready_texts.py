"""Quick replies and message templates. Reading needs desk.read, changing desk.manage."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.channels import Kind
from api.fields import UNSENT, Body, Key, KeyInPath, Name, Storable
from api.house import Reading
from api.viewers import needs
from domain.messages import LONGEST_TEXT
from domain.permissions import Permission
from store import ready_texts
from store.ready_texts import Ready
from store.tables import MessageTemplate, QuickReply
from store.transactions import Work

router = APIRouter(tags=["ready texts"])
READS = Depends(needs(Permission.DESK_READ))
Changing = Annotated[Change, Depends(changing(Permission.DESK_MANAGE))]
ReadyText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT), Storable]
Kinds = Annotated[list[Kind], Field(max_length=20)]


class Reply(BaseModel):
    """`text` may carry fields like `{contact.first_name}`. `version` counts the texts it has had."""

    key: str
    name: str
    text: str
    version: int
    active: bool
    updated_at: str


class Replies(BaseModel):
    items: list[Reply]


class NewReply(Body):
    key: Key
    name: Name
    text: ReadyText
    active: bool = True


class ReplyChange(Body):
    name: Name = UNSENT
    text: ReadyText = UNSENT
    active: bool = UNSENT


class Template(BaseModel):
    """`kinds` of channels whose provider approved it; empty: of any."""

    key: str
    name: str
    text: str
    kinds: list[str]
    active: bool
    updated_at: str


class Templates(BaseModel):
    items: list[Template]


class NewTemplate(NewReply):
    kinds: Kinds = Field(default_factory=list)


class TemplateChange(ReplyChange):
    kinds: Kinds = UNSENT


@router.get("/quick-replies", dependencies=[READS])
async def list_quick_replies(session: Reading) -> Replies:
    return Replies.model_validate({"items": await ready_texts.all_texts(session, QuickReply)})


@router.get("/quick-replies/{key}", dependencies=[READS])
async def read_quick_reply(key: KeyInPath, session: Reading) -> Reply:
    return Reply(**await ready_texts.get_text(session, QuickReply, key))


@router.post("/quick-replies", status_code=201)
async def add_quick_reply(body: NewReply, change: Changing) -> Reply:
    return Reply(**await _add(QuickReply, body, change))


@router.patch("/quick-replies/{key}")
async def change_quick_reply(key: KeyInPath, body: ReplyChange, change: Changing) -> Reply:
    return Reply(**await _change(QuickReply, key, body, change))


@router.delete("/quick-replies/{key}", status_code=204)
async def delete_quick_reply(key: KeyInPath, change: Changing) -> None:
    await _remove(QuickReply, key, change)


@router.get("/message-templates", dependencies=[READS])
async def list_templates(session: Reading) -> Templates:
    return Templates.model_validate({"items": await ready_texts.all_texts(session, MessageTemplate)})


@router.get("/message-templates/{key}", dependencies=[READS])
async def read_template(key: KeyInPath, session: Reading) -> Template:
    return Template(**await ready_texts.get_text(session, MessageTemplate, key))


@router.post("/message-templates", status_code=201)
async def add_template(body: NewTemplate, change: Changing) -> Template:
    return Template(**await _add(MessageTemplate, body, change))


@router.patch("/message-templates/{key}")
async def change_template(key: KeyInPath, body: TemplateChange, change: Changing) -> Template:
    return Template(**await _change(MessageTemplate, key, body, change))


@router.delete("/message-templates/{key}", status_code=204)
async def delete_template(key: KeyInPath, change: Changing) -> None:
    await _remove(MessageTemplate, key, change)


async def _add(kind: Ready, body: Body, change: Change) -> dict[str, Any]:
    async def story(work: Work) -> dict[str, Any]:
        return await ready_texts.add(work, kind, body.model_dump())

    return await change.make(story)


async def _change(kind: Ready, key: str, body: Body, change: Change) -> dict[str, Any]:
    async def story(work: Work) -> dict[str, Any]:
        return await ready_texts.change(work, kind, key, body.given())

    return await change.make(story)


async def _remove(kind: Ready, key: str, change: Change) -> None:
    async def story(work: Work) -> dict[str, Any]:
        return await ready_texts.remove(work, kind, key)

    await change.make(story)
