"""Commands to a run: by whoever launched it, or with the right runs.control. Each counts from its commit."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import Body
from api.launches import MOST_ITEMS, Launched, Version, launched, require_covered
from domain.permissions import Permission
from store import run_commands
from store.transactions import Work

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])
Controlling = Annotated[Change, Depends(changing(Permission.RUNS_READ))]
ItemSeq = Annotated[int, Field(ge=1, le=2**31 - 1)]
Confirm = Annotated[int, Field(ge=0, le=MOST_ITEMS)]


class Commanded(BaseModel):
    """`status` as it is now; items at work end as the command allows them to."""

    run_id: UUID
    number: int
    status: str
    reason: str | None
    cancel_mode: str | None
    canary: int | None
    total: int


class CancelBody(Body):
    """finish_items: no more items begin, those at work end as they would; finish_step: they stop before their next
    step; now: their step is interrupted, too.
    """

    mode: Literal["finish_items", "finish_step", "now"] = "finish_items"


class RetryBody(Body):
    """`items`: failed, needs_attention, rest (cancelled ones), or numbers of items. resume: what is done is not done
    again; restart: from the beginning. `version`: a number or latest instead of the run's own. `confirm`: the number
    of items, where clients may be written to once more (409 `confirmation_needed` tells it).
    """

    mode: Literal["resume", "restart"] = "resume"
    items: Literal["failed", "needs_attention", "rest"] | Annotated[list[ItemSeq], Field(max_length=10_000)] = "failed"
    version: Version | Literal["latest"] | None = None
    confirm: Confirm | None = None


async def _command(change: Change, story: Callable[[Work], Awaitable[dict[str, Any]]]) -> Commanded:
    return Commanded(**await change.make(story))


@router.post("/pause")
async def pause_run(run_id: UUID, change: Controlling) -> Commanded:
    """No new items and no new effects; timers go on."""
    return await _command(change, lambda work: run_commands.pause(work, change.viewer, run_id))


@router.post("/resumption")
async def resume_run(run_id: UUID, change: Controlling) -> Commanded:
    return await _command(change, lambda work: run_commands.resume(work, change.viewer, run_id))


@router.post("/continuation")
async def continue_run(run_id: UUID, change: Controlling) -> Commanded:
    """After the canary: the rest may begin."""
    return await _command(change, lambda work: run_commands.continue_rest(work, change.viewer, run_id))


@router.post("/cancellation")
async def cancel_run(run_id: UUID, change: Controlling, body: CancelBody | None = None) -> Commanded:
    mode = body.mode if body else "finish_items"
    return await _command(change, lambda work: run_commands.cancel(work, change.viewer, run_id, mode))


@router.post("/retry", status_code=202)
async def retry_run(run_id: UUID, change: Controlling, body: RetryBody | None = None) -> Launched:
    """A new run over items that did not succeed."""
    asked = body or RetryBody()

    async def story(work: Work) -> dict[str, Any]:
        again = await run_commands.retry(
            work, change.viewer, run_id, mode=asked.mode, items=asked.items, version=asked.version,
            confirm=asked.confirm,
        )  # fmt: skip
        return await require_covered(work, change, again)

    return launched(await change.make(story))


@router.post("/undo", status_code=202)
async def undo_run(run_id: UUID, change: Controlling) -> Launched:
    """A new run that takes back what the items did, where nobody changed it since. Messages stay sent."""

    async def story(work: Work) -> dict[str, Any]:
        return await require_covered(work, change, await run_commands.undo(work, change.viewer, run_id))

    return launched(await change.make(story))
