"""Being there: the chosen status, heartbeats, and a supervisor's hand."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from api.changes import Change, changing
from api.fields import Body, Storable
from api.submitting import PROBLEM
from domain import presence as rules
from domain.errors import ForbiddenError
from domain.permissions import Permission as P
from domain.presence import Presence
from store import presence
from store.transactions import Work, team_keys_of

router = APIRouter(
    prefix="/operators", tags=["presence"], responses=dict.fromkeys((401, 403, 404, 409, 422, 503), PROBLEM)
)
LONGEST = int(rules.LONGEST_LEASE.total_seconds())
Reason = Annotated[str, Field(max_length=500), Storable]
Own = Annotated[Change, Depends(changing(P.PRESENCE_OWN))]
Force = Annotated[Change, Depends(changing(P.OPERATORS_FORCE))]


class PresenceBody(Body):
    status: Presence
    reason: Reason | None = None
    lease: (
        Annotated[int, Field(ge=1, le=LONGEST, description="Seconds to stay eligible without heartbeats.")] | None
    ) = None


class ForceBody(Body):
    status: Presence
    reason: Reason | None = None


@router.put("/me/presence")
async def choose_presence(body: PresenceBody, change: Own) -> dict[str, Any]:
    """Choose online, busy, away or offline. Only online with a living lease receives dialogs."""

    async def story(work: Work) -> dict[str, Any]:
        return await presence.choose_status(
            work, change.viewer.user_id, body.status, reason=body.reason, lease=body.lease, forced_by=None
        )

    return await change.make(story)


@router.post("/me/heartbeat")
async def heartbeat(change: Own) -> dict[str, Any]:
    """Keep the lease alive: every 15 seconds; it lasts 45."""
    if change.keyed is None:
        async with change.house.sessions.begin() as session:
            until = await presence.renew(session, change.viewer.user_id)
        if until is not None:
            return {"lease_until": until.isoformat()}

    async def story(work: Work) -> dict[str, Any]:
        return await presence.come_back(work, change.viewer.user_id)

    return await change.make(story)


@router.put("/{operator_id}/presence")
async def force_presence(operator_id: UUID, body: ForceBody, change: Force) -> dict[str, Any]:
    """Set somebody else's status, within the teams one leads."""

    async def story(work: Work) -> dict[str, Any]:
        if not change.viewer.sees_all and not change.viewer.teams & await team_keys_of(work.session, [operator_id]):
            raise ForbiddenError("Only a supervisor of this person's team may do this.")
        return await presence.choose_status(
            work, operator_id, body.status, reason=body.reason, lease=None, forced_by=change.viewer.user_id
        )

    return await change.make(story)
