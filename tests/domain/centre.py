"""A contact centre in memory: what the store does around the rules, without a database or a clock.

It asks the rules of domain/ and carries out what they answer. Every slot is given in `_gains`, which counts for itself
and refuses to believe them; every plan is compared with the slow reference before it is carried out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain import dialogs, presence, transfers
from domain.capacity import Limits, Load, why_full
from domain.distribution import Candidate, Waiting, plan
from tests.domain.slow_reference import step_by_step
from tests.domain.values import MICROSECOND, NOON, uid

CHUNK = 3


@dataclass(eq=False)
class Team:
    key: str
    method: str
    auto: bool
    fallback: str
    window: timedelta


@dataclass(eq=False)
class Person:
    id: UUID
    teams: frozenset[str]
    limit: int
    channel_limits: dict[str, int]
    is_light: bool = False
    daily_quota: int | None = None
    status: str = "offline"
    lease_until: datetime | None = None
    last_assigned_at: datetime | None = None
    last_closed_at: datetime | None = None
    met: set[UUID] = field(default_factory=set)


@dataclass(eq=False)
class Offer:
    talk: "Talk"
    giver: Person
    taker: Person
    deadline: datetime
    endings: list[tuple[str, datetime]] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.endings[0][0] if self.endings else "pending"


@dataclass(eq=False)
class Talk:
    id: UUID
    kind: str
    team: str
    channel: str
    contact: UUID
    priority: int
    weight: int
    since: datetime
    status: str = "new"
    place: str | None = None
    holder: Person | None = None
    last_holder: Person | None = None
    reserved_for: Person | None = None
    is_forced: bool = False
    excluded: set[UUID] = field(default_factory=set)
    offers: list[Offer] = field(default_factory=list)

    @property
    def pending(self) -> Offer | None:
        return next((o for o in self.offers if o.state == "pending"), None)


class Centre:
    def __init__(self, teams: Iterable[Team], people: Iterable[Person]) -> None:
        self.now = NOON
        self.teams = {t.key: t for t in teams}
        self.people = {p.id: p for p in people}
        self.talks: dict[UUID, Talk] = {}
        self.over_limit: set[tuple[UUID, UUID]] = set()

    # ── as the rules see it ─────────────────────────────────────────────────────────────────────────────────────────

    def slots(self, person: Person) -> set[UUID]:
        """Held dialogs that occupy one, and offers whose deadline has not passed."""
        held = {t.id for t in self.talks.values() if t.holder is person and dialogs.occupies_slot(t.status)}
        offered = {
            o.talk.id for t in self.talks.values() for o in t.offers
            if o.taker is person and transfers.state_at(o.state, o.deadline, self.now) == "pending"
        }  # fmt: skip
        return held | offered

    def is_there(self, person: Person) -> bool:
        return presence.can_receive(person.status, person.lease_until, self.now)

    def load(self, person: Person) -> Load:
        load = Load()
        for talk_id in self.slots(person):
            load = load.plus(self.talks[talk_id].channel)
        return load

    def candidate(self, person: Person) -> Candidate:
        return Candidate(
            person.id, person.teams, Limits(person.limit, person.channel_limits), self.load(person), person.status,
            presence.is_connected(person.lease_until, self.now), person.is_light, person.last_assigned_at,
            person.last_closed_at, len(person.met), person.daily_quota, frozenset(person.met),
        )  # fmt: skip

    def waiting(self, talk: Talk) -> Waiting:
        kept_for = talk.reserved_for.id if talk.reserved_for else None
        return Waiting(
            talk.id, talk.team, talk.channel, talk.contact, talk.priority, talk.weight, talk.since,
            frozenset(talk.excluded), kept_for, talk.is_forced,
        )  # fmt: skip

    def why_full(self, person: Person, channel: str) -> str | None:
        return why_full(Limits(person.limit, person.channel_limits), self.load(person), channel)

    # ── distribution ────────────────────────────────────────────────────────────────────────────────────────────────

    def drain(self) -> None:
        """As the store does it: a few assignments at a time until nothing more can go."""
        everybody = list(self.people.values())
        while True:
            queue = [self.waiting(t) for t in self.talks.values() if t.place == "queued"]
            candidates = [self.candidate(p) for p in everybody]
            methods = {t.key: t.method for t in self.teams.values()}
            made = plan(queue, candidates, methods, now=self.now, most=CHUNK)
            assert made == step_by_step(queue, candidates, methods, now=self.now, most=CHUNK)
            for n, decision in enumerate(made):
                assert decision.winner is not None
                winner, talk = self.people[decision.winner], self.talks[decision.dialog_id]
                assert talk.place == "queued", "assigned twice"
                assert winner.id not in talk.excluded
                assert self.is_there(winner)
                assert talk.team in winner.teams
                self.give(talk, winner, at=self.now + n * MICROSECOND)
            if len(made) < CHUNK:
                break
        for talk in self.talks.values():
            talk.is_forced = False

    def give(self, talk: Talk, person: Person, *, at: datetime | None = None, over_limit: bool = False) -> None:
        self._gains(person, talk, over_limit=over_limit)
        self._hold(talk, person, at or self.now)

    def _hold(self, talk: Talk, person: Person, at: datetime) -> None:
        talk.place, talk.holder, talk.last_holder, talk.reserved_for = "owned", person, person, None
        talk.status = "open" if talk.status == "new" else talk.status
        talk.is_forced = False
        talk.excluded.clear()
        person.met.add(talk.contact)
        person.last_assigned_at = at

    def _gains(self, person: Person, talk: Talk, *, over_limit: bool = False) -> None:
        slots = self.slots(person)
        same_channel = [i for i in slots if self.talks[i].channel == talk.channel]
        assert not person.is_light, "a light agent got a dialog"
        if over_limit:
            self.over_limit.add((person.id, talk.id))
        else:
            assert len(slots) < person.limit, "beyond the general limit"
            assert len(same_channel) < person.channel_limits.get(talk.channel, 999), "beyond the channel's limit"

    def to_pool(self, talk: Talk) -> None:
        talk.holder = talk.reserved_for = None
        talk.status = dialogs.status_when_waiting(talk.kind, ever_owned=talk.last_holder is not None)
        talk.place = dialogs.place_when_waiting(auto=self.teams[talk.team].auto)

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    def arrive(self, *, is_forced: bool = False, **facts) -> None:
        talk = Talk(uid(1000 + len(self.talks)), since=self.now, **facts)
        self.talks[talk.id] = talk
        self.to_pool(talk)
        talk.is_forced = is_forced and talk.place == "queued"
        if not is_forced:
            self.drain()

    def close(self, talk: Talk) -> None:
        self._rescind(talk)
        if talk.holder is not None:
            talk.holder.last_closed_at = self.now
        talk.status, talk.place, talk.holder, talk.reserved_for = "closed", None, None, None
        self.drain()

    def reopen(self, talk: Talk) -> None:
        kept_for = talk.last_holder
        self._rescind(talk)
        if talk.status == "closed":
            talk.excluded.clear()
        talk.since = self.now
        self.to_pool(talk)
        talk.status, talk.reserved_for = "open", kept_for
        self.drain()

    def release(self, talk: Talk) -> None:
        self._rescind(talk)
        talk.excluded.add(talk.holder.id)
        self.to_pool(talk)
        self.drain()

    def hand_over(self, talk: Talk, team: str) -> None:
        self._rescind(talk)
        talk.team = team
        self.to_pool(talk)
        self.drain()

    def offer(self, talk: Talk, taker: Person) -> None:
        assert self.is_there(taker)
        self._gains(taker, talk)
        talk.offers.append(Offer(talk, talk.holder, taker, self.now + self.teams[talk.team].window))

    def accept(self, offer: Offer) -> None:
        """The slot the offer held becomes the dialog's: nothing to count, even where the limit sank meanwhile."""
        before = self.slots(offer.taker)
        self._end(offer, "accepted", self.now)
        self._hold(offer.talk, offer.taker, self.now)
        assert self.slots(offer.taker) <= before, "accepting took a second slot"
        self.drain()

    def end_unwanted(self, offer: Offer, state: str, at: datetime) -> None:
        """Declined, expired or rescinded: back to a sender who is there, else to the pool."""
        self._end(offer, state, at)
        if state in transfers.EXCLUDES:
            offer.talk.excluded.add(offer.taker.id)
        fallback = self.teams[offer.talk.team].fallback
        if not transfers.returns_to_sender(fallback, sender_is_online=self.is_there(offer.giver)):
            self.to_pool(offer.talk)
        self.drain()

    def cancel(self, offer: Offer) -> None:
        self._end(offer, "cancelled", self.now)
        self.drain()

    def set_status(self, talk: Talk, status: str) -> None:
        dialogs.require_status_change(talk.kind, talk.status, status)
        talk.status = status
        self.drain()

    def overdue(self) -> list[Offer]:
        """Offers that are over though nobody has carried it out yet, the earliest deadline first."""
        pending = [t.pending for t in self.talks.values() if t.pending]
        over = [o for o in pending if o.deadline <= self.now or not self.is_there(o.taker)]
        return sorted(over, key=lambda o: o.deadline)

    def carry_out_overdue(self) -> None:
        for offer in self.overdue():
            if transfers.state_at("pending", offer.deadline, self.now) == "expired":
                self.end_unwanted(offer, "expired", offer.deadline)
            else:
                self.end_unwanted(offer, "rescinded", self.now)

    def _rescind(self, talk: Talk) -> None:
        """Something else happens to the dialog. A deadline that has passed has passed, carried out or not."""
        offer = talk.pending
        if offer is None:
            return
        if transfers.state_at(offer.state, offer.deadline, self.now) == "expired":
            self._end(offer, "expired", offer.deadline)
            talk.excluded.add(offer.taker.id)
        else:
            self._end(offer, "rescinded", self.now)

    def _end(self, offer: Offer, state: str, at: datetime) -> None:
        offer.endings.append((state, at))
