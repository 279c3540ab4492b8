"""What clocks did, in a sentence for timelines: warned, breached, a norm passed, moved to another promise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.clocks.words import amount, hour, moment, word
from domain.events import Fact


@dataclass(frozen=True, slots=True)
class Fired:
    """A fact of a clock at its own moment; `zone` that moments are told in, `operator` who held the dialog then."""

    data: Mapping[str, Any]
    at: datetime | None
    operator: str
    language: str = "en"
    zone: str = "UTC"

    @property
    def is_uk(self) -> bool:
        return self.language == "uk"

    @property
    def name(self) -> str:
        status = str(self.data.get("status") or "")
        told = word(str(self.data.get("metric") or "clock"), self.language, status=word(status, self.language))
        return str(self.data.get("alias") or told)

    @property
    def due(self) -> datetime | None:
        told = self.data.get("due_at")
        return datetime.fromisoformat(told) if isinstance(told, str) else None

    @property
    def due_hour(self) -> str:
        """The hour alone on the day itself."""
        if self.due is None:
            return "…"
        zone = ZoneInfo(self.zone)
        if self.at is not None and self.due.astimezone(zone).date() == self.at.astimezone(zone).date():
            return hour(self.due.replace(microsecond=0), self.zone)
        return moment(self.due.replace(microsecond=0), self.zone, self.language, self.due.year)

    @property
    def due_words(self) -> str:
        """With the preposition that goes with it."""
        told = self.due_hour
        if " " in told:
            return told if self.is_uk else f"on {told}"
        return f"о {told}" if self.is_uk else f"at {told}"


def _warned(f: Fired) -> str:
    left = amount(f.due - f.at, f.language) if f.due is not None and f.at is not None else "…"
    percent = f.data.get("percent", "…")
    if f.is_uk:
        return f"{f.name}: термін за {left}, {f.due_words} (минуло {percent} %)."
    return f"{f.name} is due in {left}, {f.due_words} ({percent} % of the time has passed)."


def _breached(f: Fired) -> str:
    return f"{f.name}: термін був {f.due_words}." if f.is_uk else f"{f.name} was due {f.due_words}."


def _accept_late(f: Fired) -> str:
    if f.is_uk:
        return f"Ніхто не прийняв діалог до {f.due_hour}, як того хоче норма групи."
    return f"Nobody had accepted it by {f.due_hour}, as the team's norm wants."


def _answer_late(f: Fired) -> str:
    if f.is_uk:
        return f"Оператор ({f.operator}) не відповів до {f.due_hour}, як того хоче норма групи."
    return f"{f.operator} had not answered by {f.due_hour}, as the team's norm wants."


def _moved(f: Fired) -> str:
    return "Годинники перенесено на чинні норми." if f.is_uk else "Its clocks were moved to what is promised now."


SENTENCES: Mapping[str, Callable[[Fired], str]] = {
    Fact.SLA_WARNED: _warned,
    Fact.SLA_BREACHED: _breached,
    Fact.SLA_MOVED: _moved,
    Fact.ACCEPT_LATE: _accept_late,
    Fact.ANSWER_LATE: _answer_late,
}
