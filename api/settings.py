"""Settings of the installation. Needs the right settings.manage."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import BIGGEST, Body, KeyInPath, Storable
from api.house import Reading
from api.viewers import needs
from domain.errors import InvalidError
from domain.permissions import Permission
from domain.settings import DEFAULTS
from store import settings
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


class Chosen(Body):
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
async def choose_setting(body: NewChoice, change: Changing) -> Setting:
    """The same as PATCH, named in the body."""
    if body.key not in DEFAULTS:
        raise InvalidError(f"There is no setting {body.key!r}.", field="key")
    return await _choose(body.key, body.value, change)


@router.patch("/{key}")
async def change_setting(key: KeyInPath, body: Chosen, change: Changing) -> Setting:
    return await _choose(key, body.value, change)


@router.delete("/{key}", status_code=204)
async def reset_setting(key: KeyInPath, change: Changing) -> None:
    """Back to the default."""

    async def story(work: Work) -> dict[str, Any]:
        return await settings.forget(work, key)

    await change.make(story)


async def _choose(key: str, value: bool | int | str | None, change: Change) -> Setting:
    async def story(work: Work) -> dict[str, Any]:
        return await settings.choose(work, key, value, by=change.viewer.user_id)

    return Setting(**await change.make(story))
