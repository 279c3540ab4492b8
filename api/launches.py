"""Launching a process over a selection: frozen, checked and queued in one transaction, answered at once."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from api.changes import Change, changing
from api.fields import Body, Key, KeyInPath
from api.json_fields import Inputs, Json
from api.submitting import PROBLEM
from domain.launch_rights import require_may_launch
from domain.launches import LaunchOrder, Selected
from domain.permissions import Permission
from store.launches import launch
from store.tables import DefinitionVersion, Run
from store.transactions import Work

router = APIRouter(prefix="/processes", tags=["runs"])
Launching = Annotated[Change, Depends(changing(Permission.RUNS_LAUNCH))]
MOST_IDS = 20_000
MOST_ITEMS = 100_000
Ids = Annotated[list[UUID], Field(max_length=MOST_IDS)]
Named = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$", description="Key or id.")]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


def _in_our_time(moment: AwareDatetime) -> AwareDatetime:
    if not 1970 < moment.year < 9998:
        raise ValueError("must lie between 1971 and 9997")
    return moment


StartAt = Annotated[AwareDatetime, AfterValidator(_in_our_time)]


class Selection(Body):
    """What is given is AND-ed, and AND-ed with the definition's own selection. `dialog_ids` is another name of `ids`.
    `where`: {field, op, value}, or all, any, not of such. `operator`: whose open dialogs.
    """

    ids: Ids | None = None
    dialog_ids: Ids | None = None
    folder: Named | None = None
    filter: Named | None = None
    where: Json | None = None
    operator: UUID | None = None
    team: Key | None = None
    topic: Key | None = None

    def selected(self) -> Selected:
        """`ids` and `dialog_ids` both given: what is in both."""
        ids = self.ids if self.ids is not None else self.dialog_ids
        if self.ids is not None and self.dialog_ids is not None:
            wanted = set(self.dialog_ids)
            ids = [i for i in self.ids if i in wanted]
        return Selected(
            ids=None if ids is None else tuple(dict.fromkeys(ids)), folder=self.folder, filter=self.filter,
            where=self.where, operator=self.operator, team=self.team, topic=self.topic,
        )  # fmt: skip


class LaunchBody(Body):
    """`dry_run`: nothing is changed, nobody is written to. `canary`: stop after the first N until told to go on.
    `version`: a published one instead of the active one; `draft` only dry. `confirm`: the number of items, where the
    definition wants it confirmed (409 `confirmation_needed` tells it).
    """

    selection: Selection = Field(default_factory=Selection)
    inputs: Inputs = Field(default_factory=dict)
    dry_run: bool = False
    canary: Annotated[int, Field(ge=1, le=MOST_ITEMS)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=50)] | None = None
    version: Version | Literal["draft"] | None = None
    confirm: Annotated[int, Field(ge=0, le=MOST_ITEMS)] | None = None
    start_at: StartAt | None = None


class Launched(BaseModel):
    """`left_out`: ids given that are no items (unknown, or none that the launcher may read)."""

    run_id: UUID
    number: int
    total: int
    status: str
    left_out: int
    links: dict[str, str]


async def require_covered(work: Work, change: Change, told: dict[str, Any]) -> dict[str, Any]:
    """A run acts with all rights of its launcher: a token may start nothing that its own scopes do not cover.

    Raises ForbiddenError; the launch is undone with its transaction.
    """
    if change.viewer.is_narrowed:
        run = await work.session.get_one(Run, UUID(told["run_id"]))
        version = await work.session.get(DefinitionVersion, (run.definition_key, run.version)) if run.version else None
        capabilities = version.capabilities if version else run.granted
        require_may_launch(change.viewer, {}, capabilities, None)
    return told


def links_of(run_id: str) -> dict[str, str]:
    place = f"/api/v1/runs/{run_id}"
    return {"self": place, "items": f"{place}/items", "history": f"{place}/history", "report": f"{place}/report.csv"}


def launched(told: dict[str, Any]) -> Launched:
    return Launched(**{"left_out": 0, **told}, links=links_of(told["run_id"]))


@router.post("/{key}/runs", status_code=202, responses={409: PROBLEM, 422: PROBLEM})
async def launch_process(key: KeyInPath, change: Launching, body: LaunchBody | None = None) -> Launched:
    """Freeze the selection and start. 202 is durable: the run and its items are committed. Watch it at its `links`."""
    asked = body or LaunchBody()

    async def story(work: Work) -> dict[str, Any]:
        order = LaunchOrder(
            kind="process", key=key, inputs=asked.inputs, selected=asked.selection.selected(), version=asked.version,
            launched_by=change.viewer.user_id, is_dry=asked.dry_run, canary=asked.canary,
            concurrency=asked.concurrency, confirm=asked.confirm, start_at=asked.start_at,
        )  # fmt: skip
        return await require_covered(work, change, await launch(work, order, viewer=change.whole_viewer))

    return launched(await change.make(story))
