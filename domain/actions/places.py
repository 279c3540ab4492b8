"""Whose hands a dialog is in, and whether it is open."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.actions import capabilities
from domain.actions.fields import Duration, Line, Operator, Strategy, Team, Topic, Weight
from domain.actions.manifests import Effect, Manifest, Placement, Result, WriteParams

MOST_EXCLUDED = 100


class Assign(WriteParams):
    operator: Operator
    reason: Line | None = None


class Assigned(Result):
    operator: dict[str, Any] | None = None


class Unassign(WriteParams):
    to: Literal["queue", "unassigned"] | None = None
    reason: Line | None = None


class Distribute(WriteParams):
    """`to`: online = the dialog's own team; any = its own, else any team with somebody free; team; topic_team."""

    to: Literal["online", "team", "any", "topic_team"]
    team: Team | None = None
    exclude: Annotated[list[Operator], Field(max_length=MOST_EXCLUDED)] = Field(default_factory=list)
    strategy: Strategy | None = None
    otherwise: Literal["queue", "unassigned", "fail"] = "queue"
    weight: Weight | None = None


class Distributed(Result):
    operator: dict[str, Any] | None = None
    queued: bool = False
    place: str | None = None


class Transfer(WriteParams):
    """`accept_within`: the window. `on_timeout`: where the dialog goes when nobody answers. `wait`: for its end."""

    operator: Operator
    accept_within: Duration = "2m"
    on_timeout: Literal["return", "pool"] | None = None
    wait: bool = False
    note: Line | None = None


class Transferred(Result):
    offer_id: str | None = None
    accepted: bool | None = None


class TransferToTeam(WriteParams):
    """`topic`: what it is about from now on."""

    team: Team
    topic: Topic | None = None
    note: Line | None = None


class ToTeam(Result):
    team: str


class AddParticipant(WriteParams):
    operator: Operator


class Reopen(WriteParams):
    reason: Line | None = None


class Close(WriteParams):
    """`silent`: the client is not asked for a score."""

    reason: Line | None = None
    silent: bool = False


class StatusNow(Result):
    status: str
    changed: bool = True


def somebody(names: Mapping[str, Any], excluded: list[str]) -> dict[str, Any] | None:
    """Whom a preview supposes a dialog goes to: its operator of now, unless that one is to be spared."""
    operator = names.get("operator") or {}
    if operator.get("id") in excluded:
        return None
    name = operator.get("name") or (names.get("dialog") or {}).get("operator_name")
    return {"id": operator.get("id"), "name": name} if name else None


def _assign(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    return {"operator": {"id": p.operator, "name": None}}


def _to_team(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    return {"team": p.team}


def _distribute(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    found = somebody(names, p.exclude)
    if found is not None:
        return {"operator": found, "queued": False, "place": "owned"}
    is_queued = p.otherwise == "queue"
    return {"operator": None, "queued": is_queued, "place": "queued" if is_queued else "unassigned"}


def _reopen(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    status = (names.get("dialog") or {}).get("status")
    if status in ("closed", "resolved", "pending"):
        return {"status": "open", "changed": True}
    return {"status": status or "open", "changed": False}


def _close(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": "closed", "changed": (names.get("dialog") or {}).get("status") != "closed"}


_WRITES: dict[str, Any] = {"effect": Effect.WRITE, "placement": Placement.LOCAL}

ACTIONS: tuple[Manifest, ...] = (
    Manifest(
        "assign", Assign, Assigned, capability=capabilities.ASSIGN, **_WRITES, heavy=True, can_undo=True,
        simulate=_assign,
        label={"uk": "Призначити оператора", "en": "Assign"}, icon="user-check",
    ),
    Manifest(
        "unassign", Unassign, Result, capability=capabilities.CLOSE, **_WRITES, heavy=True, can_undo=True,
        simulate=lambda p, names: {},
        label={"uk": "Зняти з оператора", "en": "Unassign"}, icon="user-minus",
    ),
    Manifest(
        "distribute", Distribute, Distributed, capability=capabilities.ASSIGN, **_WRITES, heavy=True, can_undo=True,
        simulate=_distribute,
        label={"uk": "Розподілити", "en": "Distribute"}, icon="shuffle",
    ),
    Manifest(
        "transfer", Transfer, Transferred, capability=capabilities.TRANSFER, **_WRITES, heavy=True, can_undo=True,
        simulate=lambda p, names: {"offer_id": None, "accepted": None},
        label={"uk": "Передати оператору", "en": "Transfer to an operator"}, icon="arrow-right",
    ),
    Manifest(
        "transfer_to_team", TransferToTeam, ToTeam, capability=capabilities.TRANSFER, **_WRITES, heavy=True,
        can_undo=True, simulate=_to_team,
        label={"uk": "Передати групі", "en": "Transfer to a team"}, icon="users",
    ),
    Manifest(
        "add_participant", AddParticipant, Result, capability=capabilities.EDIT, **_WRITES, can_undo=True,
        simulate=lambda p, names: {"changed": True},
        label={"uk": "Додати учасника", "en": "Add a participant"}, icon="user-plus",
    ),
    Manifest(
        "reopen", Reopen, StatusNow, capability=capabilities.CLOSE, **_WRITES, heavy=True, can_undo=True,
        simulate=_reopen,
        label={"uk": "Перевідкрити", "en": "Reopen"}, icon="rotate-ccw",
    ),
    Manifest(
        "close", Close, StatusNow, capability=capabilities.CLOSE, **_WRITES, heavy=True, can_undo=True,
        simulate=_close,
        label={"uk": "Закрити", "en": "Close"}, icon="check",
    ),
)  # fmt: skip
