"""Runs of processes and macros: the list, one with live totals, its items, their traces, the report."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path
from fastapi import Query as FromQuery
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.fields import KEY_PATTERN
from api.house import CurrentHouse, House, Reading
from api.pages import Limit, Listed, Moment, Query
from api.viewers import needs
from domain.criteria import read_moment
from domain.permissions import Permission, Viewer
from store import run_reports, run_views, settings, traces
from store.run_reports import COLUMNS, SoughtRuns
from store.run_views import Sight

router = APIRouter(prefix="/runs", tags=["runs"])
Reader = Annotated[Viewer, Depends(needs(Permission.RUNS_READ))]
Number = Annotated[int, Field(ge=0, le=2**63 - 1)]
ItemNumber = Annotated[
    int, Path(ge=-1, le=2**31 - 1, description="0: the phase before the items, -1: the one after them.")
]
DefinitionKey = Annotated[str, Field(pattern=KEY_PATTERN)]
RunKind = Literal["process", "macro", "undo"]
Status = Literal[
    "queued", "awaiting_approval", "running", "paused", "succeeded", "partially_failed", "failed", "stopped",
    "rejected", "cancelled",
]  # fmt: skip
TriggerKind = Literal["manual", "event", "schedule", "webhook", "sub", "retry", "undo"]
State = Literal["pending", "running", "waiting", "succeeded", "skipped", "failed", "cancelled"]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "One row an item."}
}


class RunsQuery(Query):
    """`after` is the number of the last run of the page before. `launched_by`: an id or me."""

    kind: Annotated[list[RunKind], Field(max_length=3)] = []
    definition: Annotated[list[DefinitionKey], Field(max_length=50)] = []
    status: Annotated[list[Status], Field(max_length=10)] = []
    trigger: Annotated[list[TriggerKind], Field(max_length=7)] = []
    dialog: UUID | None = None
    operator: UUID | None = Field(None, description="Whose dialogs were chosen.")
    launched_by: UUID | Literal["me"] | None = None
    origin: UUID | None = Field(None, description="Retries and undoings of this run.")
    parent: UUID | None = Field(None, description="Sub-processes of this run.")
    dry_run: bool | None = None
    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    after: Number | None = None
    limit: Limit = 50


class ItemsQuery(Query):
    """`after` is the number (`seq`) of the last item of the page before."""

    state: Annotated[list[State], Field(max_length=7)] = []
    needs_attention: bool | None = None
    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    limit: Limit = 50


class TraceQuery(Query):
    """`after` is the number (`n`) of the last record of the page before."""

    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    limit: Limit = 200


@router.get("")
async def list_runs(asked: Annotated[RunsQuery, FromQuery()], viewer: Reader, session: Reading) -> Listed:
    """Newest first, with their totals. Whoever leads, or reads everything, sees all; others what they launched and
    what ran on a dialog they may read.
    """
    has_dates = asked.from_ is not None or asked.to is not None
    zone = ZoneInfo(await settings.value_of(session, "time_zone")) if has_dates else ZoneInfo("UTC")
    sought = SoughtRuns(
        kind=frozenset(asked.kind),
        definition=frozenset(asked.definition),
        status=frozenset(asked.status),
        trigger=frozenset(asked.trigger),
        dialog=asked.dialog,
        operator=asked.operator,
        launched_by=viewer.user_id if asked.launched_by == "me" else asked.launched_by,
        origin=asked.origin,
        parent=asked.parent,
        dry=asked.dry_run,
        since=read_moment("from", asked.from_, zone) if asked.from_ is not None else None,
        until=read_moment("to", asked.to, zone, ends_day=True) if asked.to is not None else None,
        after=asked.after,
        limit=asked.limit,
    )
    items, after = await run_reports.list_runs(session, viewer, sought)
    return Listed(items=items, next=None if after is None else str(after), previous=None)


@router.get("/{run_id}")
async def read_run(run_id: UUID, viewer: Reader, session: Reading) -> dict[str, Any]:
    """Status, phase, live totals, why it stopped, what it waits for; of a run with one item that item, too."""
    return await run_reports.report_of(session, await run_views.get_sight(session, viewer, run_id))


@router.get("/{run_id}/items")
async def list_items(
    run_id: UUID, asked: Annotated[ItemsQuery, FromQuery()], viewer: Reader, session: Reading
) -> Listed:
    sight = await run_views.get_sight(session, viewer, run_id)
    items, after = await run_reports.list_items(
        session, viewer, sight, states=frozenset(asked.state), attention=asked.needs_attention, after=asked.after,
        limit=asked.limit,
    )  # fmt: skip
    return Listed(items=items, next=None if after is None else str(after), previous=None)


@router.get("/{run_id}/items/{seq}/trace")
async def read_trace(
    run_id: UUID, seq: ItemNumber, asked: Annotated[TraceQuery, FromQuery()], viewer: Reader, session: Reading
) -> dict[str, Any]:
    """Every step the item executed: times, attempts, inputs and result (redacted), the branch taken and the values
    it read, the error.
    """
    sight = await run_views.require_item(session, viewer, run_id, seq)
    items, after = await traces.page_of(
        session, run_id, seq, after=asked.after, limit=asked.limit, with_texts=sight.shows_texts
    )
    return {"run_id": run_id, "seq": seq, "items": items, "next": None if after is None else str(after)}


@router.get("/{run_id}/report.csv", response_class=StreamingResponse, responses=_CSV)
async def read_report(run_id: UUID, viewer: Reader, session: Reading, house: CurrentHouse) -> StreamingResponse:
    """One row an item, with a column for each of the definition's outputs."""
    sight = await run_views.get_sight(session, viewer, run_id)
    headers = {"Content-Disposition": f'attachment; filename="run-{sight.run.number}.csv"'}
    return StreamingResponse(_export(house, viewer, sight), media_type="text/csv; charset=utf-8", headers=headers)


async def _export(house: House, viewer: Viewer, sight: Sight) -> AsyncIterator[bytes]:
    yield _line([*COLUMNS, *(label for _, label in run_reports.output_columns(sight.run))])
    async for row in run_reports.report_rows(house.sessions, viewer, sight):
        yield _line(row)


def _line(row: list[Any]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerow([_cell(value) for value in row])
    return file.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | dict):
        return _harmless(json.dumps(value, ensure_ascii=False))
    return _harmless(value.isoformat() if hasattr(value, "isoformat") else str(value))


def _harmless(cell: str) -> str:
    """A spreadsheet would run what begins like a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
