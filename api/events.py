"""The live stream: numbered, without gaps, resumable, and only what the viewer may know."""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from sqlalchemy.exc import SQLAlchemyError

from api.house import CurrentHouse, House
from api.tails import Subscription, Tail, Told, newest
from api.viewers import CurrentViewer, current_viewer
from domain.errors import UnauthenticatedError
from domain.permissions import Permission, Viewer
from domain.streams import changes_rights, may_hear
from store.events import PAGE, can_resume

router = APIRouter(tags=["events"])
#: seconds between signs of life; each renews the viewer's rights and presence
BEAT = 15.0
#: milliseconds a client waits before it comes back
COME_BACK_AFTER = 1000
BIGGEST = 2**63 - 1

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events from `after` on; `id` is the number to resume from. An event `resync` says that the"
        " number is not known (any more): read afresh and go on from X-Events-Seq.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def tail_of(house: House) -> Tail:
    """The process's tail, made on first use."""
    tail: Tail | None = house.extras.get("tail")
    if tail is None:
        url = house.sessions.kw["bind"].url.render_as_string(hide_password=False)
        tail = house.extras["tail"] = Tail(house.sessions, url)
    return tail


@router.get("/events", response_class=StreamingResponse, responses=_STREAM)
async def stream_events(
    request: Request,
    house: CurrentHouse,
    viewer: CurrentViewer,
    after: Annotated[int | None, Query(ge=0, le=BIGGEST, description="The last number known; none = from now.")] = None,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")] = None,
) -> StreamingResponse:
    """What happens, as it happens. `Last-Event-ID`, which browsers send on coming back, counts before `after`."""
    known = int(last_event_id) if last_event_id is not None else after
    stream = Stream(request, house, viewer)
    return StreamingResponse(stream.tell(known), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


class Stream:
    """One connection. `cursor` is the newest number looked at, whether the viewer was told of it or not."""

    def __init__(self, request: Request, house: House, viewer: Viewer) -> None:
        self._request = request
        self._house = house
        self._viewer: Viewer | None = viewer
        self._tail = tail_of(house)
        self._cursor = 0

    async def tell(self, after: int | None) -> AsyncIterator[bytes]:
        with self._tail.subscribed() as subscription:
            try:
                async for chunk in self._tell(after, subscription):
                    yield chunk
            except (SQLAlchemyError, OSError):
                return  # the client comes back with its last number

    async def _tell(self, after: int | None, subscription: Subscription) -> AsyncIterator[bytes]:
        yield await self._begin(after)
        async for chunk in self._replay():
            yield chunk
        beat_at = time.monotonic() + BEAT
        while self._viewer is not None and not subscription.ended:
            batch = await subscription.take(within=max(0.0, beat_at - time.monotonic()))
            if batch and batch[0].heard.seq > self._cursor + 1:
                async for chunk in self._replay():
                    yield chunk
            if chunk := await self._chosen(batch):
                yield chunk
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT
                await self._renew()
                yield f": alive\nid: {self._cursor}\n\n".encode()

    async def _begin(self, after: int | None) -> bytes:
        """Settle where to begin, and tell it at once: a client that is cut off before any event resumes from here."""
        self._cursor = await newest(self._house.sessions)
        hello = f"retry: {COME_BACK_AFTER}\nid: {{}}\n\n"
        if after is None:
            return hello.format(self._cursor).encode()
        async with self._house.sessions() as session:
            if await can_resume(session, after):
                self._cursor = after
                return hello.format(after).encode()
        resync = format_sse_event(data_str=f'{{"seq":{self._cursor}}}', event="resync", id=str(self._cursor))
        return hello.format(self._cursor).encode() + resync

    async def _replay(self) -> AsyncIterator[bytes]:
        """From the cursor to the present, from the table."""
        while self._viewer is not None:
            page = await self._tail.read_after(self._cursor)
            if chunk := await self._chosen(page):
                yield chunk
            if len(page) < PAGE or self._tail.is_closed:
                return

    async def _chosen(self, batch: list[Told]) -> bytes:
        """The bytes of what the viewer may know of what is new; moves the cursor."""
        wires = []
        is_renewed = False
        for told in batch:
            if told.heard.seq <= self._cursor:
                continue
            if self._viewer is not None and not is_renewed and changes_rights(self._viewer, told.heard):
                await self._renew()
                is_renewed = True
            if self._viewer is None:
                break
            self._cursor = told.heard.seq
            if may_hear(self._viewer, told.heard):
                wires.append(told.wire if self._viewer.may(Permission.DIALOG_READ_TEXTS) else told.bare)
        return b"".join(wires)

    async def _renew(self) -> None:
        """Read the viewer's rights as they are now; None: signed out or deactivated, and the stream ends."""
        try:
            self._viewer = await current_viewer(self._request, self._house)
        except UnauthenticatedError:
            self._viewer = None
