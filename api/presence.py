"""Being there: the chosen status, heartbeats, and a supervisor's hand."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints

from api.dialog_commands import Body
from api.house import CurrentHouse
from api.submitting import PROBLEM
from api.viewers import needs
from domain import presence as rules
from domain.errors import ForbiddenError
from domain.permissions import Permission as P
from domain.permissions import Viewer
from domain.presence import Presence
from store import presence
from store.transactions import Actor, Work, team_keys_of, transact

router = APIRouter(
    prefix="/operators", tags=["presence"], responses=dict.fromkeys((401, 403, 404, 409, 422, 503), PROBLEM)
)
LONGEST = int(rules.LONGEST_LEASE.total_seconds())
Reason = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Own = Annotated[Viewer, Depends(needs(P.PRESENCE_OWN))]
Force = Annotated[Viewer, Depends(needs(P.OPERATORS_FORCE))]


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
async def choose_presence(body: PresenceBody, house: CurrentHouse, viewer: Own) -> dict[str, Any]:
    """Choose online, busy, away or offline. Only online with a living lease receives dialogs."""

    async def story(work: Work) -> dict[str, Any]:
        return await presence.choose_status(
            work, viewer.user_id, body.status, reason=body.reason, lease=body.lease, forced_by=None
        )

    answer, rings = await transact(house.sessions, story, actor=Actor("user", viewer.user_id))
    house.bell.ring(rings)
    return answer


@router.post("/me/heartbeat")
async def heartbeat(house: CurrentHouse, viewer: Own) -> dict[str, Any]:
    """Keep the lease alive: every 15 seconds; it lasts 45."""
    async with house.sessions.begin() as session:
        until = await presence.renew(session, viewer.user_id)
    if until is not None:
        return {"lease_until": until.isoformat()}

    async def story(work: Work) -> dict[str, Any]:
        return await presence.come_back(work, viewer.user_id)

    answer, rings = await transact(house.sessions, story, actor=Actor("user", viewer.user_id))
    house.bell.ring(rings)
    return answer


@router.put("/{operator_id}/presence")
async def force_presence(operator_id: UUID, body: ForceBody, house: CurrentHouse, viewer: Force) -> dict[str, Any]:
    """Set somebody else's status, within the teams one leads."""

    async def story(work: Work) -> dict[str, Any]:
        if not viewer.sees_all and not viewer.teams & await team_keys_of(work.session, [operator_id]):
            raise ForbiddenError("Only a supervisor of this person's team may do this.")
        return await presence.choose_status(
            work, operator_id, body.status, reason=body.reason, lease=None, forced_by=viewer.user_id
        )

    answer, rings = await transact(house.sessions, story, actor=Actor("user", viewer.user_id))
    house.bell.ring(rings)
    return answer
