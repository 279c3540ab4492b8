"""The rules of distribution once more, slowly and by other means: pairwise questions, no sort keys, no shortcuts.

Written from PRODUCT.md, so that a mistake in domain/distribution.py is not repeated here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from domain.capacity import Load
from domain.distribution import Candidate, Decision, Waiting, decide

T = TypeVar("T")


def may_get(person: Candidate, dialog: Waiting) -> bool:
    """Online, of the team, below both limits, under the quota, not excluded, not a light agent."""
    if person.is_light or person.status != "online" or not person.is_connected:
        return False
    if not any(team == dialog.team for team in person.teams):
        return False
    if any(who == person.operator_id for who in dialog.excluded):
        return False
    if person.load.total + 1 > person.limits.total:
        return False
    for channel, most in person.limits.channels.items():
        if channel == dialog.channel and person.load.channels.get(channel, 0) + 1 > most:
            return False
    if person.daily_quota is None:
        return True
    adds = 0 if dialog.contact_id in person.known_contacts else 1
    return adds == 0 or person.contacts_today + adds <= person.daily_quota


def _earlier(a: datetime | None, b: datetime | None) -> bool | None:
    """Never is earlier than any moment; None when the two are equal."""
    if a == b:
        return None
    if a is None or b is None:
        return a is None
    return a < b


def beats(a: Candidate, b: Candidate, dialog: Waiting, method: str) -> bool:
    if dialog.reserved_for == a.operator_id:
        return True
    if dialog.reserved_for == b.operator_id:
        return False
    if method in ("least_loaded", "topic_priority"):
        if a.load.total != b.load.total:
            return a.load.total < b.load.total
        closed_first = _earlier(a.last_closed_at, b.last_closed_at)
        if closed_first is not None:
            return closed_first
    assigned_first = _earlier(a.last_assigned_at, b.last_assigned_at)
    if assigned_first is not None:
        return assigned_first
    return a.operator_id.int < b.operator_id.int


def leaves_first(a: Waiting, b: Waiting, method: str) -> bool:
    if method == "topic_priority" and a.priority != b.priority:
        return a.priority > b.priority
    return _heavier_then_older(a, b)


def _heavier_then_older(a: Waiting, b: Waiting) -> bool:
    if a.weight != b.weight:
        return a.weight > b.weight
    if a.waiting_since != b.waiting_since:
        return a.waiting_since < b.waiting_since
    return a.dialog_id.int < b.dialog_id.int


def ranked(dialog: Waiting, people: Iterable[Candidate], method: str) -> list[UUID]:
    """Everybody who may get the dialog, the winner first: each time the one who beats all the others left."""
    able = [p for p in people if may_get(p, dialog)]
    order: list[UUID] = []
    while able:
        best = _first(able, lambda a, b: beats(a, b, dialog, method))
        able.remove(best)
        order.append(best.operator_id)
    return order


def head_of_queue(dialogs: Sequence[Waiting], method: str) -> Waiting:
    return _first(dialogs, lambda a, b: leaves_first(a, b, method))


def in_queue_order(dialogs: Iterable[Waiting], method: str) -> list[Waiting]:
    left = list(dialogs)
    order: list[Waiting] = []
    while left:
        order.append(head_of_queue(left, method))
        left.remove(order[-1])
    return order


def _first(items: Sequence[T], goes_before: Callable[[T, T], bool]) -> T:
    (best,) = [a for a in items if all(a is b or goes_before(a, b) for b in items)]
    return best


def given(person: Candidate, dialog: Waiting, at: datetime) -> Candidate:
    """The person holding one dialog more."""
    known = dialog.contact_id in person.known_contacts
    channels = dict(person.load.channels)
    channels.setdefault(dialog.channel, 0)
    channels[dialog.channel] += 1
    return person._replace(
        load=Load(person.load.total + 1, channels),
        last_assigned_at=at,
        contacts_today=person.contacts_today + (0 if known else 1),
        known_contacts=person.known_contacts | {dialog.contact_id},
    )


def step_by_step(
    waiting: Iterable[Waiting],
    people: Iterable[Candidate],
    methods: Mapping[str, str],
    *,
    now: datetime,
    most: int = 100,
) -> list[Decision]:
    """What plan() must answer: decide() asked about one dialog after another, everybody asked anew each time.

    The head of a team is the first of its queue that somebody can get at that step.
    """
    left = list(waiting)
    now_people = {p.operator_id: p for p in people}
    made: list[Decision] = []
    while left and len(made) < most:
        could = [d for d in left if any(may_get(p, d) for p in now_people.values())]
        if not could:
            break
        heads = [head_of_queue([d for d in could if d.team == team], methods[team]) for team in {d.team for d in could}]
        dialog = _first(heads, _heavier_then_older)
        left.remove(dialog)
        decision = decide(dialog, now_people.values(), methods[dialog.team])
        order = ranked(dialog, now_people.values(), methods[dialog.team])
        assert decision.winner == order[0]
        at = now + len(made) * timedelta(microseconds=1)
        now_people[order[0]] = given(now_people[order[0]], dialog, at)
        made.append(decision)
    return made
