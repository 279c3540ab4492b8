"""The clocks of a dialog, each explained: its deadline, its ledger, and what of the calendar counted."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi import Query as FromQuery
from pydantic import BaseModel, Field

from api.dialogs import Reader
from api.house import Reading
from api.languages import Language
from api.pages import Limit, Query
from store.clocks import telling

router = APIRouter(prefix="/dialogs/{dialog_id}", tags=["dialogs"])


class ClocksQuery(Query):
    """`limit`: the open ones come first, then those that ended, the latest first."""

    limit: Limit = 50


class Counted(BaseModel):
    """What counted from one moment to another; of a day: between its first and its last counted moment."""

    from_: datetime = Field(alias="from")
    to: datetime
    seconds: float


class Line(BaseModel):
    """A line of the ledger: it ran or was paused. `words`: why it began and by whom; `changes`: what a new promise
    changed. `seconds` of the calendar counted in it, so far; `left_off`: earlier days that are not told one by one.
    """

    number: int
    state: str
    from_: datetime = Field(alias="from")
    to: datetime | None
    cause: str
    words: str
    actor: dict[str, Any]
    changes: str | None
    changed: dict[str, Any]
    seconds: float
    counted: list[Counted]
    left_off: int


class ToldClock(BaseModel):
    """`target` and `remaining` in seconds of the calendar; `remaining` is negative when overdue, null of one
    that ended. `due_at` is null while it stands still, and of one that stood still past it and ended unbroken.
    `counted_by`: stretch, or day where there are too many stretches. `why` in words: why it is due then.
    """

    id: UUID
    metric: str
    alias: str
    name: str
    status: str | None
    kind: str
    cycle: int
    state: str
    result: str | None
    target: int
    started_at: datetime
    due_at: datetime | None
    remaining: float | None
    is_overdue: bool
    warn: list[int]
    warned: list[int]
    breached_at: datetime | None
    ended_at: datetime | None
    policy: dict[str, Any] | None
    calendar: dict[str, Any] | None
    zone: str
    counted_by: str
    ledger: list[Line]
    why: str


class Clocks(BaseModel):
    """`now`: the moment by the database's clock that `remaining` and `is_overdue` are told of."""

    dialog_id: UUID
    now: datetime
    due_at: datetime | None
    is_overdue: bool
    clocks: list[ToldClock]
    left_off: int


@router.get("/clocks")
async def read_clocks(
    dialog_id: UUID,
    asked: Annotated[ClocksQuery, FromQuery()],
    viewer: Reader,
    session: Reading,
    language: Language,
    response: Response,
) -> Clocks:
    """Each clock with its state, deadline and ledger, and in words (Accept-Language: en, uk) why it is due then.

    A deadline that has passed is told as passed, carried out or not.
    """
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return Clocks(**await telling.clocks_of(session, viewer, dialog_id, language=language, limit=asked.limit))
