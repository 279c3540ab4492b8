"""Who is calling: a session cookie (with a CSRF token on anything that changes) or a bearer token."""

import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from api.house import CurrentHouse, House
from domain.errors import CsrfError, UnauthenticatedError
from domain.permissions import Permission, Viewer
from store import presence, sign_ins
from store.transactions import Actor, transact

COOKIE = "switchboard_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = ("GET", "HEAD", "OPTIONS")
#: a person's lease is renewed by any request, but no more often than this many seconds
_RENEW_EVERY = 5.0


async def current_viewer(request: Request, house: CurrentHouse) -> Viewer:
    """Raises UnauthenticatedError, CsrfError."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credential:
        async with house.glances() as session:
            viewer = await sign_ins.viewer_of_token(session, credential.strip())
    else:
        viewer = await _by_cookie(request, house)
    if viewer is None:
        raise UnauthenticatedError("Sign in first (POST /api/v1/session), or send a bearer token.")
    await renew_presence(house, viewer)
    return viewer


async def _by_cookie(request: Request, house: House) -> Viewer | None:
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    async with house.glances() as session:
        found = await sign_ins.viewer_of_session(session, cookie)
    if found is None:
        return None
    viewer, csrf = found
    if request.method not in _SAFE and not _is_same(request.headers.get(CSRF_HEADER, ""), csrf):
        raise CsrfError(f"Send the session's csrf value in {CSRF_HEADER}.")
    return viewer


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


async def renew_presence(house: House, viewer: Viewer) -> None:
    """Any authenticated request or open stream keeps the person's lease alive (DECISIONS 26)."""
    if not viewer.may(Permission.PRESENCE_OWN):
        return
    renewed: dict[UUID, float] = house.extras.setdefault("presence_renewed", {})
    now = time.monotonic()
    if now - renewed.get(viewer.user_id, -_RENEW_EVERY) < _RENEW_EVERY:
        return
    renewed[viewer.user_id] = now
    async with house.sessions.begin() as session:
        state = await presence.lease_state(session, viewer.user_id)
        if state == "alive":
            await presence.renew(session, viewer.user_id)
    if state == "ended":
        _, rings = await transact(
            house.sessions,
            lambda work: presence.come_back(work, viewer.user_id),
            actor=Actor("user", viewer.user_id),
        )
        house.bell.ring(rings)


CurrentViewer = Annotated[Viewer, Depends(current_viewer)]


def needs(permission: Permission) -> Callable[[Viewer], Awaitable[Viewer]]:
    """A dependency that answers the viewer, or refuses with 403 when the right is missing."""

    async def check(viewer: CurrentViewer) -> Viewer:
        viewer.require(permission)
        return viewer

    check.permission = permission  # type: ignore[attr-defined]
    return check
