"""Topics as settings."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import UNSENT, Body, Key, KeyInPath, Name
from api.house import Reading
from api.moving import DECIDING, Deciding, Moved
from api.viewers import needs
from domain.permissions import Permission
from store import topic_tree
from store.transactions import Work

router = APIRouter(prefix="/topics", tags=["topics"])
READS = Depends(needs(Permission.TEAMS_READ))
Changing = Annotated[Change, Depends(changing(Permission.TOPICS_MANAGE))]
Teams = Annotated[list[Key], Field(max_length=200)]
Aliases = Annotated[list[Name], Field(max_length=100)]
Priority = Annotated[int, Field(ge=-1000, le=1000)]


class TopicField(Body):
    """A field of the library that tickets of the topic have; `required`: closing one without it is refused."""

    key: Key
    required: bool = False


Fields = Annotated[list[TopicField], Field(max_length=50)]


class Topic(BaseModel):
    """`teams` in order: the first active one with somebody free gets the dialogs. `required`: closing without a topic
    is refused. `priority`: higher first, where the team's method is topic_priority. `calendar`: whose working time
    counts; `sla`: the policy that says what is promised.
    """

    key: str
    name: str
    parent: str | None
    aliases: list[str]
    priority: int
    required: bool
    active: bool
    teams: list[str]
    fields: list[TopicField]
    calendar: str | None
    sla: str | None


class Topics(BaseModel):
    items: list[Topic]


class ChangedTopic(Topic, Moved):
    pass


class NewTopic(Body):
    key: Key
    name: Name
    parent: Key | None = None
    aliases: Aliases = Field(default_factory=list)
    priority: Priority = 0
    required: bool = False
    active: bool = True
    teams: Teams = Field(default_factory=list)
    fields: Fields = Field(default_factory=list)
    calendar: Key | None = None
    sla: Key | None = None


class TopicChange(Deciding):
    """`running`, `confirm`: what becomes of running clocks when `calendar` or `sla` changes."""

    name: Name = UNSENT
    parent: Key | None = None
    aliases: Aliases = UNSENT
    priority: Priority = UNSENT
    required: bool = UNSENT
    active: bool = UNSENT
    teams: Teams = UNSENT
    fields: Fields = UNSENT
    calendar: Key | None = None
    sla: Key | None = None


@router.get("", dependencies=[READS])
async def list_topics(session: Reading) -> Topics:
    return Topics.model_validate({"items": await topic_tree.all_topics(session)})


@router.get("/{key}", dependencies=[READS])
async def read_topic(key: KeyInPath, session: Reading) -> Topic:
    return Topic(**await topic_tree.get_topic(session, key))


@router.post("", status_code=201)
async def add_topic(body: NewTopic, change: Changing) -> Topic:
    async def story(work: Work) -> dict[str, Any]:
        return await topic_tree.add(work, body.model_dump())

    return Topic(**await change.make(story))


@router.patch("/{key}")
async def change_topic(key: KeyInPath, body: TopicChange, change: Changing) -> ChangedTopic:
    """Another `calendar` or `sla`: 409 `confirmation_needed` where running clocks would move; to move them needs the
    right sla.manage.
    """
    given = body.given(*DECIDING)

    async def story(work: Work) -> dict[str, Any]:
        return await topic_tree.change(work, key, given, viewer=change.viewer, **body.decision())

    return ChangedTopic(**await change.make(story))


@router.delete("/{key}", status_code=204)
async def delete_topic(key: KeyInPath, change: Changing) -> None:
    """Refused while anything names it; `where` says what."""

    async def story(work: Work) -> dict[str, Any]:
        return await topic_tree.remove(work, key)

    await change.make(story)
