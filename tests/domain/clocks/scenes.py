"""One dialog and its clocks, told in moments of Kyiv: `mon 09:30` is in the week of 2 November 2026."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.calendars.calendars import Calendar
from domain.clocks.clocks import Clock, Firing
from domain.clocks.lives import Happening, Life, begun
from domain.clocks.metrics import Plan
from domain.clocks.policies import Chosen, Norms, plan_for, policy_of
from domain.clocks.reckoning import AIMING, Reckoned, reckon, settle

KYIV = ZoneInfo("Europe/Kyiv")
OLHA = UUID(int=1)
TARAS = UUID(int=2)
_DAYS = {"mon": 2, "tue": 3, "wed": 4, "thu": 5, "fri": 6, "sat": 7, "sun": 8, "next": 9}
_LUNCH = ((540, 780), (840, 1080))

OFFICE = Calendar("Europe/Kyiv", (((540, 1080),),) * 5 + ((),) * 2, {date(2026, 11, 5): ()})
WITH_LUNCH = Calendar("Europe/Kyiv", (_LUNCH,) * 5 + ((),) * 2)
ROUND_THE_CLOCK = Calendar("Europe/Kyiv", (((0, 1440),),) * 7)


def when(told: str) -> datetime:
    """`mon 09:30`, `mon 09:30:15` or `2026-03-29 02:00`."""
    day, _, hour = told.partition(" ")
    iso = f"2026-11-{_DAYS[day]:02}" if day in _DAYS else day
    return datetime.fromisoformat(f"{iso} {hour}").replace(tzinfo=KYIV).astimezone(ZoneInfo("UTC"))


def metric(name: str, target: int, warn: Sequence[int] = (), status: str | None = None, **more: Any) -> dict[str, Any]:
    return {"metric": name, "target": target, "warn": list(warn), "status": status, **more}


class Scene:
    """A dialog as its facts come in. `promise` changes what its topic promises; who changes the topic says so."""

    def __init__(
        self, *metrics: dict[str, Any], calendar: Calendar | None = None, norms: Norms | None = None,
        kinds: Sequence[str] = ("ticket",),
    ) -> None:  # fmt: skip
        self.kind, self.status, self.priority = "ticket", "open", "normal"
        self.clocks: tuple[Clock, ...] = ()
        self.firings: list[Firing] = []
        self.life: Life | None = None
        self.norms = norms or Norms()
        self.ids = count(1)
        self.promise(*metrics, calendar=calendar, kinds=kinds)

    def promise(
        self, *metrics: dict[str, Any], calendar: Calendar | None = None, kinds: Sequence[str] = ("ticket",)
    ) -> None:
        self.policy = policy_of({"kinds": list(kinds), "metrics": list(metrics)}) if metrics else None
        self.calendar = Chosen(calendar, ("office", 1)) if calendar else None

    @property
    def plan(self) -> Plan:
        return plan_for(self.policy, self.kind, self.priority, self.calendar, self.norms, policy_ref=("standard", 3))

    def tell(self, fact: str, at: str, actor: str = "user", who: UUID | None = OLHA, **data: Any) -> Reckoned:
        happening = Happening(fact, when(at), actor, who if actor == "user" else None, data)
        self.life = begun(happening) if self.life is None else self.life.after(happening)
        return self._take(
            reckon(
                self.clocks, self.life, self.plan, happening, aims_anew=fact in AIMING,
                new_id=lambda: UUID(int=next(self.ids)),
            )
        )  # fmt: skip

    def look(self, at: str) -> Reckoned:
        return self._take(settle(self.clocks, when(at)))

    def _take(self, reckoned: Reckoned) -> Reckoned:
        self.clocks = reckoned.clocks
        self.firings += reckoned.firings
        return reckoned

    def opened(self, at: str, kind: str = "ticket") -> "Scene":
        self.kind, self.status = kind, "open" if kind == "ticket" else "new"
        self.tell("dialog.opened", at, "client", kind=kind, status=self.status)
        return self

    def client(self, at: str) -> None:
        self.tell("message.received", at, "client")

    def reply(self, at: str) -> None:
        self.tell("message.queued", at)

    def become(self, status: str, at: str) -> None:
        before, self.status = self.status, status
        self.tell("ticket.status_changed", at, before={"status": before}, after={"status": status})

    def close(self, at: str, **told: Any) -> None:
        before, self.status = self.status, "closed"
        fact = "ticket.closed" if self.kind == "ticket" else "dialog.closed"
        self.tell(fact, at, before={"status": before}, after={"status": "closed"}, **told)

    def reopen(self, at: str) -> None:
        before, self.status = self.status, "open"
        fact = "ticket.reopened" if self.kind == "ticket" else "dialog.reopened"
        self.tell(fact, at, before={"status": before}, after={"status": "open"})

    def convert(self, at: str) -> None:
        self.kind, self.status = "ticket", "open"
        self.tell("dialog.converted", at, before={"kind": "chat"}, after={"kind": "ticket", "status": "open"})

    def of(self, name: str, status: str = "") -> Clock:
        """The latest clock of the metric."""
        return [c for c in self.clocks if c.key == (name, status)][-1]

    def all_of(self, name: str) -> list[Clock]:
        return [c for c in self.clocks if c.metric == name]

    def told(self, name: str) -> list[tuple[int | None, datetime]]:
        return [(f.percent, f.at) for f in self.firings if f.clock.metric == name]
