"""Settings of the installation. Needs the right settings.manage."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import BIGGEST, KeyInPath, Storable
from api.house import Reading
from api.moving import Confirm, Deciding, Moved, Running
from api.viewers import needs
from domain.errors import InvalidError
from domain.permissions import Permission
from domain.settings import DEFAULTS
from store import norms, settings
from store.transactions import Work

router = APIRouter(prefix="/settings", tags=["settings"])
MAY = Depends(needs(Permission.SETTINGS_MANAGE))
Changing = Annotated[Change, Depends(changing(Permission.SETTINGS_MANAGE))]
Number = Annotated[int, Field(strict=True, ge=-BIGGEST, le=BIGGEST)]
Value = Annotated[bool, Field(strict=True)] | Number | Annotated[str, Field(max_length=500), Storable] | None


class Setting(BaseModel):
    key: str
    value: bool | int | str | None
    default: bool | int | str | None


class Settings(BaseModel):
    items: list[Setting]


class ChosenSetting(Setting, Moved):
    pass


class Chosen(Deciding):
    value: Value


class NewChoice(Chosen):
    key: Annotated[str, Field(min_length=1, max_length=60), Storable]


@router.get("", dependencies=[MAY])
async def list_settings(session: Reading) -> Settings:
    """All of them, with their defaults."""
    return Settings.model_validate({"items": await settings.all_values(session)})


@router.get("/{key}", dependencies=[MAY])
async def read_setting(key: KeyInPath, session: Reading) -> Setting:
    return Setting(**settings.setting_of(key, await settings.value_of(session, key)))


@router.post("", status_code=201)
async def choose_setting(body: NewChoice, change: Changing) -> ChosenSetting:
    """The same as PATCH, named in the body."""
    if body.key not in DEFAULTS:
        raise InvalidError(f"There is no setting {body.key!r}.", field="key")
    return await _choose(body.key, body, change)


@router.patch("/{key}")
async def change_setting(key: KeyInPath, body: Chosen, change: Changing) -> ChosenSetting:
    """A norm: 409 `confirmation_needed` where running clocks would move."""
    return await _choose(key, body, change)


@router.delete("/{key}", status_code=204)
async def reset_setting(
    key: KeyInPath, change: Changing, running: Running | None = None, confirm: Confirm | None = None
) -> None:
    """Back to the default. A norm's running clocks: as PATCH, in the query."""

    async def story(work: Work) -> dict[str, Any]:
        return await norms.forget(work, change.viewer, key, running=running, confirm=confirm)

    await change.make(story)


async def _choose(key: str, body: Chosen, change: Change) -> ChosenSetting:
    async def story(work: Work) -> dict[str, Any]:
        return await norms.choose(work, change.viewer, key, body.value, **body.decision())

    return ChosenSetting(**await change.make(story))
