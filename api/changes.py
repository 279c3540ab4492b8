"""A change of settings: who asks, under which Idempotency-Key; carried out, then rung for."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from api.house import CurrentHouse, House
from api.viewers import CurrentViewer, needs
from domain.permissions import Permission, Viewer
from store.keys import Keyed, change_once
from store.transactions import Actor, Work

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]


@dataclass(frozen=True, slots=True)
class Change:
    """One request that changes settings."""

    house: House
    viewer: Viewer
    actor: Actor
    keyed: Keyed | None

    @property
    def whole_viewer(self) -> Viewer | None:
        """The person with all their rights; None where their token narrows them."""
        return None if self.viewer.is_narrowed else self.viewer

    async def make(
        self, story: Callable[[Work], Awaitable[dict[str, Any]]], *, secrets: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Run `story` in one transaction and ring afterwards. `secrets`: fields of the answer told only once."""
        answer, rings = await self.carry_out(story, secrets=secrets)
        self.house.bell.ring(rings)
        return answer

    async def carry_out(
        self, story: Callable[[Work], Awaitable[dict[str, Any]]], *, secrets: tuple[str, ...] = ()
    ) -> tuple[dict[str, Any], set[str]]:
        """The same, with the ids to ring left to the caller."""
        return await change_once(self.house.sessions, story, actor=self.actor, keyed=self.keyed, secrets=secrets)


async def _change_of(request: Request, house: House, viewer: Viewer, key: str | None) -> Change:
    address = request.client.host if request.client else None
    keyed = None
    if key is not None:
        place = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        told = b"\n".join((request.method.encode(), place.encode(), await request.body()))
        keyed = Keyed(viewer.user_id, key, hashlib.sha256(told).hexdigest())
    return Change(house, viewer, Actor("user", viewer.user_id, address), keyed)


async def own_change(
    request: Request, house: CurrentHouse, viewer: CurrentViewer, idempotency_key: IdempotencyKey = None
) -> Change:
    """Of something that is the caller's own."""
    return await _change_of(request, house, viewer, idempotency_key)


OwnChange = Annotated[Change, Depends(own_change)]


def changing(permission: Permission) -> Callable[..., Awaitable[Change]]:
    """A dependency: the change of somebody who has the right."""

    async def change(
        request: Request,
        house: CurrentHouse,
        viewer: Annotated[Viewer, Depends(needs(permission))],
        idempotency_key: IdempotencyKey = None,
    ) -> Change:
        return await _change_of(request, house, viewer, idempotency_key)

    return change
