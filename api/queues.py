"""The queue with its reasons, what distribution did, the live board, and why nothing comes to somebody."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi import Query as FromQuery

from api.house import Reading
from api.pages import Cursor, Limit, Listed, Query, Values
from api.viewers import needs
from domain.criteria import require_keys
from domain.permissions import Permission as P
from domain.permissions import Viewer
from store import boards, distribution_audits, queues

router = APIRouter(tags=["distribution"])
QueueReader = Annotated[Viewer, Depends(needs(P.QUEUE_READ))]
Auditor = Annotated[Viewer, Depends(needs(P.DISTRIBUTION_AUDIT))]
BoardReader = Annotated[Viewer, Depends(needs(P.OPERATORS_READ))]


class TeamsQuery(Query):
    team: Values = []

    @property
    def teams(self) -> frozenset[str]:
        return require_keys("team", self.team)


class QueueQuery(TeamsQuery):
    after: Cursor | None = None
    limit: Limit = 50


class BoardQuery(TeamsQuery):
    """`after` is the id of the last operator of the page before."""

    after: UUID | None = None
    limit: Limit = 200


class Queue(Listed):
    """`teams`: how many wait in each, and since when the oldest."""

    teams: list[dict[str, Any]]


@router.get("/queue")
async def read_queue(asked: Annotated[QueueQuery, FromQuery()], viewer: QueueReader, session: Reading) -> Queue:
    """Every waiting dialog in the order they leave, with its age (seconds) and the reason it waits."""
    page, totals = await queues.list_queue(session, viewer, teams=asked.teams, after=asked.after, limit=asked.limit)
    return Queue(items=page.items, next=page.next, previous=page.previous, teams=totals)


@router.get("/distribution/audit")
async def audit_distribution(
    asked: Annotated[TeamsQuery, FromQuery()], viewer: Auditor, session: Reading
) -> dict[str, Any]:
    """The last 24 hours: decisions, distributed, skipped with reasons, anomalies, times in milliseconds."""
    return await distribution_audits.distribution_audit(session, viewer, teams=asked.teams)


@router.get("/operators")
async def list_operators(asked: Annotated[BoardQuery, FromQuery()], viewer: BoardReader, session: Reading) -> Listed:
    """The live board: chosen status, connection, last seen, dialogs held, slots taken."""
    page = await boards.live_board(session, viewer, teams=asked.teams, after=asked.after, limit=asked.limit)
    return Listed(items=page.items, next=page.next, previous=page.previous)


@router.get("/operators/{operator_id}")
async def read_operator(operator_id: UUID, viewer: BoardReader, session: Reading) -> dict[str, Any]:
    return await boards.get_operator(session, viewer, operator_id)


@router.get("/operators/{operator_id}/diagnosis")
async def diagnose_operator(operator_id: UUID, viewer: BoardReader, session: Reading) -> dict[str, Any]:
    """Why no dialog comes: every condition, in words. Of others it needs distribution.audit or dialog.lead."""
    if operator_id != viewer.user_id and not viewer.may(P.DIALOG_LEAD):
        viewer.require(P.DISTRIBUTION_AUDIT)
    return await boards.diagnosis(session, viewer, operator_id)
