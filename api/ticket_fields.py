"""The shared library of ticket fields, and priorities, as settings."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import BIGGEST, UNSENT, Body, Key, KeyInPath, Name
from api.house import Reading
from api.viewers import needs
from domain.permissions import Permission
from store import priorities, ticket_fields
from store.transactions import Work

router = APIRouter(prefix="/ticket-fields", tags=["tickets"])
levels = APIRouter(prefix="/priorities", tags=["tickets"])
READS = Depends(needs(Permission.TEAMS_READ))
Changing = Annotated[Change, Depends(changing(Permission.TICKETS_MANAGE))]
Options = Annotated[list[Name], Field(max_length=200)]
Position = Annotated[int, Field(ge=-BIGGEST, le=BIGGEST)]


class TicketField(BaseModel):
    """`options`: what a list may hold. `topics` whose tickets have it; where it is not active none have."""

    key: str
    name: str
    type: str
    options: list[str]
    active: bool
    topics: list[str]
    created_at: str


class TicketFields(BaseModel):
    items: list[TicketField]


class NewTicketField(Body):
    key: Key
    name: Name
    type: Literal["text", "number", "date", "list", "link"]
    options: Options = Field(default_factory=list)
    active: bool = True


class TicketFieldChange(Body):
    name: Name = UNSENT
    options: Options = UNSENT
    active: bool = UNSENT


class Priority(BaseModel):
    """`position`: higher is more urgent."""

    key: str
    name_uk: str
    name_en: str
    position: int


class Priorities(BaseModel):
    items: list[Priority]


class NewPriority(Body):
    key: Key
    name_uk: Name
    name_en: Name
    position: Position


class PriorityChange(Body):
    name_uk: Name = UNSENT
    name_en: Name = UNSENT
    position: Position = UNSENT


@router.get("", dependencies=[READS])
async def list_fields(session: Reading) -> TicketFields:
    return TicketFields.model_validate({"items": await ticket_fields.all_fields(session)})


@router.get("/{key}", dependencies=[READS])
async def read_field(key: KeyInPath, session: Reading) -> TicketField:
    return TicketField(**await ticket_fields.get_field(session, key))


@router.post("", status_code=201)
async def add_field(body: NewTicketField, change: Changing) -> TicketField:
    """Topics choose from what is here; one field may serve several."""

    async def story(work: Work) -> dict[str, Any]:
        return await ticket_fields.add(work, body.model_dump())

    return TicketField(**await change.make(story))


@router.patch("/{key}")
async def change_field(key: KeyInPath, body: TicketFieldChange, change: Changing) -> TicketField:
    """Its type never changes. Values that stand in tickets stay; what no longer fits counts as left behind."""

    async def story(work: Work) -> dict[str, Any]:
        return await ticket_fields.change(work, key, body.given())

    return TicketField(**await change.make(story))


@router.delete("/{key}", status_code=204)
async def delete_field(key: KeyInPath, change: Changing) -> None:
    """Refused while a topic has it; `where` says which."""

    async def story(work: Work) -> dict[str, Any]:
        return await ticket_fields.remove(work, key)

    await change.make(story)


@levels.get("", dependencies=[READS])
async def list_priorities(session: Reading) -> Priorities:
    """The most urgent first."""
    return Priorities.model_validate({"items": await priorities.all_priorities(session)})


@levels.get("/{key}", dependencies=[READS])
async def read_priority(key: KeyInPath, session: Reading) -> Priority:
    return Priority(**await priorities.get_priority(session, key))


@levels.post("", status_code=201)
async def add_priority(body: NewPriority, change: Changing) -> Priority:
    async def story(work: Work) -> dict[str, Any]:
        return await priorities.add(work, body.model_dump())

    return Priority(**await change.make(story))


@levels.patch("/{key}")
async def change_priority(key: KeyInPath, body: PriorityChange, change: Changing) -> Priority:
    async def story(work: Work) -> dict[str, Any]:
        return await priorities.change(work, key, body.given())

    return Priority(**await change.make(story))


@levels.delete("/{key}", status_code=204)
async def delete_priority(key: KeyInPath, change: Changing) -> None:
    """Refused while a dialog or an SLA policy names it, and for the one dialogs begin with."""

    async def story(work: Work) -> dict[str, Any]:
        return await priorities.remove(work, key)

    await change.make(story)
