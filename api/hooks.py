"""Webhooks of processes: a secret address starts a run with what was posted. No sign-in: the secret is the right."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from api.fields import KEY_PATTERN
from api.house import CurrentHouse
from api.limits import address_of, knocks_at
from api.secrets import vault_of
from api.submitting import PROBLEM
from domain.errors import InvalidError, NotFoundError, TooLargeError
from store import hooks
from store.hooks import Delivery
from store.transactions import Actor, Work, transact

router = APIRouter(prefix="/hooks", tags=["hooks"])
LARGEST_BODY = 65_536
HookPath = Annotated[str, Path(pattern=KEY_PATTERN)]
HookSecret = Annotated[str, Path(min_length=1, max_length=500)]
_LONGEST_HEADER = 500
_MOST_HEADERS = 40
_TOLD = ("content-type", "user-agent", "idempotency-key")
_NOT_TOLD = ("x-forwarded-", "x-real-ip", "x-csrf-token", "x-api-key", "x-auth")
_BODY: dict[str, Any] = {
    "requestBody": {"required": False, "content": {"application/json": {"schema": {}}}},
}


class Taken(BaseModel):
    """`status` started; repeated: this delivery was seen before, `run_id` as then; ignored: its condition says no."""

    run_id: UUID | None
    status: str


@router.post(
    "/{path}/{secret}",
    status_code=202,
    openapi_extra=_BODY,
    responses={200: {"model": Taken, "description": "Repeated or ignored."}, 413: PROBLEM, 429: PROBLEM},
)
async def take_delivery(
    path: HookPath, secret: HookSecret, request: Request, response: Response, house: CurrentHouse
) -> Taken:
    """JSON of at most 64 KB. Whatever is not an active process's path with its secret answers 404 alike."""
    address, vault = address_of(request), vault_of(house)
    try:
        async with house.glances() as session:
            await hooks.find_hook(session, vault, path, secret)
    except NotFoundError:
        knocks_at(house, "hooks").count_wrong(address)
        raise
    delivery = Delivery(_parse(await request.body()), _headers(request), request.headers)

    async def story(work: Work) -> dict[str, Any]:
        return await hooks.deliver(work, vault, path, secret, delivery)

    told, rings = await transact(house.sessions, story, actor=Actor("system", None, address))
    house.bell.ring(rings)
    if not told["is_new"]:
        response.status_code = 200
    return Taken(run_id=told["run_id"], status=told["status"])


def _parse(raw: bytes) -> Any:
    """Raises TooLargeError, InvalidError."""
    if len(raw) > LARGEST_BODY:
        raise TooLargeError(f"A delivery has at most {LARGEST_BODY} bytes.")
    if not raw.strip():
        return {}
    try:
        return json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidError("The body is not JSON.", field="body") from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _headers(request: Request) -> dict[str, str]:
    """Those a definition may want: what is told of the body, and the sender's own x- headers; no credentials."""
    wanted = [
        (name, value)
        for name, value in request.headers.items()
        if len(value) <= _LONGEST_HEADER
        and (name in _TOLD or (name.startswith("x-") and not name.startswith(_NOT_TOLD)))
    ]
    return dict(wanted[:_MOST_HEADERS])
