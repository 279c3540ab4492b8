"""The audit: every event with who, when, from where, before and after; as pages, or whole as CSV."""

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from fastapi import Query as FromQuery
from fastapi.responses import Response, StreamingResponse
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.house import CurrentHouse, House, Reading
from api.pages import Limit, Listed, Moment, Query
from api.viewers import needs
from domain.criteria import read_moment
from domain.permissions import Permission as P
from domain.permissions import Viewer
from store import settings
from store.event_logs import AskedLog, list_log

router = APIRouter(tags=["events"])
Auditor = Annotated[Viewer, Depends(needs(P.AUDIT_READ))]
COLUMNS = (
    "seq", "at", "kind", "actor_kind", "actor", "actor_id", "address", "dialog_id", "contact_id", "team", "operator",
    "operator_id", "run_id", "before", "after", "data",
)  # fmt: skip
MOST_EXPORTED = 100_000
_AT_ONCE = 2_000
Kind = Annotated[str, Field(max_length=100, pattern=r"^[a-z_]+\.([a-z_]+|\*)$")]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A page, or with format=csv all."}
}


class LogQuery(Query):
    """`after` is the id of the last entry of the page before; `kind` may end in `.*`."""

    kind: Annotated[list[Kind], Field(max_length=50)] = []
    actor: UUID | None = None
    operator: UUID | None = None
    dialog: UUID | None = None
    contact: UUID | None = None
    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    after: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: Limit = 50
    format: Literal["json", "csv"] = "json"

    async def asked(self, session: AsyncSession) -> AskedLog:
        """Raises InvalidError."""
        has_dates = self.from_ is not None or self.to is not None
        zone = ZoneInfo(await settings.value_of(session, "time_zone")) if has_dates else ZoneInfo("UTC")
        return AskedLog(
            frozenset(self.kind),
            self.actor,
            self.operator,
            self.dialog,
            self.contact,
            read_moment("from", self.from_, zone) if self.from_ is not None else None,
            read_moment("to", self.to, zone, ends_day=True) if self.to is not None else None,
            self.after,
            self.limit,
        )


@router.get("/events/log", response_model=Listed, responses=_CSV)
async def read_log(
    asked: Annotated[LogQuery, FromQuery()], house: CurrentHouse, viewer: Auditor, session: Reading
) -> Listed | Response:
    """Newest first. `format=csv` answers everything that fits as one file, at most 100,000 entries."""
    wanted = await asked.asked(session)
    if asked.format == "csv":
        headers = {"Content-Disposition": 'attachment; filename="events.csv"'}
        return StreamingResponse(_export(house, viewer, wanted), media_type="text/csv; charset=utf-8", headers=headers)
    page = await list_log(session, viewer, wanted)
    return Listed(items=page.items, next=page.next, previous=page.previous)


async def _export(house: House, viewer: Viewer, wanted: AskedLog) -> AsyncIterator[bytes]:
    yield _lines([COLUMNS])
    for _ in range(MOST_EXPORTED // _AT_ONCE):
        async with house.sessions() as session:
            page = await list_log(session, viewer, replace(wanted, limit=_AT_ONCE))
        yield _lines([_cells(item) for item in page.items])
        if page.next is None:
            return
        wanted = replace(wanted, before_id=int(page.next))


def _cells(e: dict[str, Any]) -> list[str]:
    data = dict(e["data"])
    before, after = data.pop("before", None), data.pop("after", None)
    actor = e["actor"]
    values = [
        e["seq"], e["at"].isoformat(), e["kind"], actor["kind"], actor["name"], actor["id"], actor["address"],
        e["dialog_id"], e["contact_id"], e["team"], e["operator_name"], e["operator_id"], e["run_id"],
        _json(before), _json(after), _json(data),
    ]  # fmt: skip
    return ["" if v is None else _harmless(str(v)) for v in values]


def _json(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else None


def _harmless(cell: str) -> str:
    """A spreadsheet would run what begins like a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _lines(rows: list[Any]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode("utf-8")
