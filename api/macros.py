"""Macros on one dialog: which there are, running one and waiting for what it says."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import Body, KeyInPath
from api.house import CurrentHouse, House, Reading
from api.json_fields import Inputs
from api.launches import links_of, require_covered
from api.submitting import PROBLEM
from api.viewers import needs
from domain.errors import UnavailableError
from domain.launches import LaunchOrder
from domain.permissions import Permission, Viewer
from domain.runs import ENDED
from relay.macros import play
from store import macro_runs, run_commands
from store.launches import launch
from store.transactions import Work

router = APIRouter(prefix="/dialogs/{dialog_id}/macros", tags=["runs"])
Launcher = Annotated[Viewer, Depends(needs(Permission.RUNS_LAUNCH))]
Launching = Annotated[Change, Depends(changing(Permission.RUNS_LAUNCH))]


class Macro(BaseModel):
    key: str
    version: int
    title: str
    summary: str | None
    category: str | None
    icon: str | None
    tags: list[str]
    has_inputs: bool


class Macros(BaseModel):
    items: list[Macro]


class MacroBody(Body):
    """`rerun_from`: a failed run of this macro on this dialog; steps that were done are not done again."""

    inputs: Inputs = Field(default_factory=dict)
    rerun_from: UUID | None = None


class Played(BaseModel):
    """`status` succeeded, failed, skipped (by its guard, or because another run of it works on the dialog), …
    `error` {type, step, message} says why. `outputs` are for the operator's eyes: nothing of this is sent to the client
    unless the macro says so.
    """

    run_id: UUID
    status: str
    message: str | None
    outputs: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    error: dict[str, Any] | None
    needs_attention: bool


class GoesOn(BaseModel):
    """It continues in the background; ask at `links.self`."""

    run_id: UUID
    status: str
    links: dict[str, str]


@router.get("")
async def list_macros(dialog_id: UUID, viewer: Launcher, session: Reading) -> Macros:
    """The active ones that the caller may run."""
    return Macros.model_validate({"items": await macro_runs.macros_for(session, viewer, dialog_id)})


@router.post(
    "/{key}/runs",
    response_model=Played,
    responses={202: {"model": GoesOn, "description": "It takes longer, and goes on."}, 409: PROBLEM, 422: PROBLEM},
)
async def run_macro(
    dialog_id: UUID, key: KeyInPath, change: Launching, house: CurrentHouse, body: MacroBody | None = None
) -> Played | JSONResponse:
    """Run it and wait, a minute at most. Wrong inputs are refused before anything starts; a macro that fails answers
    200 with `status` failed and the reason.
    """
    asked = body or MacroBody()

    async def story(work: Work) -> dict[str, Any]:
        if asked.rerun_from is not None:
            again = await run_commands.rerun(work, change.viewer, asked.rerun_from, key=key, dialog_id=dialog_id)
            return await require_covered(work, change, again)
        order = LaunchOrder(
            kind="macro", key=key, inputs=asked.inputs, launched_by=change.viewer.user_id, dialog_id=dialog_id
        )
        return await require_covered(work, change, await launch(work, order, viewer=change.whole_viewer))

    told, rings = await change.carry_out(story)
    house.bell.ring(rings - {told["workflow_id"]})
    if told["status"] not in ENDED:
        await _wait(house, told)
    async with house.glances() as session:
        result = await macro_runs.result_of(session, UUID(told["run_id"]))
    if result["status"] in ENDED or result["status"] == "skipped":
        return Played(**result)
    goes_on = {"run_id": told["run_id"], "status": result["status"], "links": links_of(told["run_id"])}
    return JSONResponse(goes_on, 202, {"Location": goes_on["links"]["self"]})


async def _wait(house: House, told: dict[str, Any]) -> None:
    """While nobody can carry it out the answer is 202; the relay starts it as soon as somebody can."""
    try:
        client = await house.bell.client()
    except UnavailableError:
        return
    await play(client, UUID(told["run_id"]))
