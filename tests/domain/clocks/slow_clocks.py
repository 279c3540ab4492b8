"""Clocks kept the slow way: one second after another, written without the engine. What it says is what should be.

A second counts for a stopwatch that runs when the wall clock of the calendar's zone stands inside an interval.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.domain.clocks.slow_calendars import HORIZON


@dataclass
class Promised:
    """What is promised of a stopwatch, and what became of it."""

    target: int
    warn: tuple[int, ...]
    counts: bytes
    n: int = 0
    fired: list[tuple[int, int | None]] = field(default_factory=list)
    breached: int | None = None

    def count(self, begin: int, end: int) -> None:
        n, goal = self.n, self._goal()
        for second in range(begin, end):
            if self.counts[second]:
                n += 1
                if n == goal:
                    self.n = n
                    self._tell(second + 1)
                    goal = self._goal()
        self.n = n

    def _goal(self) -> int:
        """How many seconds make the next thing to tell; none comes after the breach."""
        told = {percent for _, percent in self.fired}
        percent = min([p for p in self.warn if p not in told] + [100])
        return -1 if self.breached is not None else -(-self.target * percent // 100)

    def _tell(self, at: int) -> None:
        told = {percent for _, percent in self.fired}
        for percent in self.warn:
            if percent not in told and self.n * 100 >= self.target * percent:
                self.fired.append((at, percent))
        if self.n >= self.target:
            self.fired.append((at, None))
            self.breached = at


@dataclass
class Stopwatch:
    metric: str
    status: str
    start: int
    runs: bool
    ran: list[tuple[int, int]] = field(default_factory=list)
    promised: Promised | None = None


@dataclass(frozen=True)
class Kept:
    """A clock as it ended, or (result None) as it is."""

    metric: str
    status: str
    start: int
    end: int | None
    result: str | None
    breached: int | None
    fired: tuple[tuple[int, int | None], ...]
    counted: int
    due: int | None = None


Plan = dict[tuple[str, str], tuple[int, tuple[int, ...], bytes]]


class SlowClocks:
    """`plan` answers what is promised now: (metric, status) → target, warnings, the calendar's seconds."""

    def __init__(self, plan: Callable[[], Plan]) -> None:
        self.plan = plan
        self.now = 0
        self.kind, self.status = "chat", "new"
        self.responded = self.queued = False
        self.held: int | None = None
        self.stood: list[tuple[int, int]] = []
        self.waiting: int | None = None
        self.resolved: int | None = None
        self.watches: dict[str, Stopwatch] = {}
        self.kept: list[Kept] = []

    def tick_to(self, moment: int) -> None:
        for watch in self.watches.values():
            if watch.runs and moment > self.now:
                watch.ran.append((self.now, moment))
                if watch.promised:
                    watch.promised.count(self.now, moment)
        if self.status in ("pending", "resolved"):
            self.stood.append((self.now, moment))
        self.now = moment

    def tell(self, fact: str, data: dict[str, Any], actor: str) -> None:
        getattr(self, fact.replace(".", "_"), lambda data, actor: None)(data, actor)

    def begin(self, metric: str, status: str = "", *, runs: bool = True) -> None:
        assert metric not in self.watches
        self.watches[metric] = watch = Stopwatch(metric, status, self.now, runs)
        if (metric, status) in self.plan():
            watch.promised = Promised(*self.plan()[metric, status])

    def end(self, *metrics: str, good: bool, at: int | None = None) -> None:
        for metric in metrics:
            watch = self.watches.pop(metric, None)
            if watch is not None and watch.promised is not None:
                self._keep(watch, self.now if at is None else at, good)

    def _keep(self, watch: Stopwatch, at: int, good: bool) -> None:
        p = watch.promised
        assert p is not None
        result = "breached" if p.breached is not None else "met" if good else "dropped"
        self.kept.append(
            Kept(watch.metric, watch.status, watch.start, at, result, p.breached, tuple(sorted_fired(p.fired)), p.n)
        )

    def aim_anew(self) -> None:
        for watch in self.watches.values():
            aim = self.plan().get((watch.metric, watch.status))
            old = watch.promised
            if aim is None:
                if old is not None:
                    self._keep(watch, self.now, good=False)
                watch.promised = None
                continue
            watch.promised = new = Promised(*aim)
            if old is not None:
                new.fired, new.breached = list(old.fired), old.breached
            for begin, end in watch.ran:
                new.count(begin, end)

    def dialog_opened(self, data: dict[str, Any], actor: str) -> None:
        self.kind, self.status = data["kind"], data["status"]
        self._cycle()

    def _cycle(self) -> None:
        self.responded, self.stood = False, []
        self.begin("tfr")
        self.begin("ttc")
        if self.kind == "ticket":
            self.begin("tis", self.status)

    def message_received(self, data: dict[str, Any], actor: str) -> None:
        if self.waiting is not None or data.get("rates"):
            return
        self.waiting = self.now
        if self.status == "closed":
            return
        if self.responded:
            self.begin("nrt", runs=self.status not in ("pending", "resolved"))
        if self.held is not None:
            self.begin("respond")

    def message_queued(self, data: dict[str, Any], actor: str) -> None:
        if actor == "user" and self.status != "closed":
            self.responded, self.waiting = True, None
            self.end("tfr", "nrt", "respond", good=True)

    def ticket_status_changed(self, data: dict[str, Any], actor: str) -> None:
        self._become(data["after"]["status"])

    def _become(self, status: str) -> None:
        self.end("tis", good=True)
        self.status = status
        self.resolved = self.now if status == "resolved" else None
        self.begin("tis", status)
        for metric in ("ttc", "nrt"):
            if metric in self.watches:
                self.watches[metric].runs = status not in ("pending", "resolved")

    def dialog_closed(self, data: dict[str, Any], actor: str) -> None:
        self.end("ttc", good=True, at=self.resolved)
        self.end("tis", good=True)
        self.end("tfr", "nrt", "accept", "respond", good=False)
        self.status, self.waiting, self.resolved, self.held, self.queued = "closed", None, None, None, False

    ticket_closed = dialog_closed

    def dialog_reopened(self, data: dict[str, Any], actor: str) -> None:
        self.end("respond", good=False)
        self.held = None
        if self.status == "closed":
            self.waiting = self.now if self.waiting == self.now else None
            self.status = data["after"]["status"]
            self._cycle()
        else:
            self._become(data["after"]["status"])

    ticket_reopened = dialog_reopened

    def dialog_converted(self, data: dict[str, Any], actor: str) -> None:
        self.end("tfr", "ttc", "nrt", "tis", good=False)
        if self.status == "closed":
            self.waiting = None
        self.kind, self.status, self.resolved = "ticket", data["after"]["status"], None
        self._cycle()

    def dialog_assigned(self, data: dict[str, Any], actor: str) -> None:
        self.end("accept", good=True)
        self.end("respond", good=False)
        self.held, self.queued = self.now, False
        if self.status == "new":
            self.status = "open"
        if self.waiting is not None:
            self.begin("respond")

    def dialog_queued(self, data: dict[str, Any], actor: str) -> None:
        if not self.queued:
            self.queued = True
            self.begin("accept")

    def dialog_unassigned(self, data: dict[str, Any], actor: str) -> None:
        self.end("respond", good=False)
        self.held, self.queued = None, True
        self.begin("accept")

    def dialog_team_changed(self, data: dict[str, Any], actor: str) -> None:
        if self.queued:
            self.end("accept", good=False)
            self.begin("accept")

    def dialog_merged(self, data: dict[str, Any], actor: str) -> None:
        since = data["awaiting_second"]
        if self.status == "closed" or (self.waiting is not None and self.waiting < since):
            return
        self.waiting = since
        stands = self.status in ("pending", "resolved")
        if self.responded:
            self._begin_since("nrt", since, self.stood, runs=not stands)
        if self.held is not None:
            self._begin_since("respond", max(since, self.held), [], runs=True)

    def _begin_since(self, metric: str, start: int, stood: list[tuple[int, int]], *, runs: bool) -> None:
        watch = self.watches.get(metric)
        if watch is not None and watch.start == start and watch.promised is not None:
            return
        self.end(metric, good=False)
        self.watches[metric] = watch = Stopwatch(metric, "", start, runs)
        for second in range(start, self.now):
            if not any(a <= second < b for a, b in stood):
                watch.ran.append((second, second + 1))
        if (metric, "") in self.plan():
            watch.promised = Promised(*self.plan()[metric, ""])
            for begin, end in watch.ran:
                watch.promised.count(begin, end)

    def open_ones(self) -> list[Kept]:
        """The clocks that have not ended, with the second at which those that run will be due, if that is near."""
        found: list[Kept] = []
        for w in self.watches.values():
            if p := w.promised:
                due = self._due(p) if w.runs and p.breached is None else None
                found.append(
                    Kept(w.metric, w.status, w.start, None, None, p.breached, tuple(sorted_fired(p.fired)), p.n, due)
                )
        return found

    def _due(self, promised: Promised) -> int | None:
        n = promised.n
        for second in range(self.now, HORIZON):
            n += promised.counts[second]
            if n >= promised.target:
                return second + 1
        return None


def sorted_fired(fired: list[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    return sorted(fired, key=lambda f: (f[0], f[1] or 100))
