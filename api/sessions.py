"""Signing in and out, and who one is."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.changes import OwnChange
from api.fields import Body, Storable
from api.house import CurrentHouse, Reading
from api.viewers import COOKIE, CurrentViewer
from store import profiles, sign_ins
from store.transactions import Work

router = APIRouter(tags=["session"])


class Credentials(Body):
    email: Annotated[str, Field(min_length=1, max_length=254), Storable]
    password: Annotated[str, Field(min_length=1, max_length=200), Storable]


class SignedIn(BaseModel):
    """`csrf` goes into the X-CSRF-Token header of every request that changes something."""

    user_id: UUID
    csrf: str
    expires_at: str


class Me(BaseModel):
    """`csrf` is null for a bearer token. `status` is the chosen presence."""

    id: UUID
    email: str
    name: str
    locale: str
    preferences: dict[str, Any]
    status: str | None
    roles: list[str]
    permissions: list[str]
    teams: list[str]
    csrf: str | None


class Preferences(Body):
    locale: Literal["uk", "en"] | None = None
    preferences: (
        Annotated[
            dict[
                Annotated[str, Field(min_length=1, max_length=60), Storable],
                Annotated[str, Field(max_length=2000), Storable] | bool | int | float | None,
            ],
            Field(max_length=100),
        ]
        | None
    ) = None


class Preferred(BaseModel):
    locale: str
    preferences: dict[str, Any]


@router.post("/session", status_code=201)
async def sign_in(body: Credentials, request: Request, response: Response, house: CurrentHouse) -> SignedIn:
    """Answers the CSRF value and sets the session's cookie."""
    address = request.client.host if request.client else "unknown"
    signed = await sign_ins.sign_in(house.sessions, body.email, body.password, address=address)
    response.set_cookie(
        COOKIE, signed.cookie, expires=signed.expires_at, httponly=True, samesite="lax", secure=house.secure_cookies,
        path="/",
    )  # fmt: skip
    return SignedIn(user_id=signed.user_id, csrf=signed.csrf, expires_at=signed.expires_at.isoformat())


@router.delete("/session", status_code=204)
async def sign_out(request: Request, response: Response, house: CurrentHouse, _: CurrentViewer) -> None:
    """Ends the cookie's session."""
    if cookie := request.cookies.get(COOKIE):
        async with house.sessions.begin() as session:
            await sign_ins.sign_out(session, cookie)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=house.secure_cookies)


@router.get("/me")
async def read_me(request: Request, viewer: CurrentViewer, session: Reading) -> Me:
    """Who the caller is, with rights as they are now."""
    csrf = None
    if "authorization" not in request.headers and (cookie := request.cookies.get(COOKIE)):
        found = await sign_ins.viewer_of_session(session, cookie)
        csrf = found[1] if found else None
    return Me(**await profiles.profile_of(session, viewer), csrf=csrf)


@router.patch("/me/preferences")
async def prefer(body: Preferences, change: OwnChange) -> Preferred:
    """Language and display preferences; given keys are merged, null takes one away.

    A token with scopes or an end may not: 403.
    """
    change.viewer.require_whole()

    async def story(work: Work) -> dict[str, Any]:
        return await profiles.prefer(work, change.viewer.user_id, locale=body.locale, preferences=body.preferences)

    return Preferred(**await change.make(story))
