"""Who watches a dialog, who has to do with it, and finding colleagues."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi import Query as FromQuery
from pydantic import BaseModel, Field

from api.dialog_commands import right
from api.dialogs import Reader
from api.fields import Storable
from api.house import Reading
from api.pages import Query
from api.submitting import ANSWERS, Submit
from domain import commands
from domain.permissions import Permission as P
from store import people

router = APIRouter(tags=["dialogs"])
Me = "/dialogs/{dialog_id}/watchers/me"
Other = "/dialogs/{dialog_id}/watchers/{user}"
_UNREAD: dict[int | str, dict[str, Any]] = {404: ANSWERS[404]}


class Person(BaseModel):
    id: UUID
    name: str
    email: str
    teams: list[str]


class People(BaseModel):
    items: list[Person]


class Participant(BaseModel):
    """`roles`: author, assignee, watcher, member (brought in), acted (did something by hand), held (had it once)."""

    id: UUID
    name: str
    active: bool
    roles: list[Literal["author", "assignee", "watcher", "member", "acted", "held"]]
    last_acted_at: datetime | None


class Participants(BaseModel):
    items: list[Participant]


class PeopleQuery(Query):
    q: Annotated[str, Field(min_length=1, max_length=100, description="Part of a name or an e-mail."), Storable]
    limit: Annotated[int, Field(ge=1, le=50)] = 20


@router.put(Me, responses=ANSWERS, dependencies=[right(P.DIALOG_READ)])
async def watch(dialog_id: UUID, submit: Submit) -> Response:
    """The eye on: the caller is told of every change. Watching twice is watching once."""
    return await submit(P.DIALOG_READ, dialog_id, commands.Watch(submit.viewer.user_id))


@router.delete(Me, responses=ANSWERS, dependencies=[right(P.DIALOG_READ)])
async def unwatch(dialog_id: UUID, submit: Submit) -> Response:
    return await submit(P.DIALOG_READ, dialog_id, commands.Unwatch(submit.viewer.user_id))


@router.put(Other, responses=ANSWERS, dependencies=[right(P.DIALOG_EDIT)])
async def add_watcher(dialog_id: UUID, user: UUID, submit: Submit) -> Response:
    """Somebody else watches from now on, may read the dialog, and is told so. They count towards nobody's limit."""
    return await submit(P.DIALOG_EDIT, dialog_id, commands.Watch(user))


@router.delete(Other, responses=ANSWERS, dependencies=[right(P.DIALOG_EDIT)])
async def remove_watcher(dialog_id: UUID, user: UUID, submit: Submit) -> Response:
    return await submit(P.DIALOG_EDIT, dialog_id, commands.Unwatch(user))


@router.get("/dialogs/{dialog_id}/participants", responses=_UNREAD)
async def list_participants(dialog_id: UUID, viewer: Reader, session: Reading) -> Participants:
    """Author, assignee, everybody in the log and those brought in, each person once, by when they came."""
    return Participants.model_validate({"items": await people.participants_of(session, viewer, dialog_id)})


@router.get("/people")
async def find_people(asked: Annotated[PeopleQuery, FromQuery()], viewer: Reader, session: Reading) -> People:
    """Active colleagues by name or e-mail, for adding them somewhere."""
    return People.model_validate({"items": await people.find_people(session, asked.q, limit=asked.limit)})
