"""Reports about promised time: how much of it was kept, and the dialogs behind each number."""

import csv
import io
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Response
from fastapi import Query as FromQuery
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.fields import Storable
from api.house import Reading
from api.languages import Language
from api.pages import Cursor, Limit, Listed, Moment, Query
from api.viewers import needs
from domain.clock_reports import FORMULA, Counted, Group, Result, require_period
from domain.clocks.metrics import Metric
from domain.criteria import NONE, read_moment
from domain.permissions import Permission, Viewer
from store import clock_reports, settings

router = APIRouter(prefix="/reports", tags=["reports"])
Reader = Annotated[Viewer, Depends(needs(Permission.REPORTS_READ))]
Keys = Annotated[list[Annotated[str, Field(min_length=1, max_length=200), Storable]], Field(max_length=100)]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "One row a group and metric."}
}
COLUMNS = ("group", "name", "metric", "met", "breached", "dropped", "share_met", "running_overdue")


class CountedQuery(Query):
    """Which clocks: those that ended at or after `from` and before `to` (a date counts itself in), the last 30 days
    unless said. A repeated filter means any of its values.
    """

    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    metric: Annotated[list[Metric], Field(max_length=6)] = []
    topic: Keys = Field([], description="Key, or none.")
    team: Keys = []
    priority: Keys = []
    operator: Annotated[list[UUID | Literal["none"]], Field(max_length=100)] = Field(
        [], description="Id, or none: who holds the dialog, or held it last."
    )

    async def counted(self, session: AsyncSession) -> tuple[Counted, str]:
        """And the zone that days are counted in. Raises InvalidError naming the field."""
        name = await settings.value_of(session, "time_zone")
        zone = ZoneInfo(name)
        begin = read_moment("from", self.from_, zone) if self.from_ is not None else None
        end = read_moment("to", self.to, zone, ends_day=True) if self.to is not None else None
        now: datetime = (await session.execute(select(func.now()))).scalar_one()
        begin, end = require_period(begin, end, now)
        return Counted(
            begin, end, frozenset(self.metric), frozenset(None if t == NONE else t for t in self.topic),
            frozenset(self.team), frozenset(self.priority),
            frozenset(o if isinstance(o, UUID) else None for o in self.operator),
        ), name  # fmt: skip


class ReportQuery(CountedQuery):
    group_by: Group = Group.METRIC


class BehindQuery(CountedQuery):
    """`result` overdue: clocks open now whose deadline has passed, whatever the period."""

    result: Result = Result.BREACHED
    limit: Limit = 50
    after: Cursor | None = None


class Numbers(BaseModel):
    """`share_met`: 0 to 1, of those with a result; null where there are none. `running_overdue`: now; of days null."""

    metric: Metric
    met: int
    breached: int
    dropped: int
    share_met: float | None
    running_overdue: int | None


class Row(Numbers):
    group: str | None
    name: str | None


class Report(BaseModel):
    """`formula`: how the numbers are counted, in words (Accept-Language: en, uk)."""

    from_: datetime = Field(serialization_alias="from")
    to: datetime
    zone: str
    group_by: Group
    formula: str
    totals: list[Numbers]
    rows: list[Row]


@router.get("/sla")
async def read_sla_report(
    asked: Annotated[ReportQuery, FromQuery()], viewer: Reader, session: Reading, language: Language, response: Response
) -> Report:
    """How much of what was promised was kept, by metric and group; a supervisor's teams only."""
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return await _report(asked, viewer, session, language)


@router.get("/sla.csv", response_class=Response, responses=_CSV)
async def export_sla_report(
    asked: Annotated[ReportQuery, FromQuery()], viewer: Reader, session: Reading, language: Language
) -> Response:
    """The same rows as a file."""
    told = await _report(asked, viewer, session, language)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(row, column)) for column in COLUMNS] for row in told.rows)
    headers = {"Content-Disposition": f'attachment; filename="sla-by-{asked.group_by}.csv"'}
    return Response(file.getvalue().encode("utf-8", "replace"), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/sla/tickets")
async def list_behind_sla_report(
    asked: Annotated[BehindQuery, FromQuery()], viewer: Reader, session: Reading
) -> Listed:
    """The clocks a number of the report counts, with their dialogs, the latest first."""
    counted, _ = await asked.counted(session)
    page = await clock_reports.behind(session, viewer, counted, asked.result, limit=asked.limit, after=asked.after)
    return Listed(items=page.items, next=page.next, previous=page.previous)


async def _report(asked: ReportQuery, viewer: Viewer, session: AsyncSession, language: str) -> Report:
    counted, zone = await asked.counted(session)
    told = await clock_reports.report(session, viewer, counted, asked.group_by, zone=zone)
    return Report(
        from_=counted.begin, to=counted.end, zone=zone, group_by=asked.group_by, formula=FORMULA[language], **told
    )


def _cell(value: Any) -> str:
    """What a spreadsheet would take for a formula is told as text."""
    told = "" if value is None else str(value)
    return "'" + told if told[:1] in ("=", "+", "-", "@", "\t", "\r") else told
