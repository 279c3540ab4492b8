"""Credentials by name: set and deleted here, shown to nobody. Needs the right connections.manage."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import Body, Storable
from api.house import House, Reading
from api.viewers import needs
from domain.permissions import Permission
from store import secrets
from store.secrets import LONGEST, Vault
from store.transactions import Work

router = APIRouter(prefix="/secrets", tags=["connections"])
MAY = Depends(needs(Permission.CONNECTIONS_MANAGE))
Changing = Annotated[Change, Depends(changing(Permission.CONNECTIONS_MANAGE))]
SecretName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class Secret(BaseModel):
    name: str
    updated_at: str
    updated_by: UUID | None


class Secrets(BaseModel):
    items: list[Secret]


class NewValue(Body):
    value: Annotated[str, Field(min_length=1, max_length=LONGEST), Storable]


def vault_of(house: House) -> Vault:
    made: Vault | None = house.extras.get("vault")
    if made is None:
        made = house.extras["vault"] = Vault(house.secret_key)
    return made


@router.get("", dependencies=[MAY])
async def list_secrets(session: Reading) -> Secrets:
    """Names only."""
    return Secrets.model_validate({"items": await secrets.all_names(session)})


@router.put("/{name}")
async def put_secret(name: SecretName, body: NewValue, change: Changing) -> Secret:
    """Set or replace it; connections that name it use the new value from the next call on."""

    async def story(work: Work) -> dict[str, Any]:
        told = await secrets.put(work, vault_of(change.house), name, body.value, by=change.viewer.user_id)
        return {**told, "updated_by": str(change.viewer.user_id)}

    return Secret(**await change.make(story))


@router.delete("/{name}", status_code=204)
async def delete_secret(name: SecretName, change: Changing) -> None:
    """Refused while a connection names it; `connections` says which."""

    async def story(work: Work) -> dict[str, Any]:
        return await secrets.remove(work, name)

    await change.make(story)
