"""Bearer tokens of the caller."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from api.changes import OwnChange
from api.fields import Body, Name, Storable
from api.house import Reading
from api.viewers import CurrentViewer
from store import tokens
from store.tables import Token as Row
from store.transactions import Work

router = APIRouter(prefix="/tokens", tags=["tokens"])


class Token(BaseModel):
    """`scopes` narrows what the token may do; empty = all that its person may."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None


class MadeToken(Token):
    """`token` is told this once; null when the request is repeated."""

    token: str | None


class Tokens(BaseModel):
    items: list[Token]


class NewToken(Body):
    name: Name
    scopes: Annotated[list[Annotated[str, Field(max_length=100), Storable]], Field(max_length=200)] = Field(
        default_factory=list
    )
    expires_at: AwareDatetime | None = None


def _told(row: Row) -> dict[str, Any]:
    return {
        "id": str(row.id), "name": row.name, "scopes": list(row.scopes), "created_at": row.created_at.isoformat(),
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
    }  # fmt: skip


@router.get("")
async def list_tokens(viewer: CurrentViewer, session: Reading) -> Tokens:
    return Tokens.model_validate({"items": [_told(t) for t in await tokens.tokens_of(session, viewer.user_id)]})


@router.get("/{token_id}")
async def read_token(token_id: UUID, viewer: CurrentViewer, session: Reading) -> Token:
    return Token(**_told(await tokens.get_token(session, viewer, token_id)))


@router.post("", status_code=201)
async def add_token(body: NewToken, change: OwnChange) -> MadeToken:
    """It can never do more than its person. A caller's own token with scopes or an end makes none: 403."""

    async def story(work: Work) -> dict[str, Any]:
        row, secret = await tokens.issue(work, change.viewer, body.name, body.scopes, body.expires_at)
        return {**_told(row), "token": secret}

    return MadeToken(**await change.make(story, secrets=("token",)))


@router.delete("/{token_id}", status_code=204)
async def revoke_token(token_id: UUID, change: OwnChange) -> None:
    """It stops working at once. A token with scopes or an end may revoke itself only, else 403."""

    async def story(work: Work) -> dict[str, Any]:
        await tokens.revoke(work, change.viewer, token_id)
        return {}

    await change.make(story)
