"""What people do to a dialog: each door parses, names a right, and speaks one command."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, Field

from api.fields import KEY_PATTERN, Body, Key, KeyInPath, Storable
from api.json_fields import Fields
from api.submitting import ANSWERS, Submit
from api.viewers import needs
from domain import commands
from domain.dialogs import MOST_MERGED
from domain.messages import LONGEST_TEXT, MOST_ATTACHMENTS
from domain.permissions import Permission as P
from domain.tickets import LONGEST_DESCRIPTION, LONGEST_SUBJECT


def right(permission: P) -> Any:
    """Asked before the body is looked at: who may not do a thing is told that first (P4)."""
    return Depends(needs(permission))


router = APIRouter(prefix="/dialogs/{dialog_id}", tags=["dialogs"], responses=ANSWERS)

TicketType = Annotated[str, Field(min_length=1, max_length=100), Storable]
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
Assignee = Annotated[str, Field(pattern=rf"^(({_UUID})|((role|team):[a-z0-9][a-z0-9_-]{{0,62}}))$")]
PriorityKey = Annotated[str, Field(pattern=KEY_PATTERN, description="A key of GET /priorities.")]
Subject = Annotated[str, Field(min_length=1, max_length=LONGEST_SUBJECT), Storable]
Description = Annotated[str, Field(max_length=LONGEST_DESCRIPTION), Storable]
TopicName = Annotated[str, Field(min_length=1, max_length=200), Storable]
Text = Annotated[str, Field(max_length=LONGEST_TEXT), Storable]


class SayBody(Body):
    mode: Literal["reply", "note"] = "reply"
    text: Text = ""
    attachments: list[UUID] = Field(default_factory=list, max_length=MOST_ATTACHMENTS)


class TakeBody(Body):
    over_limit: bool = False


class AssignBody(Body):
    operator_id: UUID


class CloseBody(Body):
    note: Text | None = None


class TransferBody(Body):
    """`topic`, with a team: what the dialog is about from now on."""

    to_operator: UUID | None = None
    to_team: Key | None = None
    note: Text | None = None
    topic: TopicName | None = None


class ConnectBody(Body):
    topic: TopicName | None = None
    team: Key | None = None
    weight: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] | None = None
    place: Literal["auto", "queue"] = "auto"
    operator_id: UUID | None = None


class TopicBody(Body):
    topic: TopicName | None


class PriorityBody(Body):
    priority: PriorityKey


class StatusBody(Body):
    """`until`: when a pending ticket opens again by itself; to come, within a year."""

    status: Literal["open", "in_progress", "pending", "resolved", "closed"]
    until: AwareDatetime | None = None


class MergeBody(Body):
    """`different_contacts`: they may be other clients'."""

    tickets: Annotated[list[UUID], Field(min_length=1, max_length=MOST_MERGED)]
    different_contacts: bool = False


class ConvertBody(Body):
    """`assignee`: an operator's id, `role:KEY` or `team:KEY`; none: whoever holds it."""

    ticket_type: TicketType | None = None
    assignee: Assignee | None = None
    priority: PriorityKey | None = None
    fields: Fields = Field(default_factory=dict)
    subject: Subject | None = None
    description: Description | None = None


class AboutBody(Body):
    """Null takes one away."""

    subject: Subject | None = None
    description: Description | None = None


@router.post("/messages", status_code=201, dependencies=[right(P.DIALOG_NOTE)])
async def say(dialog_id: UUID, body: SayBody, submit: Submit) -> Response:
    """Reply to the client (mode reply), or leave a note that no client ever sees (mode note)."""
    right = P.DIALOG_NOTE if body.mode == "note" else P.DIALOG_REPLY
    command = commands.Say(body.text, body.mode, tuple(body.attachments))
    return await submit(right, dialog_id, command)


@router.post("/take", dependencies=[right(P.DIALOG_TAKE)])
async def take(dialog_id: UUID, submit: Submit, body: TakeBody | None = None) -> Response:
    return await submit(P.DIALOG_TAKE, dialog_id, commands.Take(over_limit=bool(body and body.over_limit)))


@router.post("/assignment", dependencies=[right(P.DIALOG_ASSIGN)])
async def assign(dialog_id: UUID, body: AssignBody, submit: Submit) -> Response:
    """Put the dialog into an operator's hands."""
    return await submit(P.DIALOG_ASSIGN, dialog_id, commands.Assign(body.operator_id))


@router.delete("/assignment", dependencies=[right(P.DIALOG_CLOSE)])
async def unassign(dialog_id: UUID, submit: Submit) -> Response:
    """Give the dialog back to its team's pool."""
    return await submit(P.DIALOG_CLOSE, dialog_id, commands.Unassign())


@router.post("/closure", dependencies=[right(P.DIALOG_CLOSE)])
async def close(dialog_id: UUID, submit: Submit, body: CloseBody | None = None) -> Response:
    return await submit(P.DIALOG_CLOSE, dialog_id, commands.Close(body.note if body else None))


