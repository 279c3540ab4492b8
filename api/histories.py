"""Workflow histories as plain timelines: of dialogs, offers, presence and any run (B5)."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Response
from fastapi import Query as FromQuery
from pydantic import AwareDatetime, Field
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client

from api import tellings
from api.house import EVENTS_SEQ, CurrentHouse, House
from api.pages import Cursor, Limit, Query
from api.tellings import Runs, Told
from api.viewers import needs
from domain import workflow_ids
from domain.errors import InvalidError, NotFoundError, UnavailableError
from domain.histories import TOLD, Category
from domain.permissions import Permission as P
from domain.permissions import Viewer
from gateways.chains import Chain, Page, Place, Run
from gateways.histories import Described, GoneError, describe
from store import histories, run_views
from store.dialog_rows import require_readable
from store.events import open_snapshot
from store.histories import RunRow, Sought
from store.run_wakes import workflow_of
from store.tables import Run as LaunchedRun
from store.tables import Transfer
from workflows.converting import DATA_CONVERTER

router = APIRouter(tags=["histories"])
Historian = Annotated[Viewer, Depends(needs(P.HISTORY_READ))]
RunId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]*$")]
ItemNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
Sealed = Annotated[str, Field(min_length=1, max_length=8000, pattern=r"^[A-Za-z0-9_-]+$")]
State = Literal["running", "closed", "completed", "failed", "canceled", "terminated", "continued_as_new", "timed_out",
                "lost"]  # fmt: skip


class HistoryQuery(Query):
    limit: Limit = 50
    after: Sealed | None = None
    category: list[Category] = Field([], max_length=8, description="Only these; none = all but `platform`.")
    all: bool = Field(False, description="Tell what the engine did to itself too.")
    raw: bool = Field(False, description="The decoded events instead of lines.")


class RunsQuery(Query):
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
    dialog: UUID | None = None
    state: State | None = None
    from_: AwareDatetime | None = Field(None, alias="from", description="Started at or after.")
    to: AwareDatetime | None = Field(None, description="Started before.")
    limit: Limit = 50
    after: Cursor | None = None


Asked = Annotated[HistoryQuery, FromQuery()]


@router.get("/dialogs/{dialog_id}/history")
async def dialog_history(
    dialog_id: UUID, asked: Asked, viewer: Historian, house: CurrentHouse, response: Response
) -> Told:
    """What the dialog's workflow did, newest first: commands and refusals, deliveries, waits, offers."""
    async with house.sessions() as session:
        await require_readable(session, viewer, dialog_id)
    return await _tell(house, viewer, workflow_ids.of_dialog(dialog_id), asked, response)


@router.get("/dialogs/{dialog_id}/clocks/history")
async def clocks_history(
    dialog_id: UUID, asked: Asked, viewer: Historian, house: CurrentHouse, response: Response
) -> Told:
    """What the dialog's clock workflow did, newest first: when it slept until which moment, and when it looked."""
    async with house.sessions() as session:
        await require_readable(session, viewer, dialog_id)
    return await _tell(house, viewer, workflow_ids.of_clocks(dialog_id), asked, response)


@router.get("/transfers/{transfer_id}/history")
async def transfer_history(
    transfer_id: UUID, asked: Asked, viewer: Historian, house: CurrentHouse, response: Response
) -> Told:
    await _require_transfer(house, viewer, transfer_id)
    return await _tell(house, viewer, workflow_ids.of_transfer(transfer_id), asked, response)


@router.get("/operators/{operator_id}/presence/history")
async def presence_history(
    operator_id: UUID, asked: Asked, viewer: Historian, house: CurrentHouse, response: Response
) -> Told:
    async with house.sessions() as session:
        await histories.require_colleague(session, viewer, operator_id)
    return await _tell(house, viewer, workflow_ids.of_presence(operator_id), asked, response)


@router.get("/workflows")
async def list_workflows(
    asked: Annotated[RunsQuery, FromQuery()], viewer: Historian, house: CurrentHouse, response: Response
) -> Runs:
    """Runs of workflows, newest first. `state` running: not known to have ended."""
    sought = Sought(asked.kind, asked.dialog, asked.state, asked.from_, asked.to, _after(asked.after), asked.limit)
    async with house.sessions() as session:
        response.headers[EVENTS_SEQ] = str(await open_snapshot(session))
        found = await histories.list_runs(session, viewer, sought)
    shown, more = found[: asked.limit], found[asked.limit :]
    place = _cursor(shown[-1]) if more else None
    return Runs(items=[tellings.run_of(house, run) for run in shown], next=place)


@router.get("/runs/{run_id}/history")
async def run_history(run_id: RunId, asked: Asked, viewer: Historian, house: CurrentHouse, response: Response) -> Told:
    """Of a run of a process or macro, of all runs of a workflow by its id (`dialog:…`), or of one of these."""
    async with house.sessions() as session:
        launched = await _find_launched(session, viewer, run_id)
        run = None if launched else await histories.find_run(session, run_id)
        newest = run or next(iter(await histories.runs_of(session, launched or run_id)), None)
    if launched is not None:
        return await _tell(house, viewer, launched, asked, response)
    if newest is None:
        raise NotFoundError("There is no such run.")
    await _require_run(house, viewer, newest)
    return await _tell(house, viewer, newest.workflow_id, asked, response, only=run)


