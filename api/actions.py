"""What definitions may call: the actions with their parameters as forms, and the language's schema for editors."""

from functools import cache
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.languages import Language
from api.viewers import needs
from domain.actions.catalogue import callable_actions
from domain.actions.manifests import CATALOGUE_VERSION, Manifest
from domain.permissions import Permission

router = APIRouter(tags=["definitions"])
READS = Depends(needs(Permission.DEFINITIONS_READ))


class Action(BaseModel):
    """`params` and `result` are JSON Schemas. `timeout` in seconds; `needs`: what must be at hand; `undo`: whether a
    run can be taken back.
    """

    name: str
    label: str
    icon: str
    effect: str
    capability: str
    placement: str
    needs: str
    undo: bool
    macros_only: bool
    timeout: float
    attempts: int
    params: dict[str, Any]
    result: dict[str, Any]


class Actions(BaseModel):
    version: int
    items: list[Action]


@router.get("/actions", dependencies=[READS])
async def list_actions(language: Language) -> Actions:
    return Actions(version=CATALOGUE_VERSION, items=[_told(a, language) for a in callable_actions().values()])


def _told(action: Manifest, language: str) -> Action:
    params, result = _schemas(action.name)
    return Action(
        name=action.name,
        label=action.label.get(language) or action.label.get("en") or action.name,
        icon=action.icon,
        effect=action.effect,
        capability=action.capability,
        placement=action.placement,
        needs=action.needs,
        undo=action.can_undo,
        macros_only=action.macros_only,
        timeout=action.timeout.total_seconds(),
        attempts=action.retry.max_attempts,
        params=params,
        result=result,
    )


@cache
def _schemas(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    action = callable_actions()[name]
    return action.params.model_json_schema(), action.result.model_json_schema()
