"""Opening a ticket for a client, and what changed in one since."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi import Query as FromQuery
from pydantic import BaseModel, Field, model_validator

from api.changes import Change, changing
from api.dialog_commands import Assignee, Description, PriorityKey, Subject, TicketType, TopicName
from api.dialogs import Reader
from api.fields import Body, Key
from api.house import Reading
from api.inbound import Id, Short
from api.json_fields import Fields
from api.pages import Limit, Listed, Query
from domain.permissions import Permission
from store import changes
from store.tickets import Client, NewTicket, open_ticket
from store.transactions import Work

router = APIRouter(tags=["tickets"])
Opening = Annotated[Change, Depends(changing(Permission.DIALOG_OPEN))]


class Sender(Body):
    """A client by an address in a channel; unknown so far: a contact is made."""

    channel: Key
    id: Id
    name: Short | None = None
    phone: Short | None = None
    email: Short | None = None


class TicketBody(Body):
    """For whom: `contact_id` (in `channel`, else where the client wrote last), or `from`. `team`: else the topic's.
    `fields`: those of the topic. `assignee`: an operator's id, `role:KEY` or `team:KEY`; none: distribution.
    """

    contact_id: UUID | None = None
    channel: Key | None = None
    sender: Sender | None = Field(None, alias="from")
    topic: TopicName | None = None
    team: Key | None = None
    subject: Subject
    description: Description | None = None
    priority: PriorityKey | None = None
    type: TicketType | None = None
    fields: Fields = Field(default_factory=dict)
    assignee: Assignee | None = None
    watchers: Annotated[list[UUID], Field(max_length=50)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_for_whom(self) -> Self:
        if (self.contact_id is None) == (self.sender is None):
            raise ValueError("say either contact_id or from")
        if self.sender is not None and self.channel is not None:
            raise ValueError("from names its channel itself")
        return self

    def client(self) -> Client:
        if self.sender is None:
            return Client(self.contact_id, self.channel)
        s = self.sender
        return Client(None, s.channel, s.id, s.name, s.phone, s.email)


class OpenedTicket(BaseModel):
    """`ticket_id` is the dialog's id; `spoken`: the number as people say it."""

    ticket_id: UUID
    dialog_id: UUID
    number: int
    spoken: str
    status: str
    place: str | None
    team: str
    operator_id: UUID | None


class ChangesQuery(Query):
    """`after`: the `next` of the page before; `limit` counts moments, each of which may have changed several fields."""

    after: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: Limit = 50


@router.post("/tickets", status_code=201)
async def add_ticket(body: TicketBody, change: Opening) -> OpenedTicket:
    """Open a ticket for a client. Its author is the caller and never changes."""

    async def story(work: Work) -> dict[str, Any]:
        asked = NewTicket(
            client=body.client(),
            subject=body.subject,
            description=body.description,
            topic=body.topic,
            team=body.team,
            priority=body.priority,
            ticket_type=body.type,
            fields=body.fields,
            assignee=body.assignee,
            watchers=tuple(dict.fromkeys(body.watchers)),
        )
        return await open_ticket(work, change.viewer, asked)

    return OpenedTicket(**await change.make(story))


@router.get("/dialogs/{dialog_id}/changes")
async def list_changes(
    dialog_id: UUID, asked: Annotated[ChangesQuery, FromQuery()], viewer: Reader, session: Reading
) -> Listed:
    """Which field was what before and after, by whom and when; newest first. Without the right to read texts the
    values of own fields, of the subject and of the description stay out.
    """
    page = await changes.list_changes(session, viewer, dialog_id, before_id=asked.after, limit=asked.limit)
    return Listed(items=page.items, next=page.next, previous=page.previous)
