"""The runs of one workflow read as one history, newest first, a page at a time."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio.client import Client
from temporalio.converter import PayloadCodec

from domain.errors import UnavailableError
from domain.histories import TURNS, By, Category, Event, Group, Grouping, Line, without_texts
from domain.lines import tell
from gateways.histories import Chunk, GoneError, kept_chunks, live_chunks
from gateways.payloads import decode


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a chain. `tries`: what is known of the activities under way (gateways.histories.Described)."""

    workflow_id: str
    run_id: str
    started_at: datetime
    is_kept: bool = False
    is_lost: bool = False
    tries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: everything of `run_id` from event `before` on was told, and so were the older `told`.

    `before` 0: nothing of that run was told yet. `token` spares reading from the top again.
    """

    run_id: str
    before: int = 0
    told: tuple[int, ...] = ()
    token: bytes = b""


@dataclass(slots=True)
class Page:
    """`next_place` is None at the end. `is_live_away`: runs that only Temporal has were passed over."""

    lines: list[Line] = field(default_factory=list)
    events: list[tuple[str, Event]] = field(default_factory=list)
    next_place: Place | None = None
    is_live_away: bool = False

    @property
    def length(self) -> int:
        return len(self.lines) + len(self.events)


Kept = Callable[[Run], Awaitable[bytes | None]]


class Chain:
    """`runs` newest first; `client` None while Temporal is away; `kept` loads the copy of an archived run."""

    def __init__(
        self,
        runs: Sequence[Run],
        *,
        workflow: str,
        client: Client | None,
        kept: Kept,
        codec: PayloadCodec | None = None,
        shows_texts: bool = False,
    ) -> None:
        self._runs = runs
        self._workflow = workflow
        self._client = client
        self._kept = kept
        self._codec = codec
        self._shows_texts = shows_texts

    async def lines(self, place: Place | None, *, limit: int, wanted: frozenset[Category]) -> Page:
        """Raises UnavailableError when nothing of what is asked can be read now."""
        return await self._read(place, lambda run, start, page: self._tell(run, start, page, limit, wanted))

    async def events(self, place: Place | None, *, limit: int) -> Page:
        """The events themselves, newest first. Raises UnavailableError."""
        return await self._read(place, lambda run, start, page: self._show(run, start, page, limit))

    async def _read(self, place: Place | None, read: Callable[[Run, Place, Page], Awaitable[Place | None]]) -> Page:
        """Read run after run. On a first page, runs that only an absent Temporal has are passed over."""
        page = Page()
        has_read = False
        ahead = list(self._runs)
        while place is not None and ahead and ahead[0].run_id != place.run_id:
            ahead.pop(0)
        for run in ahead:
            start = place if place is not None and run.run_id == place.run_id else Place(run.run_id)
            had = page.length
            try:
                page.next_place = await read(run, start, page)
            except GoneError:
                page.lines.append(_lost(run))
            except UnavailableError:
                if place is not None or page.length > had:
                    raise
                page.is_live_away = True
                continue
            has_read = True
            if page.next_place is not None:
                break
        if page.is_live_away and not has_read:
            raise UnavailableError("The workflow server is away, and nothing was copied yet. Try again shortly.")
        return page

    async def _tell(self, run: Run, start: Place, page: Page, limit: int, wanted: frozenset[Category]) -> Place | None:
        """Tell one run until the page is full: where to go on, or None when the run is told."""
        if len(page.lines) >= limit:
            return start
        if run.is_lost:
            raise GoneError
        grouping = Grouping(start.told)
        chunks_read: list[tuple[int, bytes]] = []
        told = set(start.told)
        before = start.before

        def take(groups: Sequence[Group]) -> bool:
            """True when the page is full and something is left over."""
            nonlocal before
            for group in groups:
                if len(page.lines) >= limit:
                    return True
                line = tell(group, run.run_id, self._workflow, run.tries)
                before = group.events[0].id
                told.update(e.id for e in group.events)
                if line.category in wanted:
                    page.lines.append(line)
            return False

        is_full = False
        async with aclosing(self._chunks(run, start)) as chunks:
            async for chunk in chunks:
                chunks_read.append((chunk.events[0].event_id if chunk.events else 0, chunk.token))
                for raw in chunk.events:
                    if not start.before or raw.event_id < start.before:
                        grouping.read(self._shown(await decode(raw, self._codec, skips=TURNS)))
                if is_full := take(grouping.take_whole()):
                    break
        if not is_full and not take(grouping.take_whole(is_all_read=True)):
            return None
        token = next((token for highest, token in reversed(chunks_read) if highest >= before - 1), b"")
        return Place(run.run_id, before, tuple(sorted(i for i in told if i < before)), token)

    async def _show(self, run: Run, start: Place, page: Page, limit: int) -> Place | None:
        if run.is_lost:
            return None
        before = start.before
        async with aclosing(self._chunks(run, start)) as chunks:
            async for chunk in chunks:
                for raw in chunk.events:
                    if before and raw.event_id >= before:
                        continue
                    if len(page.events) >= limit:
                        return Place(run.run_id, before, (), chunk.token)
                    page.events.append((run.run_id, self._shown(await decode(raw, self._codec))))
                    before = raw.event_id
        return None

    async def _chunks(self, run: Run, start: Place) -> AsyncGenerator[Chunk, None]:
        if run.is_kept:
            kept = await self._kept(run)
            if kept is not None:
                async with aclosing(kept_chunks(kept, start.before)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
        if self._client is None:
            raise UnavailableError("The workflow server is away. Try again shortly.")
        async with aclosing(live_chunks(self._client, run.workflow_id, run.run_id, start.token)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _shown(self, event: Event) -> Event:
        if self._shows_texts:
            return event
        return Event(event.id, event.at, event.kind, without_texts(event.facts), event.summary, event.update_id)


def _lost(run: Run) -> Line:
    return Line(
        at=run.started_at, began_at=run.started_at, run_id=run.run_id, first=0, last=0, category=Category.FAILURE,
        code="lost", by=By("system"), outcome="lost",
    )  # fmt: skip
