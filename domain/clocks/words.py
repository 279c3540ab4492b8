"""How clocks are spoken of, in English and Ukrainian: metrics, causes, durations and moments."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

#: key → (en, uk); {…} are filled in
_WORDS: dict[str, tuple[str, str]] = {
    "tfr": ("First response", "Перша відповідь"),
    "nrt": ("Next response", "Наступна відповідь"),
    "ttc": ("Time to close", "Час до закриття"),
    "tis": ("Time in the status {status}", "Час у статусі «{status}»"),
    "accept": ("Time to accept", "Час до прийняття"),
    "respond": ("Time to answer", "Час до відповіді"),
    "new": ("new", "новий"),
    "open": ("open", "відкритий"),
    "in_progress": ("in progress", "у роботі"),
    "pending": ("pending", "в очікуванні"),
    "resolved": ("resolved", "вирішений"),
    "closed": ("closed", "закритий"),
    "dialog.opened": ("the dialog was opened", "діалог відкрито"),
    "dialog.converted": ("it was made a ticket", "діалог став тікетом"),
    "dialog.reopened": ("it was reopened", "діалог відкрито знову"),
    "ticket.reopened": ("it was reopened", "тікет відкрито знову"),
    "ticket.status_changed": ("the status was set to {status}", "встановлено статус «{status}»"),
    "message.received": ("the client wrote", "клієнт написав"),
    "dialog.queued": ("it began to wait for an operator", "діалог почав чекати на оператора"),
    "dialog.unassigned": ("it was taken off its operator", "діалог знято з оператора"),
    "dialog.assigned": ("it was given to an operator", "діалог передано оператору"),
    "dialog.team_changed": ("its team was changed", "змінено групу"),
    "dialog.topic_changed": ("its topic was changed", "змінено тему"),
    "dialog.priority_changed": ("its priority was changed", "змінено пріоритет"),
    "dialog.merged": ("another ticket was merged into it", "до тікета приєднано інший"),
    "sla.moved": ("its clocks were moved to what is promised now", "годинники перенесено на чинні норми"),
    "client": ("client", "клієнт"),
    "system": ("system", "система"),
    "process": ("process", "процес"),
    "user": ("somebody", "хтось"),
    "changed.target": ("the target became {after} instead of {before}", "ціль стала {after} замість {before}"),
    "promised.target": ("the target became {after}", "ціль стала {after}"),
    "changed.calendar": (
        "the calendar became {after} instead of {before}", "календар став {after} замість {before}",
    ),
    "changed.policy": ("the policy became {after} instead of {before}", "політика стала {after} замість {before}"),
    "promised.policy": ("the policy became {after}", "політика стала {after}"),
    "changed.warn": ("warnings became {after} instead of {before}", "попередження стали {after} замість {before}"),
    "nothing": ("none", "немає"),
    "version": ("{key}, version {version}", "{key}, версія {version}"),
    "is_due": ("{name} is due {due}.", "{name}: термін {due}."),
    "was_due": (
        "{name} was due {due} and is overdue by {late}.", "{name}: термін був {due}, прострочено на {late}.",
    ),
    "never_due": (
        "{name} is never due: the calendar has not so much working time.",
        "{name}: терміну немає, бо в календарі немає стільки робочого часу.",
    ),
    "stands_still": ("{name} stands still with {left} left.", "{name}: час зупинено, лишається {left}."),
    "stands_still_late": (
        "{name} stands still and is overdue by {late}.", "{name}: час зупинено, прострочено на {late}.",
    ),
    "met": ("{name} was met {ended}; it was due {due}.", "{name}: виконано {ended}, термін був {due}."),
    "breached": (
        "{name} was breached: it was due {due} and ended {ended}.",
        "{name}: порушено, термін був {due}, завершено {ended}.",
    ),
    "dropped": (
        "{name} ended {ended} without a result; it was due {due}.",
        "{name}: завершено {ended} без результату, термін був {due}.",
    ),
    "met_standing": ("{name} was met {ended} with {left} left.", "{name}: виконано {ended}, лишалося {left}."),
    "dropped_standing": (
        "{name} ended {ended} without a result, with {left} left.",
        "{name}: завершено {ended} без результату, лишалося {left}.",
    ),
    "breached_before": (
        "An earlier promise was broken {at}, and that stays.", "Попередню обіцянку порушено {at}, і це лишається.",
    ),
    "no_moment": ("at no moment", "відсутній"),
    "always": ("Promised: {target}, every hour counts", "Обіцяно: {target}, рахується кожна година"),
    "by_calendar": (
        "Promised: {target} of working time by the calendar {calendar} ({zone})",
        "Обіцяно: {target} робочого часу за календарем {calendar} ({zone})",
    ),
    "by_policy": (", as the policy {policy} says.", ", так визначає політика {policy}."),
    "by_norm": (
        ", as the norm of the team or of the whole house says.", ", така норма групи або всього центру.",
    ),
    "started": ("It started {start}: {cause}.", "Почався {start}: {cause}."),
    "counted": ("Counted: {list}; {total} in all.", "Пораховано: {list}; разом {total}."),
    "nothing_counted": ("Nothing has been counted yet.", "Ще нічого не пораховано."),
    "more_days": ("{count} more days {total}", "ще дні ({count}) {total}"),
    "stood_still": ("It stood still {list}.", "Час стояв {list}."),
    "until": ("from {begin} to {end} ({cause})", "від {begin} до {end} ({cause})"),
    "since": ("since {begin} ({cause})", "від {begin} ({cause})"),
    "aimed": ("On {at} {cause}: {changes}.", "{at} {cause}: {changes}."),
}  # fmt: skip
_DAYS = (("Mon", "пн"), ("Tue", "вт"), ("Wed", "ср"), ("Thu", "чт"), ("Fri", "пт"), ("Sat", "сб"), ("Sun", "нд"))
_MONTHS = (
    ("Jan", "січ."), ("Feb", "лют."), ("Mar", "бер."), ("Apr", "квіт."), ("May", "трав."), ("Jun", "черв."),
    ("Jul", "лип."), ("Aug", "серп."), ("Sep", "вер."), ("Oct", "жовт."), ("Nov", "лист."), ("Dec", "груд."),
)  # fmt: skip
_UNITS = ((3600, "h", "год"), (60, "min", "хв"), (1, "s", "с"))


def _index(language: str) -> int:
    return 1 if language == "uk" else 0


def word(key: str, language: str, /, **values: str) -> str:
    """The words for a key; one nobody has words for is told by its name."""
    words = _WORDS.get(key)
    return words[_index(language)].format(**values) if words else key.replace(".", " ").replace("_", " ")


def amount(duration: timedelta, language: str) -> str:
    """`1 h 30 min`; nothing below a second is told. Hours are the largest unit: a working day has no fixed length."""
    left = int(abs(duration) // timedelta(seconds=1))
    parts: list[str] = []
    for size, *names in _UNITS:
        count, left = divmod(left, size)
        if count or (size == 1 and not parts):
            parts.append(f"{count} {names[_index(language)]}")
    return " ".join(parts)


def day(moment: datetime, zone: str, language: str, year: int) -> str:
    """`Mon 2 Nov`, with its year where that is another one than `year`."""
    local, index = moment.astimezone(ZoneInfo(zone)), _index(language)
    told = f"{_DAYS[local.weekday()][index]} {local.day} {_MONTHS[local.month - 1][index]}"
    return told if local.year == year else f"{told} {local.year}"


def hour(moment: datetime, zone: str) -> str:
    """`09:00`, with seconds where there are some."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")


def moment(at: datetime, zone: str, language: str, year: int) -> str:
    return f"{day(at, zone, language, year)} {hour(at, zone)}"


def version(ref: tuple[str, int] | list[Any], language: str) -> str:
    return word("version", language, key=str(ref[0]), version=str(ref[1]))


def changes(changed: Mapping[str, Any], language: str) -> str:
    """What a new aim changed, in words; the status of a line belongs to its cause."""
    told: list[str] = []
    for name, (before, after) in changed.items():
        kind = "promised" if before is None and f"promised.{name}" in _WORDS else "changed"
        if f"{kind}.{name}" in _WORDS:
            told.append(
                word(f"{kind}.{name}", language, before=_told(name, before, language),
                     after=_told(name, after, language))
            )  # fmt: skip
    return ", ".join(told)


def _told(name: str, value: Any, language: str) -> str:
    if not value:
        return word("nothing", language)
    if name == "target":
        return amount(timedelta(seconds=value), language)
    return ", ".join(f"{percent} %" for percent in value) if name == "warn" else version(value, language)