@router.get("/runs/{run_id}/items/{seq}/history")
async def item_history(
    run_id: UUID, seq: ItemNumber, asked: Asked, viewer: Historian, house: CurrentHouse, response: Response
) -> Told:
    """Of an item that has a workflow of its own; items of a batch are told by their run's history and their trace."""
    async with house.sessions() as session:
        sight = await run_views.require_item(session, viewer, run_id, seq)
    if sight.run.kind == "macro" or sight.run.topology == "batch":
        return await _tell(house, viewer, workflow_of(sight.run), asked, response)
    return await _tell(house, viewer, workflow_ids.of_item(run_id, seq), asked, response)


async def _find_launched(session: AsyncSession, viewer: Viewer, run_id: str) -> str | None:
    """The workflow of a run of a process or macro. Raises NotFoundError for one the viewer may not look at."""
    try:
        found = await session.get(LaunchedRun, UUID(run_id))
    except ValueError:
        return None
    if found is None:
        return None
    await run_views.get_sight(session, viewer, found.id)
    return workflow_of(found)


async def _require_transfer(house: House, viewer: Viewer, transfer_id: UUID) -> None:
    async with house.sessions() as session:
        transfer = await session.get(Transfer, transfer_id)
        if transfer is None:
            raise NotFoundError("There is no such transfer.")
        await require_readable(session, viewer, transfer.dialog_id)


async def _require_run(house: House, viewer: Viewer, run: RunRow) -> None:
    kind, rest = workflow_ids.parse(run.workflow_id)
    async with house.sessions() as session:
        if run.dialog_id is not None:
            await require_readable(session, viewer, run.dialog_id)
        elif kind == workflow_ids.PRESENCE:
            await histories.require_colleague(session, viewer, UUID(rest))
        elif kind in (workflow_ids.MASS, workflow_ids.MACRO):
            await run_views.get_sight(session, viewer, UUID(rest))
        elif kind == workflow_ids.PROCESS:
            await run_views.require_item(session, viewer, *workflow_ids.item_of(rest))
        elif not viewer.sees_all:
            raise NotFoundError("There is no such run.")


async def _tell(
    house: House, viewer: Viewer, workflow_id: str, asked: HistoryQuery, response: Response, only: RunRow | None = None
) -> Told:
    """No connection to the database is held while Temporal is asked."""
    subject = only.run_id if only else workflow_id
    place = tellings.unseal(house, subject, asked.after) if asked.after else None
    async with house.sessions() as session:
        response.headers[EVENTS_SEQ] = str(await open_snapshot(session))
        rows = [only] if only else await histories.runs_of(session, workflow_id)
    client, newest = await _look(house, workflow_id, only, place)
    chain = Chain(
        _runs(workflow_id, rows, newest.run_id if newest else place.run_id if place else None, newest),
        workflow=workflow_ids.parse(workflow_id)[0],
        client=client,
        kept=lambda run: _kept(house, run),
        codec=DATA_CONVERTER.payload_codec,
        shows_texts=viewer.may(P.DIALOG_READ_TEXTS),
    )
    page = await _page(chain, asked, place)
    async with house.sessions() as session:
        items = await tellings.lines_of(session, house, workflow_id, page.lines)
    if asked.raw:
        items = [tellings.event_of(run_id, event) for run_id, event in page.events]
    is_away = page.is_live_away or (client is None and only is None and _may_run_on(rows))
    if is_away and not rows:
        raise UnavailableError("The workflow server is away, and nothing was copied yet. Try again shortly.")
    return Told(
        workflow_id=workflow_id,
        items=items,
        next=tellings.seal(house, subject, page.next_place) if page.next_place else None,
        live="unavailable" if is_away else "included",
        runs=[tellings.run_of(house, row) for row in rows],
        link=tellings.link_to(house, workflow_id, only.run_id if only else None),
    )


async def _page(chain: Chain, asked: HistoryQuery, place: Place | None) -> Page:
    if asked.raw:
        return await chain.events(place, limit=asked.limit)
    wanted = frozenset(asked.category) or (frozenset(Category) if asked.all else TOLD)
    return await chain.lines(place, limit=asked.limit, wanted=wanted)


async def _look(
    house: House, workflow_id: str, only: RunRow | None, place: Place | None
) -> tuple[Client | None, Described | None]:
    """The way to Temporal, None while it is away, and on a first page how the newest run stands there."""
    try:
        client = await house.bell.client()
        if place is not None or (only is not None and only.is_kept):
            return client, None
        return client, await describe(client, workflow_id, only.run_id if only else "")
    except GoneError:
        return client, None
    except UnavailableError:
        return None, None


def _runs(workflow_id: str, rows: list[RunRow], first: str | None, described: Described | None) -> list[Run]:
    """The known runs, and before them `first` where its first transaction has not been made yet."""
    runs = [Run(workflow_id, row.run_id, row.started_at, is_kept=row.is_kept, is_lost=row.is_lost) for row in rows]
    if first is not None and all(run.run_id != first for run in runs):
        runs.insert(0, Run(workflow_id, first, described.started_at if described else datetime.now(UTC)))
    if described is None:
        return runs
    return [replace(run, tries=described.tries) if run.run_id == described.run_id else run for run in runs]


def _may_run_on(rows: list[RunRow]) -> bool:
    return not rows or rows[0].status in (None, "continued_as_new")


async def _kept(house: House, run: Run) -> bytes | None:
    async with house.sessions() as session:
        return await histories.kept_history(session, run.workflow_id, run.run_id)


def _cursor(row: RunRow) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([row.started_at, row.run_id])).decode().rstrip("=")


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        at, run_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at).astimezone(UTC)
        if not isinstance(run_id, str) or "\x00" in run_id:
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        raise InvalidError("This cursor is not one of ours.", field="after") from None
    return moment, run_id
