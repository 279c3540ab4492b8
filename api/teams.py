"""Teams as settings. A supervisor sets how a team of theirs gives dialogs out; the rest needs teams.manage."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import UNSENT, Body, Key, KeyInPath, Name
from api.house import Reading
from api.moving import DECIDING, Deciding, Moved
from api.viewers import needs
from domain.clocks.policies import LONGEST_NORM
from domain.errors import ForbiddenError
from domain.permissions import Permission, Viewer
from store import teams
from store.transactions import Work

router = APIRouter(prefix="/teams", tags=["teams"])
READS = Depends(needs(Permission.TEAMS_READ))
Managing = Annotated[Change, Depends(changing(Permission.TEAMS_MANAGE))]
Leading = Annotated[Change, Depends(changing(Permission.DISTRIBUTION_MANAGE))]
Members = Annotated[list[UUID], Field(max_length=2000)]
Topics = Annotated[list[Key], Field(max_length=500)]
Window = Annotated[int, Field(ge=5, le=86_400)]
Norm = Annotated[int, Field(strict=True, ge=1, le=LONGEST_NORM, description="Seconds.")]
Method = Literal["least_loaded", "round_robin", "topic_priority"]
Fallback = Literal["return", "pool"]
#: what a supervisor may change in a team they lead
BY_LEADERS = frozenset(
    {"auto", "distribution", "transfer_window", "transfer_fallback", "accept_norm", "respond_norm", "members"}
)


class Team(BaseModel):
    """`distribution`: the method; `auto`: dialogs are given out (else they wait to be taken); times in seconds."""

    key: str
    name: str
    distribution: str
    auto: bool
    active: bool
    transfer_window: int
    transfer_fallback: str
    accept_norm: int | None
    respond_norm: int | None
    members: list[UUID]
    topics: list[str]
    created_at: str


class Teams(BaseModel):
    items: list[Team]


class NewTeam(Body):
    key: Key
    name: Name
    distribution: Method = "least_loaded"
    auto: bool = True
    active: bool = True
    transfer_window: Window = 120
    transfer_fallback: Fallback = "return"
    accept_norm: Norm | None = None
    respond_norm: Norm | None = None
    members: Members = Field(default_factory=list)
    topics: Topics = Field(default_factory=list)


class ChangedTeam(Team, Moved):
    pass


class TeamChange(Deciding):
    """`move_to`: with `active: false`, the team that takes over dialogs and channels. `running`, `confirm`: what
    becomes of running clocks when a norm changes.
    """

    name: Name = UNSENT
    distribution: Method = UNSENT
    auto: bool = UNSENT
    active: bool = UNSENT
    transfer_window: Window = UNSENT
    transfer_fallback: Fallback = UNSENT
    accept_norm: Norm | None = None
    respond_norm: Norm | None = None
    members: Members = UNSENT
    topics: Topics = UNSENT
    move_to: Key | None = None


@router.get("", dependencies=[READS])
async def list_teams(session: Reading) -> Teams:
    return Teams.model_validate({"items": await teams.all_teams(session)})


@router.get("/{key}", dependencies=[READS])
async def read_team(key: KeyInPath, session: Reading) -> Team:
    return Team(**await teams.get_team(session, key))


@router.post("", status_code=201)
async def add_team(body: NewTeam, change: Managing) -> Team:
    async def story(work: Work) -> dict[str, Any]:
        return await teams.add(work, body.model_dump())

    return Team(**await change.make(story))


@router.patch("/{key}")
async def change_team(key: KeyInPath, body: TeamChange, change: Leading) -> ChangedTeam:
    """Change what is sent. `auto` off: queued dialogs become unassigned; on: the reverse, and they are given out.

    A norm: 409 `confirmation_needed` where running clocks would move; to move them needs the right sla.manage.
    """
    given = body.given(*DECIDING)
    require_may_change(change.viewer, key, set(given))

    async def story(work: Work) -> dict[str, Any]:
        return await teams.change(work, key, given, viewer=change.viewer, **body.decision())

    return ChangedTeam(**await change.make(story))


@router.delete("/{key}", status_code=204)
async def delete_team(key: KeyInPath, change: Managing) -> None:
    """Only one that nothing ever named; deactivate others."""

    async def story(work: Work) -> dict[str, Any]:
        return await teams.remove(work, key)

    await change.make(story)


def require_may_change(viewer: Viewer, key: str, fields: set[str]) -> None:
    """Raises ForbiddenError: a leader sets only BY_LEADERS, and only in teams they lead."""
    if viewer.may(Permission.TEAMS_MANAGE):
        return
    if more := sorted(fields - BY_LEADERS):
        raise ForbiddenError(f"To set {more[0]} needs the right teams.manage.", permission="teams.manage")
    if not viewer.sees_all and key not in viewer.teams:
        raise ForbiddenError("You do not lead this team.")
