"""SLA policies as settings: which answers, closings and statuses are promised within which time. A topic names one."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import BIGGEST, UNSENT, Body, Key, KeyInPath, Name, Storable
from api.house import Reading
from api.moving import DECIDING, Deciding, Moved, Preview
from api.viewers import needs
from domain.clocks.policies import LONGEST_ALIAS, LONGEST_TARGET, MOST_METRICS, MOST_WARNINGS
from domain.permissions import Permission
from store import sla_policies
from store.clocks.moves import Concern
from store.clocks.moving import preview
from store.transactions import Work

router = APIRouter(prefix="/sla-policies", tags=["sla"])
READS = Depends(needs(Permission.TEAMS_READ))
Changing = Annotated[Change, Depends(changing(Permission.SLA_MANAGE))]
Kind = Literal["chat", "ticket", "comment", "group"]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=4)]
Target = Annotated[int, Field(strict=True, ge=1, le=LONGEST_TARGET, description="Seconds of the calendar's time.")]
Percent = Annotated[int, Field(strict=True, ge=1, le=99)]
Version = Annotated[int, Field(ge=1, le=BIGGEST)]


class Metric(Body):
    """`tfr`: first response; `nrt`: next response; `ttc`: time to close; `tis`: time in one `status`. `target` for
    priorities that `targets` does not name. `warn`: percents of it at which those concerned are warned.
    """

    metric: Literal["tfr", "nrt", "ttc", "tis"]
    status: Literal["open", "in_progress", "pending", "resolved"] | None = None
    alias: Annotated[str, Field(max_length=LONGEST_ALIAS), Storable] = ""
    target: Target
    warn: Annotated[list[Percent], Field(max_length=MOST_WARNINGS)] = Field(default_factory=list)
    targets: Annotated[dict[Key, Target], Field(max_length=50)] = Field(default_factory=dict)


Metrics = Annotated[list[Metric], Field(min_length=1, max_length=MOST_METRICS)]


class Promises(BaseModel):
    """`kinds` of dialogs it is about. `calendar`: where a dialog's topic names none; null: every hour counts."""

    kinds: list[str]
    calendar: str | None
    metrics: list[Metric]


class Policy(Promises):
    """`topics` that name it."""

    key: str
    name: str
    version: int
    topics: list[str]
    updated_at: str


class PolicyVersion(Promises):
    version: int
    made_at: str
    made_by: str | None
    made_by_name: str | None


class WholePolicy(Policy):
    """`versions`: the last hundred, newest first. A clock keeps the one it began with until it is moved."""

    versions: list[PolicyVersion]


class Policies(BaseModel):
    items: list[Policy]


class ChangedPolicy(Policy, Moved):
    pass


class NewPolicy(Body):
    key: Key
    name: Name
    kinds: Kinds = ["ticket"]
    calendar: Key | None = None
    metrics: Metrics


class PolicyEdit(Body):
    kinds: Kinds = UNSENT
    calendar: Key | None = None
    metrics: Metrics = UNSENT


class PolicyChange(PolicyEdit, Deciding):
    """`version`: the one you have seen; where somebody has made another meanwhile: 409 `version_conflict`."""

    name: Name = UNSENT
    version: Version = UNSENT


@router.get("", dependencies=[READS])
async def list_sla_policies(session: Reading) -> Policies:
    return Policies.model_validate({"items": await sla_policies.all_policies(session)})


@router.get("/{key}", dependencies=[READS])
async def read_sla_policy(key: KeyInPath, session: Reading) -> WholePolicy:
    return WholePolicy.model_validate(await sla_policies.get_policy(session, key))


@router.post("", status_code=201)
async def add_sla_policy(body: NewPolicy, change: Changing) -> Policy:
    """It promises nothing until a topic names it."""

    async def story(work: Work) -> dict[str, Any]:
        return await sla_policies.add(work, body.model_dump(), by=change.viewer.user_id)

    return Policy.model_validate(await change.make(story))


@router.patch("/{key}")
async def change_sla_policy(key: KeyInPath, body: PolicyChange, change: Changing) -> ChangedPolicy:
    """Another promise is another version. Where running clocks would move: 409 `confirmation_needed` {total, moves}."""
    given = body.given(*DECIDING)

    async def story(work: Work) -> dict[str, Any]:
        return await sla_policies.change(work, change.viewer, key, given, **body.decision())

    return ChangedPolicy.model_validate(await change.make(story))


@router.post("/{key}/preview")
async def preview_sla_policy(
    key: KeyInPath,
    body: PolicyEdit,
    change: Changing,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Preview:
    """Whose clocks the edit would move, and to when. Saves nothing."""

    async def edit(work: Work) -> None:
        await sla_policies.edit(work, key, body.given(), by=change.viewer.user_id)

    concern = Concern(policies=frozenset({key}))
    return Preview.model_validate(await preview(change.house.sessions, edit, concern, after=after, limit=limit))


@router.delete("/{key}", status_code=204)
async def delete_sla_policy(key: KeyInPath, change: Changing) -> None:
    """Refused while a topic names it or a clock runs by it; `where` says what."""

    async def story(work: Work) -> dict[str, Any]:
        return await sla_policies.remove(work, key)

    await change.make(story)
