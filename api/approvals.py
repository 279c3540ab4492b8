"""Questions that runs put to people: what waits for one's decision, and deciding it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import Body, Storable
from api.house import Reading
from api.json_fields import Inputs
from api.viewers import needs
from domain.permissions import Permission, Viewer
from store import approvals
from store.transactions import Work

router = APIRouter(prefix="/approvals", tags=["runs"])
Reader = Annotated[Viewer, Depends(needs(Permission.RUNS_READ))]
Deciding = Annotated[Change, Depends(changing(Permission.RUNS_READ))]


class Approval(BaseModel):
    """`may_decide` {roles, teams, users}; `needed`: how many must say yes; `form`: what a yes has to fill in; `facts`:
    counts of the run's items, `messages` (what the first of them would be told, as far as that can be said beforehand),
    `dry_run` (the launcher's latest one of the same document, and how its items ended), `changes` (paths that differ
    from the version before); `state` open, approved, rejected, expired, withdrawn.
    """

    id: UUID
    run_id: UUID
    run_number: int
    definition: str
    title: str
    seq: int
    step: str
    message: str
    facts: dict[str, Any]
    form: dict[str, Any] | None
    may_decide: dict[str, Any]
    needed: int
    allow_self: bool
    launched_by: UUID | None
    state: str
    votes: list[dict[str, Any]]
    deadline: str | None
    created_at: str
    decided_at: str | None


class Approvals(BaseModel):
    items: list[Approval]


class Vote(Body):
    approved: bool
    comment: Annotated[str, Field(max_length=approvals.LONGEST_COMMENT), Storable] | None = None
    form: Inputs | None = None


@router.get("")
async def list_approvals(viewer: Reader, session: Reading) -> Approvals:
    """What waits for the caller's decision, oldest first."""
    return Approvals.model_validate({"items": await approvals.list_open(session, viewer)})


@router.get("/{approval_id}")
async def read_approval(approval_id: UUID, viewer: Reader, session: Reading) -> Approval:
    return Approval(**await approvals.get_approval(session, viewer, approval_id))


@router.post("/{approval_id}/decision")
async def decide(approval_id: UUID, body: Vote, change: Deciding) -> Approval:
    """By those who were asked; the launcher of the run only where the definition allows it (403 `own_launch`)."""

    async def story(work: Work) -> dict[str, Any]:
        return await approvals.decide(work, change.viewer, approval_id, body.approved, body.comment, body.form)

    return Approval(**await change.make(story))
