"""Random lives of chats and tickets: facts as the platform records them, at whole seconds of a few days."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from domain.calendars.calendars import ALWAYS, Calendar
from tests.domain.clocks.slow_calendars import HORIZON

#: Mondays and days before holidays and both switches of Europe/Kyiv
_DAYS = ((2026, 11, 2), (2026, 3, 27, 5), (2026, 10, 23, 4), (2026, 12, 30), (2026, 6, 5))
BASES = tuple(datetime(*day, tzinfo=UTC) for day in _DAYS)
_HOLIDAYS = {date(2026, 12, 31): ((540, 720),), date(2027, 1, 1): ()}
_LUNCH = ((540, 780), (840, 1080))
CALENDARS = {
    "always": ALWAYS,
    "office": Calendar(
        "Europe/Kyiv", (_LUNCH,) * 5 + ((),) * 2, {date(2026, 12, 31): ((540, 720),), date(2027, 1, 1): ()}
    ),
    "days": Calendar("Europe/Kyiv", (((480, 1200),),) * 7),
    "nights": Calendar("Europe/Kyiv", (((1320, 1800),),) * 6 + (((1320, 1740),),)),
    "round": Calendar("Europe/Kyiv", (((0, 1440),),) * 7, {date(2026, 12, 31): ()}),
    "york": Calendar("America/New_York", (((0, 300), (420, 1440)),) * 7),
    "switch": Calendar("Europe/Kyiv", (((120, 270),),) * 7),
}


@cache
def calendar_named(name: str) -> Calendar:
    """One of the above, or `random-N`."""
    if name in CALENDARS:
        return CALENDARS[name]
    dice = random.Random(name)
    week = []
    for _ in range(7):
        edges = sorted(dice.sample(range(0, 1441, 5), 2 * dice.randint(0, 3)))
        week.append(tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)))
    week[dice.randrange(7)] = ((0, 1440),)
    return Calendar(dice.choice(["Europe/Kyiv", "Asia/Kathmandu", "America/St_Johns"]), tuple(week))


NAMES = (*CALENDARS, *(f"random-{n}" for n in range(9)))


@dataclass(frozen=True)
class Topic:
    """A policy's body, or None, and the topic's calendar."""

    policy: dict[str, Any] | None
    calendar: str | None


@dataclass(frozen=True)
class Fact:
    """`second` since the base; `topic`, `priority`, `team`, `kind`: how the dialog stands after it."""

    name: str
    second: int
    actor: str
    data: dict[str, Any]
    kind: str
    topic: str
    priority: str
    team: str


@dataclass
class Story:
    base: datetime
    topics: dict[str, Topic]
    norms: dict[str, tuple[int | None, int | None]]
    facts: list[Fact]
    looks: list[int]
    end: int


#: what may be done to a dialog, the frequent ones more often
ACTS = {
    "client": 5, "reply": 9, "bot": 1, "note": 1, "in_progress": 2, "pending": 2, "resolved": 2, "close": 1,
    "reopen": 3, "assign": 4, "unassign": 1, "team": 1, "topic": 1, "priority": 1, "convert": 3, "rate": 1, "look": 2,
    "merge": 1,
}  # fmt: skip
_FORWARD = {
    "open": {"in_progress", "pending", "resolved"},
    "in_progress": {"pending", "resolved"},
    "pending": {"resolved"},
}
_gaps = st.one_of(st.integers(0, 90), st.integers(0, 3600), st.integers(0, 30_000))
_targets = st.one_of(st.integers(1, 300), st.integers(1, 7200), st.integers(3600, 60_000))
_warnings = st.lists(st.integers(1, 99), max_size=3, unique=True)


@st.composite
def _topics(draw: st.DrawFn) -> Topic:
    metrics = [("tfr", None), ("nrt", None), ("ttc", None), ("tis", "open"), ("tis", "pending"), ("tis", "in_progress")]
    chosen = draw(st.lists(st.sampled_from(metrics), min_size=2, max_size=6, unique=True))
    body = {
        "kinds": draw(st.sampled_from([["ticket"], ["ticket", "chat"]])),
        "metrics": [
            {"metric": m, "status": s, "target": draw(_targets), "warn": draw(_warnings),
             "targets": {"critical": draw(_targets)} if draw(st.booleans()) else {}}
            for m, s in chosen
        ],
    }  # fmt: skip
    return Topic(body if chosen else None, draw(st.sampled_from((None, *NAMES))))


@dataclass
class _Dialog:
    """As much of a dialog as decides which facts may come next."""

    base: datetime
    kind: str = "chat"
    status: str = "new"
    place: str = "queued"
    topic: str = "a"
    priority: str = "normal"
    team: str = "one"
    now: int = 0
    facts: list[Fact] = field(default_factory=list)

    def record(self, name: str, actor: str = "user", **data: Any) -> None:
        self.facts.append(Fact(name, self.now, actor, data, self.kind, self.topic, self.priority, self.team))

    def choose(self, number: int) -> str:
        """One of the acts that change something now."""
        able = [act for act, weight in ACTS.items() for _ in range(weight) if self._may(act)]
        return able[number % len(able)]

    def _may(self, act: str) -> bool:
        match act:
            case "in_progress" | "pending" | "resolved":
                return self.kind == "ticket" and act in _FORWARD.get(self.status, ())
            case "reply" | "unassign":
                return self.place == "owned"
            case "merge":
                return self.kind == "ticket"
            case "close" | "assign" | "team":
                return self.is_open
            case "reopen":
                return self.status in ("closed", "pending", "resolved")
            case "convert":
                return self.kind == "chat"
        return True

    def act(self, what: str) -> None:
        if what in ("in_progress", "pending", "resolved"):
            self._status(what)
        else:
            getattr(self, f"_{what}")()

    @property
    def is_open(self) -> bool:
        return self.status != "closed"

    def _client(self) -> None:
        self.record("message.received", "client")
        if self.status in ("closed", "pending", "resolved"):
            self._reopen("client")

    def _rate(self) -> None:
        self.record("message.received", "client", rates=True)
        self.record("csat.received", "client")

    def _reply(self) -> None:
        self.record("message.queued")

    def _bot(self) -> None:
        self.record("message.queued", "process")

    def _note(self) -> None:
        self.record("note.added")

    def _status(self, status: str) -> None:
        before, self.status = self.status, status
        self.record("ticket.status_changed", before={"status": before}, after={"status": status})

    def _close(self) -> None:
        before, self.status, self.place = self.status, "closed", ""
        name = "ticket.closed" if self.kind == "ticket" else "dialog.closed"
        self.record(name, before={"status": before}, after={"status": "closed"})

    def _reopen(self, actor: str = "user") -> None:
        before, self.status, self.place = self.status, "open", "queued"
        name = "ticket.reopened" if self.kind == "ticket" else "dialog.reopened"
        self.record(name, actor, before={"status": before}, after={"status": "open"})
        if len(self.facts) % 2:
            self._assign()
        else:
            self.record("dialog.queued", actor)

    def _assign(self) -> None:
        self.place = "owned"
        self.status = "open" if self.status == "new" else self.status
        self.record("dialog.assigned")

    def _unassign(self) -> None:
        self.place = "queued"
        if self.kind == "ticket" and self.status != "open":
            self._status("open")
        self.record("dialog.unassigned")
        self.record("dialog.queued")

    def _team(self) -> None:
        self.team = "two" if self.team == "one" else "one"
        self.record("dialog.team_changed")
        if self.place == "queued":
            self.record("dialog.queued")

    def _topic(self) -> None:
        self.topic = {"a": "b", "b": "none", "none": "a"}[self.topic]
        self.record("dialog.topic_changed")

    def _priority(self) -> None:
        self.priority = "critical" if self.priority == "normal" else "normal"
        self.record("dialog.priority_changed")

    def _merge(self) -> None:
        second = max(0, self.now - len(self.facts) * 977 % 20_000)
        since = (self.base + timedelta(seconds=second)).isoformat()
        self.record("dialog.merged", awaiting_since=since, awaiting_second=second)

    def _convert(self) -> None:
        was_closed, before = not self.is_open, self.status
        self.kind, self.status = "ticket", "in_progress" if self.place == "owned" else "open"
        self.record("dialog.converted", before={"status": before}, after={"kind": "ticket", "status": self.status})
        self.record("ticket.created")
        if was_closed:
            self.place = "queued"
            self.record("dialog.queued")


@st.composite
def stories(draw: st.DrawFn) -> Story:
    dialog = _Dialog(draw(st.sampled_from(BASES)))
    if draw(st.booleans()):
        dialog.kind, dialog.status = "ticket", "open"
    dialog.record("dialog.opened", "client", kind=dialog.kind, status=dialog.status)
    dialog.record("dialog.queued")
    looks: list[int] = []
    for number, gap in draw(st.lists(st.tuples(st.integers(0, 999), _gaps), min_size=5, max_size=40)):
        if dialog.now + gap > HORIZON - 50_000:
            break
        dialog.now += gap
        act = dialog.choose(number)
        if act == "look":
            looks.append(dialog.now)
        else:
            dialog.act(act)
    norms = st.tuples(st.none() | st.integers(1, 900), st.none() | st.integers(1, 900))
    topics = {"a": draw(_topics()), "b": draw(_topics()), "none": Topic(None, None)}
    return Story(
        dialog.base, topics, {"one": draw(norms), "two": draw(norms)}, dialog.facts, looks,
        dialog.now + draw(st.integers(0, 40_000)),
    )  # fmt: skip


def at(base: datetime, second: int) -> datetime:
    return base + timedelta(seconds=second)