@router.post("/reopening", dependencies=[right(P.DIALOG_CLOSE)])
async def reopen(dialog_id: UUID, submit: Submit) -> Response:
    return await submit(P.DIALOG_CLOSE, dialog_id, commands.Reopen())


@router.post("/transfers", status_code=201, dependencies=[right(P.DIALOG_TRANSFER)])
async def transfer(dialog_id: UUID, body: TransferBody, submit: Submit) -> Response:
    """Offer the dialog to an operator (a window with a deadline), or hand it to a team (at once), perhaps under
    another topic.
    """
    command = commands.Transfer(body.to_operator, body.to_team, body.note, body.topic)
    return await submit(P.DIALOG_TRANSFER, dialog_id, command)


@router.post("/connection", dependencies=[right(P.DIALOG_CONNECT)])
async def connect(dialog_id: UUID, body: ConnectBody, submit: Submit) -> Response:
    """Hand a dialog from a bot to people; `result` is success, limit, banned or error."""
    command = commands.Connect(body.topic, body.team, body.weight, body.place, body.operator_id)
    return await submit(P.DIALOG_CONNECT, dialog_id, command)


@router.put("/participants/{operator}", dependencies=[right(P.DIALOG_EDIT)])
async def add_participant(dialog_id: UUID, operator: UUID, submit: Submit) -> Response:
    return await submit(P.DIALOG_EDIT, dialog_id, commands.AddParticipant(operator))


@router.delete("/participants/{operator}", dependencies=[right(P.DIALOG_EDIT)])
async def remove_participant(dialog_id: UUID, operator: UUID, submit: Submit) -> Response:
    return await submit(P.DIALOG_EDIT, dialog_id, commands.RemoveParticipant(operator))


@router.put("/topic", dependencies=[right(P.DIALOG_EDIT)])
async def set_topic(dialog_id: UUID, body: TopicBody, submit: Submit) -> Response:
    return await submit(P.DIALOG_EDIT, dialog_id, commands.SetTopic(body.topic))


@router.put("/tags/{tag}", dependencies=[right(P.DIALOG_EDIT)])
async def add_tag(dialog_id: UUID, tag: KeyInPath, submit: Submit) -> Response:
    return await submit(P.DIALOG_EDIT, dialog_id, commands.AddTag(tag))


@router.delete("/tags/{tag}", dependencies=[right(P.DIALOG_EDIT)])
async def remove_tag(dialog_id: UUID, tag: KeyInPath, submit: Submit) -> Response:
    return await submit(P.DIALOG_EDIT, dialog_id, commands.RemoveTag(tag))


@router.put("/priority", dependencies=[right(P.DIALOG_EDIT)])
async def set_priority(dialog_id: UUID, body: PriorityBody, submit: Submit) -> Response:
    return await submit(P.DIALOG_EDIT, dialog_id, commands.SetPriority(body.priority))


@router.put("/status", dependencies=[right(P.DIALOG_EDIT)])
async def set_status(dialog_id: UUID, body: StatusBody, submit: Submit) -> Response:
    """A ticket's status, forwards by hand; closing is its closure. One that is pending may be given another `until`."""
    return await submit(P.DIALOG_EDIT, dialog_id, commands.SetStatus(body.status, body.until))


@router.post("/merges", dependencies=[right(P.DIALOG_CLOSE)])
async def merge(dialog_id: UUID, body: MergeBody, submit: Submit) -> Response:
    """What was said in the named tickets goes over to this one, in its order; they close and name it `merged_into`."""
    command = commands.Merge(tuple(body.tickets), body.different_contacts)
    return await submit(P.DIALOG_CLOSE, dialog_id, command)


@router.patch("/fields", dependencies=[right(P.DIALOG_EDIT)])
async def set_fields(dialog_id: UUID, body: Fields, submit: Submit) -> Response:
    """The dialog's own fields: what is sent is merged into what stands; null takes one away. A ticket has those of
    its topic.
    """
    return await submit(P.DIALOG_EDIT, dialog_id, commands.SetFields(body))


@router.post("/conversion", dependencies=[right(P.DIALOG_EDIT)])
async def convert(dialog_id: UUID, submit: Submit, body: ConvertBody | None = None) -> Response:
    """Make a ticket of a chat: the same dialog, from now on with a ticket's number, author, statuses and fields."""
    asked = body or ConvertBody()
    command = commands.Convert(
        asked.ticket_type, asked.assignee, asked.priority, asked.fields, asked.subject, asked.description
    )
    return await submit(P.DIALOG_EDIT, dialog_id, command)


@router.patch("", dependencies=[right(P.DIALOG_EDIT)])
async def describe(dialog_id: UUID, body: AboutBody, submit: Submit) -> Response:
    """What a ticket says of itself."""
    return await submit(P.DIALOG_EDIT, dialog_id, commands.Describe(body.given()))
