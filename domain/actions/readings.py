"""What a definition may look up in the house."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.actions import capabilities
from domain.actions.fields import MOST_FOUND, Json, Line, Team
from domain.actions.manifests import Effect, Manifest, Params, Placement, Result

MOST_MESSAGES = 50
Limit = Annotated[int, Field(ge=1, le=MOST_FOUND)]


class GetDialog(Params):
    """`messages`: so many of the newest come along in dialog.messages."""

    messages: Annotated[int, Field(ge=0, le=MOST_MESSAGES)] = 0


class FindDialogs(Params):
    """`where`: a condition as in a selection. Newest first."""

    where: dict[str, Json] | None = None
    status: Line | list[Line] | None = None
    team: Team | None = None
    limit: Limit = 20


class FindOperators(Params):
    """`status`: online counts only those whose connection lives. `room`: only those who could take a dialog now."""

    status: Literal["online", "busy", "away", "offline"] | None = None
    team: Team | None = None
    role: Line | None = None
    room: bool = False
    limit: Limit = 20


class Found(Result):
    count: int
    items: list[Any]


def _dialog(p: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    return dict(names.get("dialog") or {})


_READS: dict[str, Any] = {"effect": Effect.READ, "placement": Placement.LOCAL}

ACTIONS: tuple[Manifest, ...] = (
    Manifest(
        "get_dialog", GetDialog, Result, capability=capabilities.READ, **_READS, simulate=_dialog,
        label={"uk": "Оновити дані діалогу", "en": "Read the dialog anew"}, icon="refresh-cw",
    ),
    Manifest(
        "find_dialogs", FindDialogs, Found, capability=capabilities.READ, **_READS, needs="none",
        simulate=lambda p, names: {"count": 0, "items": []},
        label={"uk": "Знайти діалоги", "en": "Find dialogs"}, icon="search",
    ),
    Manifest(
        "find_operators", FindOperators, Found, capability=capabilities.OPERATORS, **_READS, needs="none",
        simulate=lambda p, names: {"count": 0, "items": []},
        label={"uk": "Знайти операторів", "en": "Find operators"}, icon="search",
    ),
)  # fmt: skip
