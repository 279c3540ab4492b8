"""Calendars as settings: the working time that clocks and waits count. Topics, policies and waits name one."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from api.changes import Change, changing
from api.fields import BIGGEST, UNSENT, Body, Key, KeyInPath, Name, Seconds
from api.house import Reading
from api.launches import StartAt
from api.moving import DECIDING, Deciding, Moved, Preview
from api.viewers import needs
from domain.calendars.reading import MOST_EXCEPTIONS, MOST_INTERVALS, calendar_of
from domain.calendars.reckoning import add_working, counted
from domain.errors import InvalidError
from domain.permissions import Permission
from store import calendars
from store.clocks.moves import Concern
from store.clocks.moving import preview
from store.transactions import Work

router = APIRouter(prefix="/calendars", tags=["sla"])
READS = Depends(needs(Permission.TEAMS_READ))
MANAGES = Depends(needs(Permission.SLA_MANAGE))
Changing = Annotated[Change, Depends(changing(Permission.SLA_MANAGE))]
MOST_SHOWN = 100
Zone = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", description="A name like Europe/Kyiv.")]
Interval = Annotated[
    str,
    Field(
        pattern=r"^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$",
        description="09:00-18:00; 22:00-06:00 goes on into the next day, 00:00-24:00 is a whole one.",
    ),
]
Intervals = Annotated[list[Interval], Field(max_length=MOST_INTERVALS)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Date = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Weekly = Annotated[dict[Weekday, Intervals], Field(description="A day left out is a day off.")]
Exceptions = Annotated[
    dict[Date, Intervals],
    Field(max_length=MOST_EXCEPTIONS, description="Dates that differ: what begins on them instead; [] is a day off."),
]
Version = Annotated[int, Field(ge=1, le=BIGGEST)]


class Hours(BaseModel):
    zone: str
    weekly: dict[str, list[str]]
    exceptions: dict[str, list[str]]


class Calendar(Hours):
    """`topics` and `policies` that name it."""

    key: str
    name: str
    version: int
    topics: list[str]
    policies: list[str]
    updated_at: str


class CalendarVersion(Hours):
    version: int
    made_at: str
    made_by: str | None
    made_by_name: str | None


class WholeCalendar(Calendar):
    """`versions`: the last hundred, newest first. A clock keeps the one it began with until it is moved."""

    versions: list[CalendarVersion]


class Calendars(BaseModel):
    items: list[Calendar]


class ChangedCalendar(Calendar, Moved):
    pass


class NewCalendar(Body):
    key: Key
    name: Name
    zone: Zone
    weekly: Weekly
    exceptions: Exceptions = Field(default_factory=dict)


class CalendarEdit(Body):
    """`weekly` and `exceptions` are replaced whole."""

    zone: Zone = UNSENT
    weekly: Weekly = UNSENT
    exceptions: Exceptions = UNSENT


class CalendarChange(CalendarEdit, Deciding):
    """`version`: the one you have seen; where somebody has made another meanwhile: 409 `version_conflict`."""

    name: Name = UNSENT
    version: Version = UNSENT


class TimeAsked(Body):
    """A calendar by its `key`, or as it might be: `zone`, `weekly`, `exceptions`."""

    key: Key | None = None
    zone: Zone | None = None
    weekly: Weekly | None = None
    exceptions: Exceptions | None = None
    start: StartAt
    seconds: Seconds

    def hours(self) -> dict[str, Any]:
        return self.model_dump(include={"zone", "weekly", "exceptions"}, exclude_none=True)


class Counted(BaseModel):
    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime


class TimeTold(BaseModel):
    """`counted`: what counts between `start` and `due`, at most the first hundred stretches; `left_out`: how many more
    there are.
    """

    due: AwareDatetime
    counted: list[Counted]
    left_out: int


@router.get("", dependencies=[READS])
async def list_calendars(session: Reading) -> Calendars:
    return Calendars.model_validate({"items": await calendars.all_calendars(session)})


@router.get("/{key}", dependencies=[READS])
async def read_calendar(key: KeyInPath, session: Reading) -> WholeCalendar:
    return WholeCalendar.model_validate(await calendars.get_calendar(session, key))


@router.post("", status_code=201)
async def add_calendar(body: NewCalendar, change: Changing) -> Calendar:
    async def story(work: Work) -> dict[str, Any]:
        return await calendars.add(work, body.model_dump(), by=change.viewer.user_id)

    return Calendar.model_validate(await change.make(story))


@router.post("/preview-time", dependencies=[MANAGES])
async def preview_time(body: TimeAsked, session: Reading) -> TimeTold:
    """When so much working time has passed since `start`, and which hours were counted. Saves nothing."""
    if (body.key is None) == (not body.hours()):
        raise InvalidError("Give the key of a calendar, or its zone and weekly hours.", field="key")
    calendar = await calendars.calendar_named(session, body.key) if body.key else calendar_of(body.hours())
    due = add_working(calendar, body.start, timedelta(seconds=body.seconds))
    pieces = counted(calendar, body.start, due)
    return TimeTold(
        due=due,
        counted=[Counted.model_validate({"from": begin, "to": end}) for begin, end in pieces[:MOST_SHOWN]],
        left_out=max(0, len(pieces) - MOST_SHOWN),
    )


@router.patch("/{key}")
async def change_calendar(key: KeyInPath, body: CalendarChange, change: Changing) -> ChangedCalendar:
    """Other hours are another version. Where running clocks would move: 409 `confirmation_needed` {total, moves}."""
    given = body.given(*DECIDING)

    async def story(work: Work) -> dict[str, Any]:
        return await calendars.change(work, change.viewer, key, given, **body.decision())

    return ChangedCalendar.model_validate(await change.make(story))


@router.post("/{key}/preview")
async def preview_calendar(
    key: KeyInPath,
    body: CalendarEdit,
    change: Changing,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Preview:
    """Whose clocks the edit would move, and to when. Saves nothing."""

    async def edit(work: Work) -> None:
        await calendars.edit(work, key, body.given(), by=change.viewer.user_id)

    concern = Concern(calendars=frozenset({key}))
    return Preview.model_validate(await preview(change.house.sessions, edit, concern, after=after, limit=limit))


@router.delete("/{key}", status_code=204)
async def delete_calendar(key: KeyInPath, change: Changing) -> None:
    """Refused while a topic or a policy names it, a definition waits or a clock runs by it; `where` says what. Its
    versions stay for the clocks that ran by it; made anew, it goes on with the next.
    """

    async def story(work: Work) -> dict[str, Any]:
        return await calendars.remove(work, key)

    await change.make(story)
